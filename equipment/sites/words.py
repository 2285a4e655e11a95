"""What people read about places, hours and roles."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from equipment.sites.states import Role

SENTENCES: dict[str, str | Promise] = {
    "no_such_local_time": _("Cette heure n’existe pas ce jour-là. Essaie {suggestion}."),
    "local_time_twice": _("Cette heure vient deux fois ce jour-là. Choisis laquelle."),
    "series_too_long": _("Au plus {most} dates à la fois. Choisis une fin plus proche."),
    "series_without_weekday": _("Choisis au moins un jour de la semaine."),
    "series_hours_make_no_sense": _("La fin vient après le début, au plus tard le lendemain."),
    "series_ends_before_it_begins": _("Le dernier jour vient après le premier."),
    "series_year_out_of_range": _("Choisis une année entre {first} et {last}."),
    "series_every_out_of_range": _("Choisis entre 1 et {most} semaines."),
    "series_time_missing": _("Cette heure n’existe pas ce jour-là."),
    "hours_make_no_sense": _("La fermeture vient après l’ouverture."),
    "closure_ends_before_it_begins": _("Le dernier jour vient après le premier."),
    "closure_is_over": _("Ces jours sont déjà passés."),
    "closure_too_long": _("Au plus {days} jours à la fois."),
    "closure_day_missing": _("Donne le jour."),
    "cut_ends_before_it_begins": _("La fin de la coupure vient après le début."),
    "cut_time_missing": _("Donne le jour et l’heure."),
    "cut_is_over": _("Cette coupure est déjà passée."),
    "cut_too_long": _("Au plus {days} jours. Sinon, note une fermeture."),
    "start_gap_out_of_range": _("Choisis entre 0 et {most} secondes."),
    "shift_makes_no_sense": _("La fin vient après le début, au plus tard le lendemain."),
    "shift_days": _("Donne le premier jour, puis le dernier."),
    "shift_overlaps": _("Cette personne est déjà au planning à cette heure."),
    "not_on_duty": _("Choisis quelqu’un de l’équipe."),
    "away_too_long": _("Au plus {days} jours à la fois."),
    "time_zone_unknown": _("Ce fuseau horaire n’existe pas."),
    "several_instructors": _("Il y a plusieurs animateurs ici : un autre regarde."),
    "last_manager": _("Il reste un seul responsable. Nommes-en un autre d’abord."),
}

ROLES: dict[Role, Promise] = {
    Role.MEMBER: _("Membre"),
    Role.INSTRUCTOR: _("Animateur"),
    Role.STAFF: _("Équipe"),
    Role.MANAGER: _("Responsable"),
}

WEEKDAYS: tuple[Promise, ...] = (
    _("lundi"),
    _("mardi"),
    _("mercredi"),
    _("jeudi"),
    _("vendredi"),
    _("samedi"),
    _("dimanche"),
)
