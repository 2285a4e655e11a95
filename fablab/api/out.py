"""The answers' fields, for the schema. The values come from ``shapes`` and the small functions beside the views."""

import functools
from typing import Any

from rest_framework import serializers as s

from equipment.bookings.states import BookingState
from equipment.machines.guide import PLATE_WORDS
from equipment.machines.maintenance import What
from equipment.machines.states import Condition, Driver, Plate, Report
from equipment.sites.states import Role
from fablab.people.states import Level
from jobs.inspection.findings import Severity
from jobs.lifecycle.states import OrderState, Source, State, Verb
from jobs.preparation.states import PreparationState
from jobs.uploads.states import Origin, UploadState


class Out(s.Serializer[Any]):
    """An answer: every field is always there."""


def one_of(words: Any, **kwargs: Any) -> s.ChoiceField:
    return s.ChoiceField(choices=[(str(word), getattr(word, "name", str(word))) for word in words], **kwargs)


def maybe(field: type[s.Field[Any, Any, Any, Any]], **kwargs: Any) -> Any:
    return field(allow_null=True, **kwargs)


@functools.cache
def page_of(row: type[Out]) -> type[Out]:
    """Return the form of a list of such rows."""
    fields = {
        "next": maybe(s.URLField),
        "previous": maybe(s.URLField),
        "results": row(many=True),
    }
    return type(f"{row.__name__.removesuffix('Out')}PageOut", (Out,), fields)


class NamedOut(Out):
    id = s.CharField()
    name = s.CharField()


class FindingOut(Out):
    code = s.CharField()
    severity = one_of(Severity)
    detail = s.CharField(help_text="A sentence in the caller's language.")
    params = s.DictField()


# --- people and places --------------------------------------------------------------------------------------------


class RolesOut(Out):
    site = NamedOut()
    roles = s.ListField(child=one_of(Role))
    present = s.BooleanField()


class KindNameOut(Out):
    id = s.CharField()
    slug = s.CharField()
    name = s.CharField()
    icon = s.CharField()


class CertificateOut(Out):
    id = s.CharField()
    kind = KindNameOut()
    site = NamedOut()
    until = maybe(s.DateField)
    may_send_machine_files = s.BooleanField()


class QuotasOut(Out):
    upload_bytes = s.IntegerField(help_text="Largest file in bytes.")


class MeOut(Out):
    id = s.CharField()
    username = s.CharField()
    display_name = s.CharField()
    language = s.CharField()
    level = one_of(Level)
    roles = RolesOut(many=True)
    certificates = CertificateOut(many=True)
    quotas = QuotasOut()


class TokenMadeOut(Out):
    id = s.CharField()
    token = s.CharField(help_text="Shown this once.")


class TokenOut(Out):
    id = s.CharField()
    name = s.CharField()
    scope = one_of(["all", "read"])
    created_at = s.DateTimeField()
    expires_at = maybe(s.DateTimeField)
    last_used_at = maybe(s.DateTimeField)


class HoursOut(Out):
    weekday = s.IntegerField(help_text="Monday is 0.")
    opens = s.RegexField(r"^\d\d:\d\d$", help_text="On the site's clock.")
    closes = s.RegexField(r"^\d\d:\d\d$", help_text="26:00 is two in the morning of the next day.")


class ClosureOut(Out):
    first_day = s.DateField()
    last_day = s.DateField(help_text="Included.")
    reason = s.CharField()


class SiteOut(Out):
    id = s.CharField()
    slug = s.CharField()
    name = s.CharField()
    address = s.CharField()
    time_zone = s.CharField()
    open_until = maybe(s.DateTimeField, help_text="Null: closed now.")
    hours = HoursOut(many=True)
    closures = ClosureOut(many=True)


class PresenceOut(Out):
    present = s.BooleanField()
    until = maybe(s.DateTimeField)


# --- machines and bookings ----------------------------------------------------------------------------------------


class MachineModelOut(Out):
    id = s.CharField()
    name = s.CharField()
    kind = KindNameOut()
    working_area_mm = s.ListField(child=s.FloatField(), help_text="Width, depth, height; empty when unknown.")
    materials = s.ListField(child=s.CharField())
    qualities = s.ListField(child=s.CharField())
    formats = s.ListField(child=s.CharField(), help_text="What the machine takes as it is.")
    prepares = s.ListField(child=s.CharField(), help_text="What is made ready for it here.")


