"""What people read about bookings. The sentences of the rules stand in REQUIREMENTS 1.3, word for word."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from equipment.bookings.states import BookingState
from fablab.core.errors import Problem
from fablab.core.words import say_problem

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
    # series, and what makes way for them
    "slot_kept": _("Quelqu’un y est ou l’attend : ça ne s’annule pas."),
    "series_by_staff": _("Seul un animateur réserve une série."),
    "series_without_machine": _("Choisis au moins une machine."),
    "series_one_place": _("Choisis des machines d’un seul lieu."),
    "unknown_person": _("Choisis une personne de la liste."),
    "series_too_far": _("Au plus {days} jours à l’avance."),
    "series_without_date": _("Aucune date ne tombe dans ces jours."),
    "series_day_out_of_range": _("Choisis un autre jour de la même semaine."),
    "series_choice_unknown": _("Ce choix n’existe pas : {choice}."),
    "series_nothing_left": _("Il ne reste aucune date."),
    "series_day_missing": _("Choisis un jour."),
    "series_hour_missing": _("Choisis une heure."),
    "series_over": _("Cette série est finie."),
    "series_changed_meanwhile": _("La série vient de changer. Regarde-la encore."),
    "undo_over": _("Trop tard : ce créneau est rendu."),
    "extension_unknown": _("Choisis 15, 30 ou 60 minutes."),
    "code_unknown": _("Aucune réservation d’ici n’a ce code maintenant."),
    "not_an_absence": _("Cette réservation n’a pas été rendue."),
    "absences_by_staff": _("Seul un animateur peut excuser."),
    "waiting_for_free_time": _("C’est libre : tu peux réserver tout de suite."),
    "waiting_too_often": _("Tu attends déjà {most} créneaux."),
    "waiting_does_not_fit": _("Cette durée ne tient pas dans ce temps."),
    "waiting_span_too_long": _("Choisis un mois au plus."),
    "offer_over": _("Ce créneau n’est plus gardé pour toi."),
    # a table of bookings
    "import_file_missing": _("Choisis d’abord un fichier."),
    "import_too_large": _("Au plus {most_mb} Mo."),
    "import_not_utf8": _("Enregistre le fichier en CSV, UTF-8."),
    "import_not_csv": _("La ligne {line} ne se lit pas. Enregistre en CSV."),
    "import_empty": _("Le fichier est vide."),
    "import_too_many_rows": _("Au plus {most} lignes ; il y en a {rows}."),
    "import_columns_missing": _("Il manque des colonnes : {what}."),
    "import_columns_unknown": _("Des colonnes sont en trop : {what}."),
    "import_cells": _("Il manque des cases, ou il y en a trop."),
    "import_cell_empty": _("Une case est vide : {what}."),
    "import_time": _("Écris l’heure comme 2026-11-24 14:00 : {what}."),
    "import_machine_unknown": _("Machine inconnue ici : {what}."),
    "import_machine_twice": _("Plusieurs machines ont ce nom : {what}."),
    "import_person_unknown": _("Personne inconnue ici : {what}."),
    "import_person_ticket": _("Avec un ticket, on ne réserve pas : {what}."),
    "import_twice": _("La même ligne vient deux fois."),
    "import_overlaps": _("Une autre ligne du fichier prend cette heure."),
    # messages to people
    "booking_released": _("Créneau rendu : {machine}, {when}. Tu peux réserver à nouveau."),
    "waiting_offer": _("{machine} est libre : {when}. Réponds avant {until}."),
    "booking_gave_way": _("{machine}, {when} : annulé, le lab en a besoin."),
    "booking_gave_way_1": _("{machine}, {when} : annulé, le lab en a besoin. Libre : {first}."),
    "booking_gave_way_2": _("{machine}, {when} : annulé, le lab en a besoin. Libre : {first} ; {second}."),
    "booking_gave_way_3": _(
        "{machine}, {when} : annulé, le lab en a besoin. Libre : {first} ; {second} ; {third}."
    ),
    "series_changed": _("Tes heures changent dès {when} ({machine})."),
    "series_ended": _("Tes heures s’arrêtent dès {when} ({machine})."),
    "booking_power_cut": _("Coupure de courant : {machine}, {when}. Choisis une autre heure."),
    "booking_power_stays": _("La coupure est annulée : {machine}, {when}."),
    "booking_out_of_order": _("{machine} est en panne. Ta réservation : {when}."),
    "booking_outage": _("{machine} sera arrêtée. Ta réservation : {when}."),
    "booking_closed": _("Fermé ce jour-là : {machine}, {when}. Choisis une autre heure."),
    "booking_open_again": _("C’est ouvert finalement : {machine}, {when}."),
    "booking_unsupervised": _("Pas d’animateur : {machine}, {when}. Choisis une autre heure."),
    "booking_supervised_again": _("Un animateur sera là : {machine}, {when}."),
    "booking_expected_back": _("{machine} devrait remarcher avant ta réservation : {when}."),
    "booking_machine_back": _("{machine} marche de nouveau. Ta réservation : {when}."),
}

LINES_SHOWN = 20  # of a table, for each thing that is wrong

# What is read of a conflict where no other times stand beside it.
IN_THE_WAY: dict[str, Promise] = {"slot_taken": _("Déjà réservé.")}


def say_conflict(problem: Problem) -> str:
    """Return what stands in the way of one date among many."""
    said = IN_THE_WAY.get(problem.code)
    return say_problem(problem) if said is None else str(said)


def say_found(problem: Problem) -> str:
    """Return what is wrong with a table, with the lines: ``Lignes 2, 5 : ...``."""
    lines = problem.params.get("lines", ())
    said = say_conflict(problem)
    if not lines:
        return said
    shown = ", ".join(str(line) for line in lines[:LINES_SHOWN]) + (" …" if len(lines) > LINES_SHOWN else "")
    return ngettext("Ligne {lines} : {said}", "Lignes {lines} : {said}", len(lines)).format(
        lines=shown, said=said
    )


STATES: dict[BookingState, Promise] = {
    BookingState.HELD: _("Gardé pour toi"),
    BookingState.CONFIRMED: _("Réservé"),
    BookingState.IN_USE: _("En cours"),
    BookingState.DONE: _("Fini"),
    BookingState.CANCELLED: _("Annulé"),
    BookingState.NO_SHOW: _("Créneau rendu"),
}

# What people read of a booking for which somebody set a rule aside.
SET_ASIDE: dict[str, Promise] = {
    "machine_out_of_order": _("Malgré la panne"),
    "site_closed": _("En dehors des horaires"),
    "in_the_past": _("Noté après coup"),
    "too_soon": _("Au dernier moment"),
    "too_far": _("Longtemps à l’avance"),
    "too_long": _("Plus long que d’habitude"),
    "not_certified": _("Accompagné"),
    "person_busy": _("Deux réservations à la fois"),
    "quota_used": _("En plus des heures de la semaine"),
    "paused_after_no_shows": _("Malgré les absences"),
}
