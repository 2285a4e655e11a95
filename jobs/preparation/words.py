"""What people read of a preparation."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from jobs.preparation.states import PreparationState

STATE_WORDS: Mapping[PreparationState, str | Promise] = {
    PreparationState.RUNNING: _("On prépare le fichier pour la machine"),
    PreparationState.READY: _("Prêt pour la machine"),
    PreparationState.FAILED: _("À corriger – voici pourquoi"),
    PreparationState.NEEDS_SLICING: _("À préparer par un animateur"),
}