class ProgressOut(Out):
    percent = maybe(s.FloatField)
    minutes_left = maybe(s.IntegerField)
    estimated = s.BooleanField()
    at = maybe(s.DateTimeField)


class OrderOut(Out):
    verb = one_of(Verb)
    state = one_of(OrderState)
    expires_at = s.DateTimeField()
    outcome = maybe(s.CharField)


class CurrentJobOut(Out):
    id = s.CharField()
    number = s.IntegerField()
    title = s.CharField()
    owner = s.CharField()
    state = one_of(State)


class NeedsHelpOut(Out):
    why = s.CharField(help_text='"fault_told": anybody before the machine may have said so.')
    since = s.DateTimeField()


class MachineOut(Out):
    """What is not required is shown to instructors and staff of the site only."""

    id = s.CharField()
    name = s.CharField()
    site = s.CharField()
    kind = KindNameOut()
    model = NamedOut()
    driver = one_of(Driver)
    state = one_of(Condition)
    plate = one_of(Plate)
    no_power = s.BooleanField(help_text="An announced power cut lasts at its site: nothing there is free.")
    plate_number = s.IntegerField()
    needs_plate = s.BooleanField()
    plate_word = s.ChoiceField(PLATE_WORDS, help_text="What must be empty before the next object.")
    seen_at = maybe(s.DateTimeField)
    next_free = maybe(s.DateTimeField)
    out_of_order_reason = maybe(s.CharField)
    progress = maybe(ProgressOut)
    material = maybe(s.CharField, help_text="In it now; null: nobody knows.")
    nozzle_mm = maybe(s.FloatField, help_text="Null: the model's own.")
    frame = maybe(s.CharField, help_text="In it now; null: nobody knows.")
    auto_start = s.BooleanField(required=False)
    may_overrun = s.BooleanField(required=False)
    report = one_of(Report, required=False)
    trouble = maybe(s.CharField, required=False)
    address = maybe(s.CharField, required=False)
    has_key = s.BooleanField(required=False)
    plate_cleared_at = maybe(s.DateTimeField, required=False)
    temperatures = s.DictField(required=False)
    current_job = maybe(CurrentJobOut, required=False)
    current_jobs = CurrentJobOut(many=True, required=False)
    orders = OrderOut(many=True, required=False)
    unsure = maybe(s.CharField, required=False)
    needs_help = maybe(NeedsHelpOut, required=False)
    in_use = s.BooleanField(required=False, help_text="By hand or by somebody who checked in.")


class MaintenanceLineOut(Out):
    what = one_of(What)
    note = s.CharField()
    by = maybe(NamedOut)
    at = s.DateTimeField()
    used_hours = s.FloatField(help_text="Of work, until then.")


class MaintenanceOut(Out):
    used_hours = s.FloatField()
    since_hours = s.FloatField(help_text="Of work since the last line of the log.")
    every_hours = maybe(s.IntegerField, help_text="Null: it never asks.")
    due = s.BooleanField()
    lines = MaintenanceLineOut(many=True, help_text="The newest first, at most 50.")


class ConnectionTestOut(Out):
    ok = s.BooleanField()
    code = s.CharField()
    detail = s.CharField()
    version = s.CharField()


class SpanOut(Out):
    start = s.DateTimeField()
    end = s.DateTimeField()


class BookingOut(Out):
    id = s.CharField()
    code = s.CharField(help_text="Six characters to read aloud.")
    machine = NamedOut()
    site = s.CharField()
    person = NamedOut()
    start = s.DateTimeField()
    end = s.DateTimeField()
    state = one_of(BookingState)
    title = s.CharField(help_text="Of a group's time, a workshop; else empty.")
    series = maybe(s.CharField, help_text="The series that it is a date of.")


# --- files and jobs -----------------------------------------------------------------------------------------------


class MaterialOut(Out):
    grams = maybe(s.FloatField)
    metres = maybe(s.FloatField)
    kind = maybe(s.CharField)


class ReportOut(Out):
    format = s.CharField()
    size_mm = maybe(s.ListField, child=s.FloatField(), help_text="Width, depth, height.")
    minutes = maybe(s.FloatField, help_text="Null: no estimate.")
    material = maybe(MaterialOut)
    findings = FindingOut(many=True)
    thumbnail = maybe(s.CharField, help_text="The address of the picture.")


class ArrivingOut(Out):
    id = s.CharField()
    name = s.CharField()
    size = s.IntegerField()
    offset = s.IntegerField(help_text="How many bytes are there.")


