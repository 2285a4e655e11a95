"""What people read of the work list."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from equipment.machines.words import TO_EMPTY
from jobs.worklist.rules import Entry
from jobs.worklist.states import Need

NEEDS: Mapping[Need, Promise] = {
    Need.CLOCK: _("L’heure est-elle juste ?"),
    Need.DISK: _("Le disque est presque plein"),
    Need.INTERRUPTED: _("Après la coupure"),
    Need.ASKED: _("Demande quelqu’un"),
    Need.UNSURE: _("On ne sait pas où en est l’objet"),
    Need.HELP: _("Besoin d’aide"),
    Need.PAUSED: _("En pause, quelqu’un doit venir"),
    Need.NOT_STARTED: _("Pas lancé"),
    Need.UNREACHABLE: _("On n’entend plus la machine"),
    Need.OVERRUN: _("Déborde sur la réservation suivante"),
    Need.OVERDUE: _("Devrait être fini"),
    Need.PLATE_WAITED: _("Plateau à vider, quelqu’un attend"),
    Need.PUT_BACK: _("Machine en panne, à remettre en file"),
    Need.LOADED: _("Prêt à lancer"),
    Need.TO_TAKE: _("À apporter à la machine"),
    Need.FAILED: _("Raté, à relancer ou non"),
    Need.PLATE: _("Plateau à vider"),
    Need.DECIDE: _("Fichiers à regarder"),
    Need.PICK_UP: _("Personne n’est venu le chercher"),
    Need.MAINTENANCE: _("Entretien à faire"),
}

# Where a kind has its own word for what must be empty.
OF_PLATE: Mapping[Need, Mapping[str, Promise]] = {
    Need.PLATE: TO_EMPTY,
    Need.PLATE_WAITED: {
        "plate": NEEDS[Need.PLATE_WAITED],
        "hoop": _("Cadre à vider, quelqu’un attend"),
        "mat": _("Tapis à vider, quelqu’un attend"),
    },
}


def label_of(entry: Entry) -> str:
    """Return what an entry is about, in the reader's language and the words of the machine's kind."""
    return str(OF_PLATE.get(entry.need, {}).get(entry.plate_word, NEEDS[entry.need]))


SENTENCES: dict[str, str | Promise] = {
    "handled_by": _("{person} s’en occupe déjà."),
    "entry_over": _("Plus besoin : c’est déjà fait."),
}
