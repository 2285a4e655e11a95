"""On what terms a machine is booked: what its kind says, unless its place or the machine itself says else. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum


class Source(StrEnum):
    """Who set a term. The nearest to the machine wins."""

    KIND = "kind"
    SITE = "site"  # the kind at one place
    MACHINE = "machine"


@dataclass(frozen=True)
class Terms:
    """Lengths in minutes, the horizon in local days. None: without limit."""

    buffer_minutes: int = 0  # kept free after each booking
    notice_minutes: int = 0
    horizon_days: int = 14
    min_minutes: int = 30
    max_minutes: int = 120
    grid_minutes: int = 30  # bookings begin on it, counted from local midnight
    weekly_minutes: int | None = None  # of one person, on this kind at this place, from Monday to Sunday
    open_bookings: int | None = None  # to come, of one person, likewise

    def fitted(self, minutes: int) -> int:
        """Return the length nearest to a wished one that these terms allow."""
        return min(max(minutes, self.min_minutes), self.max_minutes)


NAMES: tuple[str, ...] = tuple(one.name for one in fields(Terms))
UNLIMITED = 0  # how a place says "without limit" where its kind has one
MAY_BE_UNLIMITED = frozenset({"weekly_minutes", "open_bookings"})
# What can be said of each: least and most.
RANGES: Mapping[str, tuple[int, int]] = {
    "buffer_minutes": (0, 24 * 60),
    "notice_minutes": (0, 14 * 24 * 60),
    "horizon_days": (0, 366),
    "min_minutes": (5, 24 * 60),
    "max_minutes": (5, 7 * 24 * 60),
    "grid_minutes": (5, 24 * 60),
    "weekly_minutes": (5, 7 * 24 * 60),
    "open_bookings": (1, 100),
}


def resolve(
    kind: Mapping[str, int | None], site: Mapping[str, int | None], machine: Mapping[str, int | None]
) -> tuple[Terms, dict[str, Source]]:
    """Lay what the place and the machine say over what the kind says; return the terms and who set each.

    None, or no entry, leaves a term as it is.
    """
    found: dict[str, int | None] = {name: kind.get(name) for name in NAMES}
    sources = dict.fromkeys(NAMES, Source.KIND)
    for source, said in ((Source.SITE, site), (Source.MACHINE, machine)):
        for name in NAMES:
            value = said.get(name)
            if value is not None:
                found[name], sources[name] = value, source
    values = {
        name: None if name in MAY_BE_UNLIMITED and value == UNLIMITED else value
        for name, value in found.items()
    }
    return Terms(**values), sources  # type: ignore[arg-type]  # names are the fields'; a kind has every other one


def problems_of(terms: Terms) -> list[str]:
    """Return the names of terms that cannot hold together; empty when all is well."""
    wrong = []
    if terms.grid_minutes < 1:
        wrong.append("grid_minutes")
    if terms.min_minutes < 1:
        wrong.append("min_minutes")
    if terms.max_minutes < terms.min_minutes:
        wrong.append("max_minutes")
    if terms.weekly_minutes is not None and terms.weekly_minutes < terms.min_minutes:
        wrong.append("weekly_minutes")
    return wrong
