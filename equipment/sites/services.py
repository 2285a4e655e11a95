"""Hours, closures, roles, and "Je suis là"."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction

from equipment.sites.live import board_changed
from equipment.sites.models import Closure, OpeningHours, PowerCut, Presence, Site, SiteRole
from equipment.sites.queries import Opening, opening_of, people_at, require_role
from equipment.sites.rostering import leave_rota
from equipment.sites.states import ON_DUTY_ROLES, STAFF_ROLES, Role
from fablab.core.clock import FIRST_YEAR, LAST_YEAR, Hours, local_day
from fablab.core.errors import Malformed, NotFound, Problem, Refused
from fablab.live import push
from fablab.people.models import User
from fablab.people.services import unlock_sign_in as people_unlock

MANAGERS = frozenset({Role.MANAGER})
LONGEST_PRESENCE = timedelta(hours=12)  # as long as a sign-in; a site that never closes has no closing time
LONGEST_CLOSURE = timedelta(days=366)
OUTSIDE_HOURS = timedelta(hours=2)  # before the doors open, or tidying up after closing


# --- presence ---------------------------------------------------------------------------------------------


def mark_present(*, person: User, site_id: str, at: datetime) -> Presence:
    """Record that an instructor, staff member or manager is at the site, until it closes or they leave.

    Pressing again while present changes nothing but the end. Outside opening hours it holds for two hours, or to
    the end of the opening that begins in them. Raises ``NotFound``, ``NotAllowed``.
    """
    require_role(person, site_id, ON_DUTY_ROLES)
    site = Site.objects.get(pk=site_id)
    until = presence_end(opening_of(site, at, at + timedelta(days=8)), at)
    with transaction.atomic():
        # The site's row stands for its list of people: two taps at once make one presence.
        Site.objects.select_for_update().get(pk=site_id)
        here = Presence.objects.filter(person=person, site_id=site_id, since__lte=at, until__gt=at).first()
        if here is None:
            here = Presence.objects.create(person=person, site_id=site_id, since=at, until=until)
        elif here.until < until:
            here.until = until
            here.save(update_fields=["until"])
    board_changed(site_id)
    return here


def leave(*, person: User, site_id: str | None, at: datetime) -> int:
    """End the person's presence at a site, or everywhere (sign-out); return how many ended."""
    here = Presence.objects.filter(person=person, since__lte=at, until__gt=at)
    if site_id is not None:
        require_role(person, site_id, list(Role))
        here = here.filter(site_id=site_id)
    with transaction.atomic():
        sites = list(here.values_list("site_id", flat=True))
        here.update(until=at)
    for each in sites:
        board_changed(each)
    return len(sites)


def presence_end(opening: Opening, at: datetime) -> datetime:
    """Return when a presence that begins now ends by itself."""
    spans = opening.spans(at, at + LONGEST_PRESENCE)
    if spans and spans[0].start <= at + OUTSIDE_HOURS:
        return spans[0].end
    return at + OUTSIDE_HOURS


# --- the place --------------------------------------------------------------------------------------------


def make_site(*, name: str, slug: str, time_zone: str, address: str = "", actor: User, at: datetime) -> Site:
    """Make a site without hours. Only whoever runs the installation may; else ``NotFound``."""
    if not actor.is_superuser:
        raise NotFound
    _check_zone(time_zone)
    return Site.objects.create(name=name, slug=slug, time_zone=time_zone, address=address)


def set_hours(*, site_id: str, hours: Iterable[Hours], actor: User, at: datetime) -> list[OpeningHours]:
    """Replace a site's opening hours. Bookings that are now outside them stay: people are told by a person.

    Raises ``NotFound``, ``NotAllowed`` (managers only), ``Malformed``: ``hours_make_no_sense``.
    """
    require_role(actor, site_id, MANAGERS, installation_admin=True)
    given = list(hours)
    wrong = [one for one in given if not _makes_sense(one)]
    if wrong:
        raise Malformed(
            *(
                Problem("hours_make_no_sense", {"weekday": one.weekday, "opens": one.opens}, "hours")
                for one in wrong
            )
        )
    with transaction.atomic():
        OpeningHours.objects.filter(site_id=site_id).delete()
        rows = [
            OpeningHours.objects.create(
                site_id=site_id, weekday=one.weekday, opens=one.opens, closes=one.closes
            )
            for one in given
        ]
    board_changed(site_id)
    return rows


