"""The installation's admin. It writes through the same services as every other door, so it cannot break a rule.

Keys are neither shown nor asked; bookings and logs are read only; nothing with a history is deleted.
"""

from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from equipment.bookings.hit import close_site, open_again
from equipment.bookings.models import Booking
from equipment.bookings.unsupervised import revoke_role
from equipment.certifications.models import Certificate
from equipment.certifications.services import grant, revoke
from equipment.machines.models import Machine, MachineKind, MachineModel
from equipment.machines.services import add_machine, change_machine, retire_machine
from equipment.sites.live import board_changed
from equipment.sites.models import Closure, OpeningHours, Site, SiteRole
from equipment.sites.services import LONGEST_GAP_S, grant_role, set_self_approval
from equipment.sites.states import Role
from equipment.sites.words import WEEKDAYS
from fablab.core.errors import DomainError
from fablab.core.words import say, say_problem
from fablab.people.models import User

if TYPE_CHECKING:  # Django's own classes take no parameters when they run
    ModelAdmin = admin.ModelAdmin[Model]
    HoursTable = admin.TabularInline[OpeningHours, Site]
    ClosureTable = admin.TabularInline[Closure, Site]
    HoursBase = forms.ModelForm[OpeningHours]
    SiteBase = forms.ModelForm[Any]
    KindBase = forms.ModelForm[Any]
else:
    ModelAdmin = admin.ModelAdmin
    HoursTable = ClosureTable = admin.TabularInline
    HoursBase = SiteBase = KindBase = forms.ModelForm


def actor_of(request: HttpRequest) -> User:
    """Return who is at work here; the admin lets nobody else come this far."""
    person = request.user
    if not isinstance(person, get_user_model()):
        raise TypeError("the admin without a signed-in person")
    return person


class Kept(ModelAdmin):
    """What a service refuses becomes a sentence on the page. Nothing is deleted from a list in passing."""

    actions: list[str] | None = None  # no bulk deletion

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except DomainError as refusal:
            return self.refused(request, refusal)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except DomainError as refusal:
            return self.refused(request, refusal)

    def refused(self, request: HttpRequest, refusal: DomainError) -> HttpResponse:
        for problem in refusal.problems:
            messages.error(request, say_problem(problem))
        return HttpResponseRedirect(request.get_full_path())

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnly(Kept):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


# --- places -----------------------------------------------------------------------------------------------


class HoursForm(HoursBase):
    weekday = forms.TypedChoiceField(label=_("Jour"), coerce=int, choices=list(enumerate(WEEKDAYS)))

    class Meta:
        model = OpeningHours
        fields = ["weekday", "opens", "closes"]
        labels = {
            "opens": _("Ouvre (minutes depuis minuit)"),
            "closes": _("Ferme (minutes depuis minuit)"),
        }


class HoursInline(HoursTable):
    model = OpeningHours
    form = HoursForm
    extra = 0


class ClosureInline(ClosureTable):
    model = Closure
    extra = 0


class SiteForm(SiteBase):
    class Meta:
        model = Site
        fields = [
            "name",
            "slug",
            "address",
            "time_zone",
            "shelves",
            "self_approval",
            "start_gap_s",
            "cameras_allowed",
        ]
        labels = {
            "name": _("Nom"),
            "slug": _("Nom dans les adresses"),
            "address": _("Adresse"),
            "time_zone": _("Fuseau horaire"),
            "shelves": _("Places des étagères"),
            "self_approval": _("Un seul animateur : il peut accepter ses propres objets"),
            "start_gap_s": _("Secondes entre deux démarrages"),
            "cameras_allowed": _("Images de caméra permises ici (vérifie la loi)"),
        }

    def clean_start_gap_s(self) -> int:
        seconds = int(self.cleaned_data["start_gap_s"])
        if seconds > LONGEST_GAP_S:
            raise ValidationError(say("start_gap_out_of_range", {"most": LONGEST_GAP_S}))
        return seconds

    def clean_time_zone(self) -> str:
        zone = str(self.cleaned_data["time_zone"])
        if zone not in available_timezones():
            raise ValidationError(_("Ce fuseau horaire n’existe pas."))
        return zone


