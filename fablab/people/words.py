"""What people read about signing in."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SENTENCES: dict[str, str | Promise] = {
    "sign_in_failed": _("Le nom ou le mot de passe ne va pas."),
    "sign_in_locked": _("Trop d’essais. Attends {minutes} min, ou demande à l’accueil."),
    "username_taken": _("Ce nom est déjà pris. Choisis-en un autre."),
    "username_invalid": _("Pour le nom : petites lettres, chiffres, point, tiret."),
    "display_name_missing": _("Choisis un prénom ou un pseudonyme."),
    "display_name_too_long": _("Choisis un nom plus court."),
    "password_weak": _("Choisis un mot de passe plus long et moins courant."),
    "password_wrong": _("Ce n’est pas ton mot de passe."),
    "expiry_in_the_past": _("Choisis une date de fin dans le futur."),
    "token_name_too_long": _("Choisis un nom plus court."),
    "scope_unknown": _("Choisis « tout » ou « lecture seule »."),
}
