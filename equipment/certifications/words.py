"""What people read about certificates."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SENTENCES: dict[str, str | Promise] = {
    "certificate_already_ended": _("Cette habilitation est déjà retirée."),
    "until_in_the_past": _("Choisis un jour à venir."),
}
