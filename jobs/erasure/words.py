"""What people read when an erasure cannot be now."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SENTENCES: dict[str, str | Promise] = {
    "last_manager_here": _("Tu es seul responsable à {site}. Nommes-en un autre d’abord."),
}
