"""People in the installation's admin: who they are, never how they sign in."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from fablab.live import push
from fablab.people.models import User

if TYPE_CHECKING:  # Django's own class takes no parameter when it runs
    ModelAdmin = admin.ModelAdmin[User]
else:
    ModelAdmin = admin.ModelAdmin


@admin.register(User)
class UserAdmin(ModelAdmin):
    fields = ["username", "display_name", "level", "age_band", "language", "is_active", "is_staff"]
    readonly_fields = ["username", "level"]
    list_display = ["username", "display_name", "level", "is_active", "is_staff"]
    search_fields = ["username", "display_name"]
    actions: list[str] | None = None  # no bulk deletion

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # accounts come from registering, the desk, or the create_manager command

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False  # erasing a person is more than deleting a row

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return (obj is None or obj.erased_at is None) and super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        changed = {name: form.cleaned_data[name] for name in form.changed_data}
        # Nothing else is written: a form that was read before an erasure brings nothing of the person back after it.
        rows = User.objects.filter(pk=obj.pk, erased_at__isnull=True)
        if changed and not rows.update(**changed):
            raise PermissionDenied
        push.recheck(obj.pk)  # who was deactivated is signed out everywhere
