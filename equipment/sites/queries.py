"""Reads about places: who sees them, who may do what there, who is there, when they are open."""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Q, QuerySet

from equipment.sites.models import Closure, OpeningHours, PowerCut, Presence, Site, SiteRole
from equipment.sites.states import ON_DUTY_ROLES, Role
from fablab.core.clock import Closed, Hours, Span, closing_after, local_day, opening_spans
from fablab.core.errors import NotAllowed, NotFound, Problem
from fablab.core.prepared import Prepared
from fablab.people.models import User


@dataclass(frozen=True)
class Opening:
    """A site's hours, closures and announced power cuts, read once, asked often.

    While the power is cut a place counts as closed: nothing is booked then, and nothing started that would run into it.
    """

    zone: str
    hours: tuple[Hours, ...]
    closures: tuple[Closed, ...]
    cuts: tuple[Span, ...] = ()

    def spans(self, from_: datetime, to: datetime) -> list[Span]:
        return opening_spans(self.hours, self.closures, self.zone, from_, to, self.cuts)

    def closing(self, at: datetime) -> datetime | None:
        """Return when the site closes that is open now; None when it is closed."""
        return closing_after(self.hours, self.closures, self.zone, at, self.cuts)


def visible_sites(viewer: User) -> QuerySet[Site]:
    """Return the sites where this person holds any role."""
    return Site.objects.filter(pk__in=SiteRole.objects.filter(person=viewer).values("site_id"))


def site_for(viewer: User, site_id: str) -> Site:
    """Return a site with its hours and closures. Raises ``NotFound`` when unknown or not visible."""
    found = visible_sites(viewer).filter(pk=site_id).prefetch_related("opening_hours", "closures").first()
    if found is None:
        raise NotFound
    return found


def all_site_ids() -> list[str]:
    """Return the ids of every site of this installation. Asks nobody who is looking: for the system itself."""
    return list(Site.objects.order_by("pk").values_list("pk", flat=True))


def roles_of(person: User, site_id: str) -> frozenset[Role]:
    """Return the roles that a person holds at a site."""
    return frozenset(Role(role) for (role,) in _ROLES(person.pk, site_id))


_ROLES = Prepared(
    lambda person_id, site_id: SiteRole.objects.filter(person_id=person_id, site_id=site_id).values_list(
        "role"
    )
)


def roles_by_site(person: User) -> dict[str, frozenset[Role]]:
    """Return all roles of a person, by site id, in one query."""
    found: dict[str, set[Role]] = {}
    for site_id, role in SiteRole.objects.filter(person=person).values_list("site_id", "role"):
        found.setdefault(site_id, set()).add(Role(role))
    return {site_id: frozenset(roles) for site_id, roles in found.items()}


def site_ids_with_role(person: User, roles: Iterable[Role]) -> set[str]:
    """Return the ids of the sites where the person holds one of ``roles``."""
    return set(SiteRole.objects.filter(person=person, role__in=list(roles)).values_list("site_id", flat=True))


def rights_of(person_ids: Sequence[str]) -> Mapping[str, Hashable]:
    """Return, for each of many people, something that changes whenever their roles do. One query."""
    found: dict[str, set[tuple[str, str]]] = {person_id: set() for person_id in person_ids}
    rows = SiteRole.objects.filter(person_id__in=person_ids).values_list("person_id", "site_id", "role")
    for person_id, site_id, role in rows:
        found[person_id].add((site_id, role))
    return {person_id: frozenset(roles) for person_id, roles in found.items()}


def require_role(
    actor: User, site_id: str, roles: Collection[Role], *, installation_admin: bool = False
) -> frozenset[Role]:
    """Return the actor's roles at a site when one of them is among ``roles``.

    Raises ``NotFound`` when the actor has no role there at all, ``NotAllowed`` when none of them is enough.
    ``installation_admin``: whoever runs the installation may too (the first manager must come from somewhere).
    """
    held = roles_of(actor, site_id)
    if held & frozenset(roles) or (installation_admin and actor.is_superuser):
        return held
    if not held:
        raise NotFound
    raise NotAllowed(Problem("not_allowed", {"needs": sorted(roles)}))


def people_at(site_id: str) -> QuerySet[User]:
    """Return everybody who holds a role at a site, by name. For its staff: the caller asks who may see it."""
    return User.objects.filter(
        pk__in=SiteRole.objects.filter(site_id=site_id).values("person_id"), is_active=True
    ).order_by("display_name", "pk")


# --- who is there -----------------------------------------------------------------------------------------


def is_on_site(person: User, site_id: str, at: datetime) -> bool:
    """Say whether this person said "Je suis là" and still holds a role for it (SEC-22)."""
    return present_people(site_id, at).filter(pk=person.pk).exists()


def presence_of(person: User, site_id: str, at: datetime) -> Presence | None:
    """Return the person's "Je suis là" at the site that holds now, with its end."""
    return Presence.objects.filter(person=person, site_id=site_id, since__lte=at, until__gt=at).first()


def present_people(site_id: str, at: datetime) -> QuerySet[User]:
    """Return instructors and staff who are at the site now, by name."""
    here = Presence.objects.filter(site_id=site_id, since__lte=at, until__gt=at)
    duty = SiteRole.objects.filter(site_id=site_id, role__in=list(ON_DUTY_ROLES))
    return (
        User.objects.filter(pk__in=here.values("person_id"), is_active=True)
        .filter(pk__in=duty.values("person_id"))
        .order_by("display_name", "pk")
    )