@admin.register(Site)
class SiteAdmin(Kept):
    form = SiteForm
    inlines = [HoursInline, ClosureInline]
    list_display = ["name", "time_zone"]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        wanted, obj.self_approval = obj.self_approval, bool(form.initial.get("self_approval"))
        super().save_model(request, obj, form, change)
        if wanted != obj.self_approval:
            set_self_approval(site_id=obj.pk, on=wanted, actor=actor_of(request), at=timezone.now())
            obj.self_approval = wanted

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Whom closed days hit is told of them, also when they are closed from here."""
        if formset.model is not Closure:
            super().save_formset(request, form, formset, change)
            return
        formset.save(commit=False)
        actor, at = actor_of(request), timezone.now()
        for gone in (*formset.deleted_objects, *(one for one, _fields in formset.changed_objects)):
            open_again(gone.pk, actor=actor, at=at)
        for one in (*formset.new_objects, *(one for one, _fields in formset.changed_objects)):
            close_site(
                site_id=form.instance.pk,
                first_day=one.first_day,
                last_day=one.last_day,
                reason=one.reason,
                actor=actor,
                at=at,
            )

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        board_changed(form.instance.pk)


@admin.register(SiteRole)
class SiteRoleAdmin(Kept):
    fields = ["person", "site", "role"]
    list_display = ["person", "site", "role"]
    list_filter = ["site", "role"]
    list_select_related = ["person", "site"]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return ModelAdmin.has_delete_permission(self, request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        granted = grant_role(
            person_id=obj.person_id,
            site_id=obj.site_id,
            role=Role(obj.role),
            actor=actor_of(request),
            at=timezone.now(),
        )
        obj.pk = granted.pk

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        revoke_role(
            person_id=obj.person_id,
            site_id=obj.site_id,
            role=Role(obj.role),
            actor=actor_of(request),
            at=timezone.now(),
        )


# --- machines ---------------------------------------------------------------------------------------------


class KindForm(KindBase):
    class Meta:
        model = MachineKind
        fields = [
            "slug",
            "names",
            "icon",
            "takes_files",
            "needs_plate",
            "remote_start",
            "needs_certificate",
            "needs_instructor",
            "buffer_minutes",
            "notice_minutes",
            "horizon_days",
            "min_minutes",
            "max_minutes",
            "grid_minutes",
            "weekly_minutes",
            "open_bookings",
        ]
        labels = {
            "slug": _("Nom dans les adresses"),
            "names": _('Noms, par langue : {"fr": "…", "en": "…", "ar": "…"}'),
            "icon": _("Dessin"),
            "takes_files": _("Prend des fichiers"),
            "needs_plate": _("A un plateau à vider"),
            "remote_start": _("Peut être lancée d’ici (jamais un laser ou une presse)"),
            "needs_certificate": _("Demande une habilitation"),
            "needs_instructor": _("Seulement quand un animateur est là"),
            "buffer_minutes": _("Minutes libres après chaque réservation"),
            "notice_minutes": _("Réserver au moins tant de minutes avant"),
            "horizon_days": _("Réserver au plus tant de jours avant"),
            "min_minutes": _("Réservation la plus courte, en minutes"),
            "max_minutes": _("Réservation la plus longue, en minutes"),
            "grid_minutes": _("Horaires proposés toutes les tant de minutes"),
            "weekly_minutes": _("Minutes par personne et par semaine (vide : sans limite)"),
            "open_bookings": _("Réservations à venir par personne (vide : sans limite)"),
        }

    def clean_names(self) -> dict[str, str]:
        names = self.cleaned_data["names"]
        if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
            raise ValidationError(_("Un nom par langue."))
        if not names.get("fr"):
            raise ValidationError(_("Il manque le nom en français."))
        return names

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        shortest, longest = cleaned.get("min_minutes"), cleaned.get("max_minutes")
        if shortest is not None and longest is not None and not 0 < shortest <= longest:
            self.add_error("max_minutes", _("La plus courte dépasse la plus longue."))
        if cleaned.get("grid_minutes") == 0:
            self.add_error("grid_minutes", _("Au moins une minute."))
        week = cleaned.get("weekly_minutes")
        if week is not None and shortest is not None and week < shortest:
            self.add_error("weekly_minutes", _("Moins que la réservation la plus courte."))
        return cleaned


@admin.register(MachineKind)
class MachineKindAdmin(Kept):
    form = KindForm
    list_display = ["__str__", "slug", "needs_certificate"]


@admin.register(MachineModel)
class MachineModelAdmin(Kept):
    fields = ["kind", "name", "limits", "formats", "prepares", "materials", "qualities"]
    list_display = ["name", "kind"]
    list_select_related = ["kind"]


@admin.register(Machine)
class MachineAdmin(Kept):
    fields = [
        "site",
        "model",
        "name",
        "driver",
        "address",
        "plate",
        "report",
        "seen_at",
        "out_of_order_reason",
    ]
    list_display = ["name", "site", "model", "driver", "seen_at"]
    list_filter = ["site", "driver"]
    list_select_related = ["site", "model"]
    actions = ["retire"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(retired_at__isnull=True)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        heard = ["plate", "report", "seen_at", "out_of_order_reason"]
        return heard if obj is None else ["site", *heard]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        actor, at = actor_of(request), timezone.now()
        if change:
            saved = change_machine(
                obj.pk,
                name=obj.name,
                model_id=obj.model_id,
                driver=obj.driver,
                address=obj.address,
                actor=actor,
                at=at,
            )
        else:
            saved = add_machine(
                site_id=obj.site_id,
                model_id=obj.model_id,
                name=obj.name,
                driver=obj.driver,
                address=obj.address,
                actor=actor,
                at=at,
            )
        obj.pk = saved.pk

    @admin.action(description=_("Retirer du service pour de bon"))
    def retire(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for machine in queryset:
            try:
                retire_machine(machine.pk, actor=actor_of(request), at=timezone.now())
            except DomainError as refusal:
                self.refused(request, refusal)


# --- rights and bookings ----------------------------------------------------------------------------------


@admin.register(Certificate)
class CertificateAdmin(Kept):
    fields = ["person", "kind", "site", "until", "may_send_machine_files"]
    list_display = ["person", "kind", "site", "until", "revoked_at", "granted_by"]
    list_filter = ["site", "kind"]
    list_select_related = ["person", "kind", "site", "granted_by"]
    actions = ["take_back"]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        # To see them and to choose some for "take back"; a single one is granted anew, never altered.
        return obj is None and ModelAdmin.has_change_permission(self, request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        saved = grant(
            person_id=obj.person_id,
            kind_id=obj.kind_id,
            site_id=obj.site_id,
            until=obj.until,
            may_send_machine_files=obj.may_send_machine_files,
            actor=actor_of(request),
            at=timezone.now(),
        )
        obj.pk = saved.pk

    @admin.action(description=_("Retirer ces habilitations"))
    def take_back(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for certificate in queryset:
            try:
                revoke(certificate.pk, actor=actor_of(request), at=timezone.now())
            except DomainError as refusal:
                self.refused(request, refusal)


@admin.register(Booking)
class BookingAdmin(ReadOnly):
    fields = ["code", "machine", "person", "start", "end", "state", "overrides", "created_by", "created_at"]
    list_display = ["code", "machine", "person", "start", "end", "state"]
    list_filter = ["state", "machine__site"]
    list_select_related = ["machine", "person"]
    date_hierarchy = "start"
