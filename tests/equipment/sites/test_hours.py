"""Opening hours and closures: set by managers, read on the site's own clock."""

from datetime import date, timedelta

import pytest

from equipment.sites.queries import open_until, opening
from equipment.sites.services import add_closure, remove_closure, set_hours
from equipment.sites.states import STAFF_ROLES, Role
from fablab.core.clock import Hours, Span, local_time
from fablab.core.errors import Malformed, NotAllowed, NotFound
from tests.builders import ALWAYS, MONDAY, hours, make_closure, make_person, make_site

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("zone", ["Europe/Paris", "Indian/Mayotte", "America/Martinique"])
def test_hours_are_those_of_the_wall_clock_at_the_site(zone: str) -> None:
    site = make_site(zone=zone)
    for span in opening(site, MONDAY - timedelta(days=1), MONDAY + timedelta(days=2))[1:-1]:
        assert local_time(span.start, zone).hour == 9
        assert local_time(span.end, zone).hour == 18


def test_open_until_is_closing_time_and_none_when_closed() -> None:
    site = make_site()
    assert open_until(site, MONDAY) == MONDAY + hours(8)
    assert open_until(site, MONDAY + hours(8)) is None
    make_closure(site, date(2026, 11, 23))
    assert open_until(site, MONDAY) is None


def test_a_site_open_round_the_clock_is_open_until_a_week_from_now() -> None:
    assert open_until(make_site(opens=ALWAYS), MONDAY) == MONDAY + timedelta(days=7)


def test_a_manager_replaces_the_hours() -> None:
    site = make_site()
    manager = make_person("Nadia", Role.MANAGER, site=site)
    set_hours(site_id=site.pk, hours=[Hours(0, 600, 720), Hours(0, 840, 1080)], actor=manager, at=MONDAY)
    assert opening(site, MONDAY, MONDAY + timedelta(days=1)) == [
        Span(MONDAY, MONDAY + hours(2)),
        Span(MONDAY + hours(4), MONDAY + hours(8)),
    ]


def test_hours_that_end_before_they_begin_are_refused_and_the_old_ones_stay() -> None:
    site = make_site()
    manager = make_person("Nadia", Role.MANAGER, site=site)
    with pytest.raises(Malformed) as refusal:
        set_hours(
            site_id=site.pk,
            hours=[Hours(0, 600, 600), Hours(7, 0, 60), Hours(1, 0, 60)],
            actor=manager,
            at=MONDAY,
        )
    assert refusal.value.codes == ["hours_make_no_sense"] * 2
    assert site.opening_hours.count() == 7


def test_a_closure_closes_and_its_removal_opens_again() -> None:
    site = make_site()
    manager = make_person("Nadia", Role.MANAGER, site=site)
    closure = add_closure(
        site_id=site.pk, first_day=date(2026, 11, 23), last_day=date(2026, 11, 24), actor=manager, at=MONDAY
    )
    assert open_until(site, MONDAY) is None
    remove_closure(closure.pk, actor=manager, at=MONDAY)
    assert open_until(site, MONDAY) == MONDAY + hours(8)
    with pytest.raises(Malformed):
        add_closure(
            site_id=site.pk,
            first_day=date(2026, 11, 24),
            last_day=date(2026, 11, 23),
            actor=manager,
            at=MONDAY,
        )
    with pytest.raises(NotFound):
        remove_closure(closure.pk, actor=manager, at=MONDAY)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("here", [True, False])
def test_managers_of_the_site_set_its_hours_and_its_staff_close_days(role: Role, here: bool) -> None:
    site = make_site()
    actor = make_person("P", role, site=site if here else make_site())
    closure = make_closure(site, date(2026, 12, 24))
    day = date(2026, 12, 25)
    for verb, may in (
        (lambda: set_hours(site_id=site.pk, hours=[], actor=actor, at=MONDAY), {Role.MANAGER}),
        (lambda: remove_closure(closure.pk, actor=actor, at=MONDAY), STAFF_ROLES),
        (
            lambda: add_closure(site_id=site.pk, first_day=day, last_day=day, actor=actor, at=MONDAY),
            STAFF_ROLES,
        ),
    ):
        if here and role in may:
            verb()
        else:
            with pytest.raises(NotAllowed if here else NotFound):
                verb()
    assert site.opening_hours.exists() is not (here and role is Role.MANAGER)
    assert [one.first_day for one in site.closures.all()] == [
        day if here and role in STAFF_ROLES else date(2026, 12, 24)
    ]