class UploadOut(Out):
    id = s.CharField()
    name = s.CharField()
    sha256 = s.CharField()
    size = s.IntegerField()
    origin = one_of(Origin)
    state = one_of(UploadState)
    created_at = s.DateTimeField()
    report = maybe(ReportOut)


class JobMachineOut(NamedOut):
    plate = one_of(Plate)
    plate_number = s.IntegerField()
    needs_plate = s.BooleanField()
    plate_word = s.ChoiceField(PLATE_WORDS, help_text="What must be empty before the next object.")
    out_of_order = s.BooleanField()
    linked = s.BooleanField()


class JobUploadOut(NamedOut):
    state = one_of(UploadState)


class PreparationOut(Out):
    state = one_of(["none", *PreparationState])
    report = maybe(s.DictField)
    tool = maybe(s.CharField, required=False)


class WaitingForOut(Out):
    code = s.CharField()
    detail = s.CharField()
    params = s.DictField(required=False)


class AttemptOut(Out):
    id = s.CharField()
    number = s.IntegerField()
    machine = NamedOut()
    claimed_at = s.DateTimeField()
    loaded_at = maybe(s.DateTimeField)
    started_at = maybe(s.DateTimeField)
    ended_at = maybe(s.DateTimeField)
    outcome = maybe(s.CharField)


class SampleOut(Out):
    at = s.DateTimeField()
    percent = maybe(s.FloatField)
    seconds_left = maybe(s.IntegerField)
    temperatures = s.DictField(
        help_text="By heater: actual and target in degrees Celsius, null: nobody said."
    )


class SamplesOut(Out):
    attempt = AttemptOut()
    samples = SampleOut(many=True, help_text="In the order of time, at most 400: what is longer is thinned.")


class JobOut(Out):
    id = s.CharField()
    number = s.IntegerField()
    title = s.CharField()
    owner = NamedOut()
    site = s.CharField()
    state = one_of(State)
    state_at = s.DateTimeField()
    unsure = s.BooleanField(help_text='Nobody knows: read "On vérifie la machine".')
    reason = maybe(s.CharField)
    machine = maybe(JobMachineOut)
    machine_model = NamedOut()
    booking = maybe(s.CharField)
    settings = s.DictField()
    note = s.CharField()
    upload = JobUploadOut()
    preparation = PreparationOut()
    findings = FindingOut(many=True)
    progress = ProgressOut()
    place = maybe(s.IntegerField)
    expected_start = maybe(s.DateTimeField)
    planned_machine = maybe(NamedOut, help_text="Where it would go as things stand.")
    waiting_for = WaitingForOut(many=True)
    shelf = maybe(s.CharField)
    attempts = AttemptOut(many=True)
    orders = OrderOut(many=True)
    version = s.IntegerField()
    created_at = s.DateTimeField()
    actions = s.ListField(child=s.CharField(), help_text="What the caller may do now.")


class JobOrderedOut(JobOut):
    order = OrderOut()


class NextOut(Out):
    job = JobOut()
    waiting_for = WaitingForOut(many=True, help_text="Why not now; empty: it may be taken.")


class ForeignPrintOut(Out):
    """What a machine makes that did not come through the queue."""

    id = s.CharField()
    machine = NamedOut()
    began_at = s.DateTimeField()
    ended_at = maybe(s.DateTimeField)
    outcome = maybe(s.CharField)
    person = maybe(s.CharField, help_text='Who said "C\'est moi".')


class EventOut(Out):
    version = s.IntegerField()
    action = s.CharField()
    actor = maybe(NamedOut)
    source = one_of(Source)  # type: ignore[assignment]  # a field of ours, taken off by the metaclass
    at = s.DateTimeField()
    details = s.DictField()

    def get_fields(self) -> dict[str, s.Field]:  # type: ignore[type-arg]  # any field
        """Add the two states: "from" is a word of Python's own and cannot be declared."""
        return {**super().get_fields(), "from": s.CharField(), "to": s.CharField()}


class QueueRowOut(Out):
    """Members see numbers and times; instructors and staff of the site see the whole job."""

    number = s.IntegerField()
    state = one_of(State)
    machine_model = NamedOut()
    place = s.IntegerField()
    expected_start = maybe(s.DateTimeField)
    planned_machine = maybe(NamedOut)
    waiting_for = WaitingForOut(many=True)
