"""What people read after a power cut, and while the clock is in doubt."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from fablab.core.witness import Why
from jobs.recovery.states import Now, Outcome

OUTCOMES: Mapping[Outcome, Promise] = {
    Outcome.AGAIN: _("Raté, on recommence"),
    Outcome.DONE: _("Ça s’est terminé"),
    Outcome.STOP: _("Raté, on s’arrête là"),
    Outcome.LEAVE: _("Ça continue"),
}
NOW: Mapping[Now, Promise] = {
    Now.LOST: _("La machine est revenue sans l’objet."),
    Now.UNKNOWN: _("On ne sait pas ce que fait la machine."),
    Now.GOES_ON: _("La machine continue. Rien à faire."),
    Now.MADE: _("Terminé pendant ce temps. Rien à faire."),
}
CLOCK: Mapping[Why, Promise] = {
    Why.BEFORE_RELEASE: _("L’horloge du serveur est dans un autre temps."),
    Why.BEFORE_WITNESS: _("L’horloge du serveur est revenue en arrière."),
    Why.STEPPED: _("L’horloge du serveur a sauté."),
    Why.UNSYNCHRONISED: _("Le serveur s’est éteint. Son heure est peut-être fausse."),
}

SENTENCES: dict[str, str | Promise] = {
    "nothing_interrupted": _("C’est déjà réglé."),
    "outcome_unknown": _("Choisis encore une fois pour « {title} »."),
    "clock_page_old": _("L’heure affichée est trop vieille. Regarde encore."),
}