# --- hours ------------------------------------------------------------------------------------------------


def openings(sites: Iterable[Site], first: date, last: date) -> dict[str, Opening]:
    """Return hours, closures and power cuts of many sites in three queries, by site id, for these local days."""
    zones = {site.pk: site.time_zone for site in sites}
    hours: dict[str, list[Hours]] = {site_id: [] for site_id in zones}
    closures: dict[str, list[Closed]] = {site_id: [] for site_id in zones}
    site_ids = list(zones)
    for site_id, weekday, opens, closes in _HOURS(site_ids):
        hours[site_id].append(Hours(weekday, opens, closes))
    # Two days before and after: hours reach past midnight, and local days differ from UTC's.
    for site_id, first_day, last_day in _CLOSURES(
        site_ids, first - timedelta(days=3), last + timedelta(days=3)
    ):
        closures[site_id].append(Closed(first_day, last_day))
    cuts: dict[str, list[Span]] = {site_id: [] for site_id in zones}
    begins, ends = (datetime.combine(day, time(), UTC) for day in (first, last))
    for site_id, start, end in _CUTS(site_ids, begins - timedelta(days=3), ends + timedelta(days=10)):
        cuts[site_id].append(Span(start, end))
    return {
        site_id: Opening(zone, tuple(hours[site_id]), tuple(closures[site_id]), tuple(cuts[site_id]))
        for site_id, zone in zones.items()
    }


_HOURS = Prepared(
    lambda site_ids: OpeningHours.objects.filter(site_id__in=site_ids).values_list(
        "site_id", "weekday", "opens", "closes"
    )
)
_CLOSURES = Prepared(
    lambda site_ids, first, last: Closure.objects.filter(
        site_id__in=site_ids, last_day__gte=first, first_day__lte=last
    ).values_list("site_id", "first_day", "last_day")
)
_CUTS = Prepared(
    lambda site_ids, begins, ends: PowerCut.objects.filter(
        site_id__in=site_ids, end__gt=begins, start__lt=ends
    ).values_list("site_id", "start", "end")
)


def closures_to_come(site: Site, at: datetime) -> list[Closure]:
    """Return the closed days of a site that are not over on its own calendar, the next ones first."""
    today = local_day(at, site.time_zone)
    return list(Closure.objects.filter(site=site, last_day__gte=today).order_by("first_day", "pk"))


def closure_for(viewer: User, closure_id: str) -> Closure:
    """Return closed days of one of the person's sites. Raises ``NotFound``."""
    if not (closure_id.isascii() and closure_id.isdigit() and len(closure_id) < 19):
        raise NotFound  # no number of ours
    rows = Closure.objects.filter(pk=int(closure_id), site__in=visible_sites(viewer)).select_related("site")
    found = rows.first()
    if found is None:
        raise NotFound
    return found


def power_cuts_to_come(site_id: str, at: datetime) -> list[PowerCut]:
    """Return the announced power cuts of a site that are not over, the next one first."""
    return list(PowerCut.objects.filter(site_id=site_id, end__gt=at).order_by("start"))


def power_cut_now(site_id: str, at: datetime) -> PowerCut | None:
    """Return the announced power cut that lasts at this moment, if one does."""
    return PowerCut.objects.filter(site_id=site_id, start__lte=at, end__gt=at).order_by("end").last()


def without_power(site_ids: Iterable[str], at: datetime) -> frozenset[str]:
    """Return those of these sites at which an announced power cut lasts at this moment. One query."""
    cuts = PowerCut.objects.filter(site_id__in=set(site_ids), start__lte=at, end__gt=at)
    return frozenset(cuts.values_list("site_id", flat=True))


def cuts_turned(since: datetime, until: datetime) -> frozenset[str]:
    """Return the sites at which an announced power cut began or ended after ``since``, up to ``until``."""
    begun, over = Q(start__gt=since, start__lte=until), Q(end__gt=since, end__lte=until)
    return frozenset(PowerCut.objects.filter(begun | over).values_list("site_id", flat=True))


def power_cut_for(viewer: User, cut_id: str) -> PowerCut:
    """Return an announced power cut of one of the person's sites. Raises ``NotFound``."""
    if not (cut_id.isascii() and cut_id.isdigit() and len(cut_id) < 19):
        raise NotFound  # no number of ours
    found = PowerCut.objects.filter(pk=int(cut_id), site__in=visible_sites(viewer)).first()
    if found is None:
        raise NotFound
    return found


def power_cut_between(site_id: str, start: datetime, end: datetime) -> bool:
    """Say whether a power cut is announced for a part of this time."""
    return bool(_CUTS([site_id], start, end))


def opening_of(site: Site, from_: datetime, to: datetime) -> Opening:
    """Return one site's hours and closures around ``[from_, to)``, for several questions."""
    return openings([site], local_day(from_, site.time_zone), local_day(to, site.time_zone))[site.pk]


def opening(site: Site, from_: datetime, to: datetime) -> list[Span]:
    """Return when the site is open within ``[from_, to)``, in UTC."""
    return opening_of(site, from_, to).spans(from_, to)


def open_until(site: Site, at: datetime) -> datetime | None:
    """Return when the site closes that is open now (at most seven days ahead); None when it is closed."""
    return opening_of(site, at, at + timedelta(days=8)).closing(at)
