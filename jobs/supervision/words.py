"""What supervision found, in words: why nobody knows, and what came of an order. Codes are prefixed in the common list.

How a print ended is said by ``jobs.lifecycle.words.FAILURES``; what a machine's interface refuses by
``equipment.machines.words.CONNECTION``.
"""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_CHECKING = _("On vérifie la machine – un animateur regarde")

UNSURE: Mapping[str, Promise] = {
    "silent": _CHECKING,
    "disconnected": _CHECKING,
    "idle_unexplained": _CHECKING,
    "unknown_state": _CHECKING,
    "start_unproven": _CHECKING,
    "prints_unknown": _CHECKING,
    "line_broken": _CHECKING,
    "stop_unproven": _("La machine ne s’arrête pas. Appuie sur son bouton."),
    "wrong_file": _("La machine fait un autre fichier. Va la voir."),
}

OUTCOMES: Mapping[str, Promise] = {
    # done
    "accepted": _("La machine a accepté."),
    "seen": _("La machine l’a fait."),
    # not sent
    "expired": _("Trop tard. Appuie encore une fois."),
    "attempt_ended": _("C’est déjà fini."),
    "not_loaded": _("Le fichier n’est pas encore prêt sur la machine."),
    "already_sent": _("Déjà lancé"),
    "plate_token": _("Vérifie encore une fois que le plateau est vide."),
    "out_of_order": _("La machine est en panne."),
    "lease_lost": _("La surveillance a changé. Appuie encore une fois."),
    "not_supported": _("Cette machine ne sait pas faire cela."),
    "file_unreadable": _("Le fichier ne se lit plus. Préviens l’équipe."),
    "stop_asked": _("On a demandé d’arrêter avant."),
    "other_file": _("La machine fait un autre fichier. Va la voir."),
    "unknown_state": _("On ne comprend pas ce que dit la machine."),
    # sent, and then
    "start_not_seen": _("La machine n’a pas démarré. Vérifie le plateau et relance."),
    "answer_lost": _("La machine n’a pas répondu. On regarde ce qu’elle fait."),
    "contact_lost": _("La machine n’a pas répondu. On regarde ce qu’elle fait."),
}

DOES_NOT_START: Promise = _("La machine ne démarre pas. Regarde ce qui la bloque.")
HALTED: Promise = _("La machine s’est mise en sécurité. N’y touche pas, appelle l’équipe.")

SENTENCES: dict[str, str | Promise] = {
    **{f"unsure_{code}": sentence for code, sentence in UNSURE.items()},
    **{f"order_{code}": sentence for code, sentence in OUTCOMES.items()},
}
