"""Why a queued job waits, in words (UX-18): each guard has its own sentence. And what overruns."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from equipment.machines.guide import Guide, label_of
from fablab.core.words import say


def say_reason(code: str, params: Mapping[str, Any], guide: Guide) -> str:
    """Return why a job waits, in the reader's language; what is stored as a code is told in the lab's words."""
    frame = params.get("frame")
    told = {**params, "frame": label_of(guide.frames, frame) or frame} if frame else params
    return say(code, told)


SENTENCES: dict[str, str | Promise] = {
    "waiting_approval": _("Il faut valider encore une fois. Un animateur regarde."),
    "waiting_undo": _("Validé à l’instant."),
    "waiting_closed": _("Le fab lab est fermé."),
    "waiting_out_of_order": _("La machine est en panne. L’équipe est prévenue."),
    "waiting_next_outage": _("Pas assez de temps avant l’arrêt de la machine."),
    "waiting_needs_help": _("La machine attend un animateur."),
    "waiting_unreachable": _("On vérifie la machine – un animateur regarde"),
    "waiting_foreign_print": _("La machine est occupée hors file."),
    "waiting_machine_busy": _("La machine fait un autre objet."),
    "waiting_own_booking": _("Ça commence avec ta réservation."),
    "waiting_booking": _("Quelqu’un a réservé la machine en ce moment."),
    "waiting_next_booking": _("Pas assez de temps avant la prochaine réservation."),
    "waiting_closing_time": _("Pas assez de temps avant la fermeture."),
    "waiting_too_long": _("Trop long pour une journée. Parles-en à un animateur."),
    "waiting_power_cut": _("Une coupure de courant est annoncée."),
    "waiting_format": _("Cette machine ne prend pas ce fichier. Demande à un animateur."),
    "waiting_material": _("Il faut mettre {material} dans {machine}."),
    "waiting_nozzle": _("Il faut monter une buse de {nozzle_mm} mm."),
    "waiting_frame": _("À monter sur la machine : {frame}."),
    "waiting_file_refused": _("La machine refuse le fichier."),
    "waiting_no_machine": _("Aucune machine ne peut le faire ici pour l’instant."),
    "waiting_operator": _("La machine est libre. Un animateur va le lancer."),
    "overrun_booking": _("{machine} est prise jusque vers {time}. Voici d’autres choix."),
    "overrun_booking_open": _("{machine} est encore prise. Voici d’autres choix."),
    "machine_paused": _("{machine} est en pause. Ton tour viendra peut-être plus tard."),
    "waiting_turn": _("Un autre objet passe d’abord."),
}
