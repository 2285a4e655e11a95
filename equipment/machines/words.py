"""What people read about machines: states, refusals, and why a connection does not work."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from equipment.machines.states import Condition
from fablab.core.words import say

CONDITIONS: dict[Condition, Promise] = {
    Condition.FREE: _("Libre"),
    Condition.BUSY: _("Occupée"),
    Condition.BUSY_ELSEWHERE: _("Occupée hors file"),
    Condition.NEEDS_CLEARING: _("À vider"),
    Condition.NEEDS_HELP: _("Besoin d’aide"),
    Condition.OUT_OF_ORDER: _("En panne"),
    Condition.UNREACHABLE: _("On vérifie la machine – un animateur regarde"),
}

# By the kind's own word (``guide.PLATE_WORDS``): what must be empty before the next object.
EMPTY: dict[str, Promise] = {
    "plate": _("Plateau vide"),
    "hoop": _("Cadre vide"),
    "mat": _("Tapis vide"),
}
TO_EMPTY: dict[str, Promise] = {
    "plate": _("Plateau à vider"),
    "hoop": _("Cadre à vider"),
    "mat": _("Tapis à vider"),
}

# Why a connection does not work: the codes of ``equipment.drivers.base.Code`` and our own.
CONNECTION: dict[str, Promise] = {
    "ok": _("La connexion marche."),
    "no_link": _("Cette machine n’a pas de connexion."),
    "not_supported": _("Cette machine ne sait pas faire cela."),
    "key_unreadable": _("La clé ne peut plus être lue. Redonne-la."),
    "address_forbidden": _("Cette adresse n’est pas autorisée ici."),
    "address_invalid": _("Cette adresse ne va pas avec cette connexion."),
    "name_unknown": _("Personne ne connaît ce nom sur le réseau."),
    "no_route": _("Aucun chemin ne mène à cette adresse. Vérifie le réseau."),
    "folder_missing": _("Ce dossier n’est pas là. Le partage est-il monté ?"),
    "folder_unreadable": _("Nous n’avons pas le droit de lire ce dossier."),
    "folder_read_only": _("Nous n’avons pas le droit d’écrire dans ce dossier."),
    "connection_refused": _("Un ordinateur est là, mais rien n’y répond. Vérifie le port."),
    "certificate_refused": _("Le certificat de sécurité de cette adresse n’est pas bon."),
    "timed_out": _("Personne ne répond. La machine est-elle allumée ?"),
    "redirected": _("Cette adresse renvoie ailleurs. Donne l’adresse finale."),
    "not_octoprint": _("Quelque chose répond, mais ce n’est pas OctoPrint."),
    "bad_key": _("OctoPrint refuse cette clé."),
    "not_allowed": _("La clé marche, mais il manque des droits : {missing}."),
    "answer_lost": _("La ligne s’est coupée. Essaie encore."),
    "answer_too_large": _("La réponse est trop grande pour un OctoPrint."),
    "answer_unreadable": _("La réponse ne se lit pas."),
    "server_failed": _("OctoPrint a un problème (réponse {status})."),
    "printer_disconnected": _("OctoPrint répond, mais l’imprimante n’y est pas connectée."),
    "busy": _("La machine travaille."),
    "not_printing": _("La machine ne travaille pas."),
    "file_missing": _("Le fichier n’est plus sur la machine."),
    "file_differs": _("Le fichier sur la machine n’est pas le bon."),
    "storage_refused": _("La machine refuse le fichier."),
    "key_refused": _("La demande de clé a été refusée ou oubliée."),
    "key_request_expired": _("Personne n’a répondu à temps. Demande encore."),
    "too_many_requests": _("Trop de demandes. Attends une minute."),
}

# What was done to keep a machine well: the codes of ``equipment.machines.maintenance.What``.
MAINTENANCE: dict[str, Promise] = {
    "cleaning": _("Nettoyage"),
    "nozzle": _("Buse changée"),
    "belt": _("Courroie retendue"),
    "needle": _("Aiguille changée"),
    "blade": _("Lame changée"),
    "oil": _("Huile ou graisse"),
    "other": _("Autre entretien"),
}

SENTENCES: dict[str, str | Promise] = {
    "maintenance_what_unknown": _("Choisis ce que tu as fait."),
    "note_too_long": _("Écris plus court."),
    "interval_out_of_range": _("Choisis entre 1 et {most} heures."),
    "cameras_not_allowed": _("Les images de caméra ne sont pas permises ici."),
    "camera_address_invalid": _("Écris l’adresse ainsi : http://192.168.1.20/image.jpg"),
    "material_not_of_model": _("Cette machine prend : {choices}."),
    "nozzle_not_here": _("Cette machine n’a pas de buse à changer."),
    "nozzle_out_of_range": _("Une buse fait entre {least} et {most} mm."),
    "frame_not_of_kind": _("Choisis un cadre de la liste."),
    "never_started_from_here": _("{kind} : quelqu’un la lance toujours à la main."),
    "not_started_by_line": _("Sa connexion ne permet pas de la lancer d’ici."),
    "machine_name_taken": _("Une machine porte déjà ce nom ici."),
    "machine_name_missing": _("Donne un nom à la machine."),
    "machine_model_unknown": _("Choisis un modèle de la liste."),
    "driver_unknown": _("Choisis une connexion de la liste."),
    "address_missing": _("Donne l’adresse de la machine."),
    "address_without_link": _("Une machine sans connexion n’a pas d’adresse."),
    "machine_has_bookings": _("Il reste {count} réservations. Annule-les d’abord."),
    "driver_starts_from_afar": _(
        "Cette connexion lance dès qu’elle envoie. Cette machine se lance seulement sur place : "
        "choisis un dossier ou « à la main »."
    ),
    "key_without_link": _("Une machine sans connexion n’a pas de clé."),
    "key_not_taken": _("Cette connexion ne prend pas de clé."),
    "key_unusable": _("Cette clé contient des signes interdits."),
    "reason_too_long": _("Écris plus court."),
    "already_out_of_order": _("La machine est déjà en panne."),
    "not_out_of_order": _("La machine est déjà en service."),
    "outage_ends_before_it_begins": _("La fin de l’arrêt vient après le début."),
    "outage_is_over": _("Cette heure est déjà passée."),
    "outage_too_long": _("Au plus {days} jours à la fois."),
    "outage_not_earlier": _("Choisis une heure avant la fin prévue."),
    "outage_has_end": _("Cet arrêt a déjà une fin."),
    "outage_over": _("Cet arrêt est déjà fini."),
    "photo_too_large": _("Au plus {most} Mo pour une photo."),
    "photo_unreadable": _("Cette photo ne se lit pas. Essaie en JPEG ou PNG."),
    "photo_missing": _("Choisis une photo."),
    "machine_speaks_itself": _("{machine} dit elle-même ce qu’elle fait."),
    "nothing_foreign": _("{machine} ne fait rien hors file."),
    "already_adopted": _("Quelqu’un a déjà dit « C’est moi »."),
    "foreign_print_ended": _("Sur {machine}, ça ne tourne plus. Va voir."),
    # messages
    "help_coming": _("{person} arrive."),
    "no_key_request": _("Aucune demande de clé n’attend. Demande encore."),
    # In a form there is more to say: what would do.
    "address_forbidden": _("Cette adresse est hors des réseaux autorisés : {allowed}."),
    "folder_forbidden": _("Ce dossier est hors des dossiers autorisés : {allowed}."),
    "address_invalid": _("Écris l’adresse ainsi : {example}"),
    **{f"connection_{code}": sentence for code, sentence in CONNECTION.items()},
}

IN_A_FORM = frozenset({"address_forbidden", "folder_forbidden", "address_invalid"})


def said_of_test(code: str, params: Mapping[str, Any]) -> str:
    """Return the sentence for what came of trying a connection: ``connection.ConnectionTest``."""
    return say(code if code in IN_A_FORM else f"connection_{code}", params)
