"""Two machines, an instructor who makes series of them, and how their dates read."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from equipment.bookings.models import Booking, Series
from equipment.bookings.series import make_series
from equipment.bookings.series_wish import Wish
from equipment.bookings.states import BookingState
from equipment.machines.models import Machine
from equipment.sites.models import Site
from equipment.sites.states import Role
from fablab.core.recurring import Weekly
from fablab.people.models import User
from tests.builders import (
    MONDAY,
    make_kind,
    make_machine,
    make_person,
    make_site,
)

PARIS = ZoneInfo("Europe/Paris")
TUESDAY = date(2026, 11, 24)


class Lab:
    """Two machines of one kind, an instructor who makes series, a member."""

    def __init__(self, **kind: Any) -> None:
        self.site: Site = make_site("Saint-Ouen")
        self.kind = make_kind(**kind)
        self.one = make_machine(self.site, "Brodeuse", kind=self.kind)
        self.two = make_machine(self.site, "Découpe", model=self.one.model)
        self.teacher: User = make_person("Nadia", Role.INSTRUCTOR, site=self.site)
        self.member: User = make_person("Léa", site=self.site)

    def weekly(self, weeks: int = 4, **more: Any) -> Weekly:
        """Tuesdays from 14:00 to 16:00."""
        asked: dict[str, Any] = {
            "weekdays": frozenset({1}), "starts": 14 * 60, "ends": 16 * 60, "first": TUESDAY,
            "last": TUESDAY + timedelta(weeks=weeks - 1), **more,
        }  # fmt: skip
        return Weekly(**asked)

    def wish(self, *machines: Machine, rule: Weekly | None = None, **more: Any) -> Wish:
        chosen = [machine.pk for machine in machines or (self.one,)]
        return Wish(chosen, rule or self.weekly(), **{"title": "Atelier broderie", **more})

    def make(self, *machines: Machine, **more: Any) -> Series:
        return make_series(self.wish(*machines, **more), actor=self.teacher, at=MONDAY).series


def local(booking: Booking) -> str:
    return f"{booking.start.astimezone(PARIS):%d.%m %H:%M}-{booking.end.astimezone(PARIS):%H:%M}"


def times(series: Series, *, state: BookingState = BookingState.CONFIRMED) -> list[str]:
    return [local(one) for one in series.bookings.filter(state=state).order_by("start", "machine__name")]


def at_local(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=PARIS).astimezone(UTC)
