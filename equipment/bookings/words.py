"""What people read about bookings. The sentences of the rules stand in REQUIREMENTS 1.3, word for word."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from equipment.bookings.states import BookingState

SENTENCES: dict[str, str | Promise] = {
    "machine_out_of_order": _("La machine est en panne à cette heure."),
    "site_closed": _("Le fab lab est fermé à cette heure."),
    "in_the_past": _("Cette heure est passée."),
    "too_soon": _("Réserve au moins {duration} avant."),
    "too_far": _("Au plus {days} jours avant."),
    "off_grid": _("Choisis un horaire de la liste."),
    "too_short": _("Au moins {duration}."),
    "too_long": _("Au plus {duration}."),
    "not_certified": _("Il te faut d’abord la formation « {kind} »."),
    "needs_supervision": _("Il faut un animateur à cette heure."),
    "person_busy": _("Tu as déjà une réservation à cette heure."),
    "quota_used": _("Tu as utilisé tes heures de la semaine."),
    "paused_after_no_shows": _("Pour réserver, passe voir un animateur."),
    "number_expected": _("Écris un nombre entier."),
    "term_out_of_range": _("De {least} à {most}."),
    "terms_clash": _("Impossible avec les autres règles de {machine}."),
    "no_shows_out_of_range": _("0 pour jamais, sinon de {least} à {most}."),
    "workshop_by_staff": _("Seul un animateur réserve pour un atelier."),
    "slot_taken": _("Quelqu’un vient de prendre ce créneau. En voici 3 autres."),
    "end_before_start": _("La fin vient après le début."),
    "time_without_zone": _("Donne l’heure avec son fuseau horaire."),
    "override_unknown": _("La règle {code} n’existe pas."),
    "override_without_reason": _("Écris pourquoi tu passes outre."),
    "booking_for_others": _("Seul un animateur réserve pour quelqu’un d’autre."),
    "ticket_cannot_book": _("Pour réserver, demande une carte à l’accueil."),
    "slot_missing": _("Choisis d’abord un créneau."),
    "booking_over": _("Cette réservation est finie."),
    "booking_not_begun": _("Cette réservation n’a pas commencé."),
    # messages to people
    "booking_power_cut": _("Coupure de courant : {machine}, {when}. Choisis une autre heure."),
    "booking_power_stays": _("La coupure est annulée : {machine}, {when}."),
    "booking_out_of_order": _("{machine} est en panne. Ta réservation : {when}."),
    "booking_machine_back": _("{machine} marche de nouveau. Ta réservation : {when}."),
}

STATES: dict[BookingState, Promise] = {
    BookingState.HELD: _("Gardé pour toi"),
    BookingState.CONFIRMED: _("Réservé"),
    BookingState.IN_USE: _("En cours"),
    BookingState.DONE: _("Fini"),
    BookingState.CANCELLED: _("Annulé"),
    BookingState.NO_SHOW: _("Créneau rendu"),
}
