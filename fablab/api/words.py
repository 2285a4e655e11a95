"""Sentences for what is wrong with a request as such."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SENTENCES: Mapping[str, str | Promise] = {
    "field_required": _("Il manque « {field} »."),
    "field_invalid": _("« {field} » n’a pas la bonne forme."),
    "field_too_long": _("« {field} » est trop long : au plus {most} signes."),
    "field_twice": _("« {field} » est donné deux fois."),
    "out_of_range": _("« {field} » doit être entre {least} et {most}."),
    "time_zone_missing": _("Il manque le fuseau horaire de « {field} »."),
    "json_invalid": _("On n’arrive pas à lire la demande."),
    "not_signed_in": _("Connecte-toi d’abord."),
    "token_invalid": _("Cette clé d’accès n’est pas valable."),
    "token_reads_only": _("Cette clé d’accès permet seulement de lire."),
    "csrf_failed": _("Recharge la page, puis recommence."),
    "method_not_allowed": _("On ne peut pas faire ça à cette adresse."),
    "media_type_not_supported": _("On ne prend pas ce type de demande."),
    "too_often": _("Trop de demandes. Attends {seconds} s."),
    "cursor_invalid": _("Cette suite de liste n’existe plus. Recommence au début."),
    "idempotency_key_invalid": _("La clé de répétition n’est pas valable."),
    "idempotency_key_reused": _("Cette clé de répétition a déjà servi pour autre chose."),
    "still_working": _("C’est peut-être déjà fait. Regarde, puis recommence."),
    "busy": _("Le fab lab est très occupé. Recommence dans un instant."),
    "server_error": _("Une erreur est arrivée. L’équipe est prévenue."),
    "no_machine_file": _("Cet objet n’a pas encore de fichier pour la machine."),
    "no_picture": _("Ce fichier n’a pas d’image."),
}