def add_closure(
    *, site_id: str, first_day: date, last_day: date, reason: str = "", actor: User, at: datetime
) -> Closure:
    """Close a site on local days, both ends included; ``equipment.bookings.hit`` also tells the people it hits.

    Raises ``NotFound``, ``NotAllowed`` (staff only), ``Malformed``.
    """
    require_role(actor, site_id, STAFF_ROLES, installation_admin=True)
    problem = closure_problem(Site.objects.get(pk=site_id), first_day, last_day, at)
    if problem is not None:
        raise Malformed(problem)
    closure = Closure.objects.create(
        site_id=site_id, first_day=first_day, last_day=last_day, reason=reason.strip()[:120]
    )
    board_changed(site_id)
    return closure


def closure_problem(site: Site, first_day: date, last_day: date, at: datetime) -> Problem | None:
    """Return what is wrong with days on which somebody wants to close a site."""
    if last_day < first_day:
        return Problem("closure_ends_before_it_begins", field="last_day")
    if not FIRST_YEAR <= first_day.year <= last_day.year <= LAST_YEAR:
        years = {"first": FIRST_YEAR, "last": LAST_YEAR}
        return Problem("series_year_out_of_range", years, "last_day")
    if last_day < local_day(at, site.time_zone):
        return Problem("closure_is_over", field="last_day")
    if last_day - first_day >= LONGEST_CLOSURE:
        return Problem("closure_too_long", {"days": LONGEST_CLOSURE.days}, "last_day")
    return None


def remove_closure(closure_id: int, *, actor: User, at: datetime) -> None:
    """Open again on these days. Raises ``NotFound``, ``NotAllowed``."""
    closure = Closure.objects.filter(pk=closure_id).first()
    if closure is None:
        raise NotFound
    require_role(actor, closure.site_id, STAFF_ROLES, installation_admin=True)
    closure.delete()
    board_changed(closure.site_id)


LONGEST_CUT = timedelta(days=14)


def announce_power_cut(
    *, site_id: str, start: datetime, end: datetime, reason: str = "", actor: User, at: datetime
) -> PowerCut:
    """Announce that a site will be without power; ``equipment.bookings.hit`` also tells the people it hits.

    Raises ``NotFound``, ``NotAllowed`` (staff only), ``Malformed`` with every wrong field.
    """
    require_role(actor, site_id, STAFF_ROLES, installation_admin=True)
    problems = []
    if end <= start:
        problems.append(Problem("cut_ends_before_it_begins", field="end"))
    elif end <= at:
        problems.append(Problem("cut_is_over", field="end"))
    elif end - start > LONGEST_CUT:
        problems.append(Problem("cut_too_long", {"days": LONGEST_CUT.days}, "end"))
    if problems:
        raise Malformed(*problems)
    cut = PowerCut.objects.create(
        site_id=site_id, start=start, end=end, reason=reason.strip()[:120], announced_by=actor
    )
    board_changed(site_id)
    return cut


def cancel_power_cut(cut_id: int, *, actor: User, at: datetime) -> str:
    """Take an announced power cut back; return its site. Raises ``NotFound``, ``NotAllowed``."""
    cut = PowerCut.objects.filter(pk=cut_id).first()
    if cut is None:
        raise NotFound
    require_role(actor, cut.site_id, STAFF_ROLES, installation_admin=True)
    cut.delete()
    board_changed(cut.site_id)
    return cut.site_id


def set_self_approval(*, site_id: str, on: bool, actor: User, at: datetime) -> Site:
    """Let a site's single instructor approve their own jobs, or not (REQUIREMENTS 4.2).

    Raises ``NotFound``, ``NotAllowed`` (managers only), ``Refused``: ``several_instructors``.
    """
    require_role(actor, site_id, MANAGERS, installation_admin=True)
    with transaction.atomic():
        site = Site.objects.select_for_update().get(pk=site_id)
        if on and _several_instructors(site_id):
            raise Refused("several_instructors")
        site.self_approval = on
        site.save(update_fields=["self_approval"])
    return site


