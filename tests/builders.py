"""Things to test with. Each builder takes only what the test is about; everything else is plain and valid.

Times: ``MONDAY`` is a Monday at 10:00 in Paris, inside the opening hours of every built site.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from equipment.bookings.models import Booking
from equipment.bookings.states import BookingState
from equipment.certifications.models import Certificate
from equipment.machines.models import Machine, MachineKind, MachineModel
from equipment.machines.states import Driver, Plate, Report
from equipment.sites.models import Closure, OpeningHours, Presence, Site, SiteRole
from equipment.sites.states import Role
from fablab.core.ids import new_id
from fablab.core.sealed import seal
from fablab.people.models import User

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # 10:00 in Paris
DAILY = ((9 * 60, 18 * 60),)
ALWAYS = ((0, 1440),)
PASSWORD = "un long mot de passe"

_numbers = count(1)


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def make_site(
    name: str | None = None,
    *,
    zone: str = "Europe/Paris",
    opens: Iterable[tuple[int, int]] = DAILY,
    weekdays: Iterable[int] = range(7),
    **fields: Any,
) -> Site:
    """Make a site that is open from 9:00 to 18:00 each day on its own clock. ``opens``: minutes of the day."""
    number = next(_numbers)
    site = Site.objects.create(name=name or f"Lieu {number}", slug=f"lieu-{number}", time_zone=zone, **fields)
    spans = list(opens)
    OpeningHours.objects.bulk_create(
        OpeningHours(site=site, weekday=weekday, opens=first, closes=last)
        for weekday in weekdays
        for first, last in spans
    )
    return site


def make_closure(site: Site, first_day: date, last_day: date | None = None) -> Closure:
    return Closure.objects.create(site=site, first_day=first_day, last_day=last_day or first_day)


def make_person(
    name: str | None = None,
    *roles: Role,
    site: Site | None = None,
    password: str | None = None,
    **fields: Any,
) -> User:
    """Make a person, with roles at a site (member when none is named). Without a password nobody can sign in."""
    number = next(_numbers)
    username = f"{(name or 'personne').lower()}-{number}"
    person = User(username=username, display_name=name or f"Personne {number}", **fields)
    if password is None:
        person.set_unusable_password()
    else:
        person.set_password(password)
    person.save()
    if site is not None:
        for role in roles or (Role.MEMBER,):
            SiteRole.objects.create(person=person, site=site, role=role)
    return person


def make_present(
    person: User, site: Site, *, at: datetime = MONDAY, until: datetime | None = None
) -> Presence:
    """Have somebody be at the site from an hour before ``at`` on, for the day."""
    return Presence.objects.create(
        person=person, site=site, since=at - hours(1), until=until or at + hours(8)
    )


def make_kind(slug: str | None = None, **fields: Any) -> MachineKind:
    """Make a kind that asks for no certificate and has no buffer, notice or grid to stumble over: 30 min to 2 h."""
    slug = slug or f"type-{next(_numbers)}"
    fields = {"names": {"fr": slug}, "needs_certificate": False, **fields}
    return MachineKind.objects.create(slug=slug, **fields)


def make_model(kind: MachineKind | None = None, **fields: Any) -> MachineModel:
    fields = {"name": f"Modèle {next(_numbers)}", "formats": ["gcode"], "prepares": ["stl"], **fields}
    return MachineModel.objects.create(kind=kind or make_kind(), **fields)


def make_machine(
    site: Site | None = None,
    name: str | None = None,
    *,
    kind: MachineKind | None = None,
    model: MachineModel | None = None,
    key: str = "",
    **fields: Any,
) -> Machine:
    """Make a machine without a link whose plate is to be cleared."""
    return Machine.objects.create(
        site=site or make_site(),
        model=model or make_model(kind),
        name=name or f"Machine {next(_numbers)}",
        sealed_key=seal(key),
        **fields,
    )


def make_linked_machine(
    site: Site | None = None, name: str | None = None, *, at: datetime = MONDAY, **fields: Any
) -> Machine:
    """Make an OctoPrint machine that was heard a moment ago, is ready, and whose plate is clear."""
    fields = {
        "driver": Driver.OCTOPRINT,
        "address": f"http://10.0.0.{next(_numbers) % 250 + 1}:5000",
        "key": "a-key-for-tests",
        "report": Report.READY,
        "report_since": at,
        "seen_at": at,
        "plate": Plate.CLEAR,
        "plate_token": new_id(),
        **fields,
    }
    return make_machine(site, name, **fields)


def certify(
    person: User, machine_or_kind: Machine | MachineKind, site: Site | None = None, **fields: Any
) -> Certificate:
    """Certify a person for a machine's kind at its site, or for a kind at ``site``."""
    machine = machine_or_kind if isinstance(machine_or_kind, Machine) else None
    kind = machine_or_kind if isinstance(machine_or_kind, MachineKind) else machine_or_kind.model.kind
    place = site or (machine.site if machine else None)
    assert place is not None, "a certificate holds at a site: name it"
    fields = {"granted_at": MONDAY - timedelta(days=30), **fields}
    return Certificate.objects.create(person=person, kind=kind, site=place, **fields)


def make_booking(
    machine: Machine | None = None,
    person: User | None = None,
    *,
    start: datetime = MONDAY,
    minutes: int = 60,
    end: datetime | None = None,
    state: BookingState = BookingState.CONFIRMED,
    **fields: Any,
) -> Booking:
    """Make a booking as the service would have left it; no rule is asked, the database's guard is."""
    machine = machine or make_machine()
    end = end or start + timedelta(minutes=minutes)
    fields = {
        "held_start": start,
        "held_end": end + timedelta(minutes=machine.model.kind.buffer_minutes),
        "created_at": start - timedelta(days=1),
        **fields,
    }
    return Booking.objects.create(
        machine=machine,
        person=person or make_person(site=machine.site),
        start=start,
        end=end,
        state=state,
        **fields,
    )