LONGEST_GAP_S = 600


def set_start_gap(*, site_id: str, seconds: int, actor: User, at: datetime) -> Site:
    """Say how many seconds lie between two starts of a site's machines, where power is weak; 0: none (REL-22).

    Raises ``NotFound``, ``NotAllowed`` (managers only), ``Malformed``: ``start_gap_out_of_range``.
    """
    require_role(actor, site_id, MANAGERS, installation_admin=True)
    if not 0 <= seconds <= LONGEST_GAP_S:
        raise Malformed(Problem("start_gap_out_of_range", {"most": LONGEST_GAP_S}, "start_gap_s"))
    with transaction.atomic():
        site = Site.objects.select_for_update().get(pk=site_id)
        site.start_gap_s = seconds
        site.save(update_fields=["start_gap_s"])
    return site


# --- roles ------------------------------------------------------------------------------------------------


def grant_role(*, person_id: str, site_id: str, role: Role, actor: User, at: datetime) -> SiteRole:
    """Give a person a role at a site. Managers may; staff may make members (the desk). May be repeated.

    Raises ``NotFound``, ``NotAllowed``.
    """
    require_role(actor, site_id, STAFF_ROLES if role is Role.MEMBER else MANAGERS, installation_admin=True)
    person = User.objects.filter(pk=person_id, is_active=True).first()
    if person is None or not Site.objects.filter(pk=site_id).exists():
        raise NotFound
    with transaction.atomic():
        Site.objects.select_for_update().get(pk=site_id)
        granted, _ = SiteRole.objects.get_or_create(person=person, site_id=site_id, role=role)
        if _several_instructors(site_id):
            # Somebody else can look at one's job now.
            Site.objects.filter(pk=site_id, self_approval=True).update(self_approval=False)
    push.recheck(person.pk)
    return granted


def join(*, person: User, site_id: str, at: datetime) -> SiteRole:
    """Make oneself a member of a site: the labs are open to all. Raises ``NotFound``."""
    if not Site.objects.filter(pk=site_id).exists():
        raise NotFound
    joined, _ = SiteRole.objects.get_or_create(person=person, site_id=site_id, role=Role.MEMBER)
    push.recheck(person.pk)
    return joined


def revoke_role(*, person_id: str, site_id: str, role: Role, actor: User, at: datetime) -> None:
    """Take a role back; presence ends with the last role that allowed it. Not from the site's last manager.

    Raises ``NotFound``, ``NotAllowed``, ``Refused``: ``last_manager``.
    """
    require_role(actor, site_id, MANAGERS, installation_admin=True)
    with transaction.atomic():
        Site.objects.select_for_update().get(pk=site_id)
        held = SiteRole.objects.filter(person_id=person_id, site_id=site_id, role=role).first()
        if held is None:
            raise NotFound
        managers = SiteRole.objects.filter(site_id=site_id, role=Role.MANAGER)
        if role is Role.MANAGER and not managers.exclude(pk=held.pk).exists():
            raise Refused("last_manager")
        held.delete()
        on_duty = SiteRole.objects.filter(person_id=person_id, site_id=site_id, role__in=list(ON_DUTY_ROLES))
        if not on_duty.exists():
            Presence.objects.filter(person_id=person_id, site_id=site_id, until__gt=at).update(until=at)
            leave_rota(person_id, site_id)
    push.recheck(person_id)
    board_changed(site_id)


def unlock_sign_in(*, person_id: str, site_id: str, actor: User, at: datetime) -> bool:
    """Let a person of one's site try their password again at once. Raises ``NotFound``, ``NotAllowed``."""
    require_role(actor, site_id, STAFF_ROLES)
    person = people_at(site_id).filter(pk=person_id).first()
    if person is None:
        raise NotFound
    return people_unlock(person.username)


def _several_instructors(site_id: str) -> bool:
    return SiteRole.objects.filter(site_id=site_id, role=Role.INSTRUCTOR).count() > 1


def _makes_sense(one: Hours) -> bool:
    return 0 <= one.weekday <= 6 and 0 <= one.opens < 1440 and one.opens < one.closes <= 2880


def _check_zone(time_zone: str) -> None:
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise Malformed(Problem("time_zone_unknown", field="time_zone")) from None
