"""Where power is weak: how far apart the machines of a place start, and who says so."""

import pytest

from equipment.sites import services
from equipment.sites.models import Site
from equipment.sites.states import Role
from fablab.core.errors import Malformed, NotAllowed, NotFound
from tests.builders import MONDAY, make_person, make_site

pytestmark = pytest.mark.django_db


def set_gap(site: Site, seconds: int, role: Role = Role.MANAGER, where: Site | None = None) -> Site:
    actor = make_person(f"p{seconds}", role, site=where or site)
    return services.set_start_gap(site_id=site.pk, seconds=seconds, actor=actor, at=MONDAY)


@pytest.mark.parametrize("seconds", [0, 20, 600])
def test_a_manager_sets_it(seconds: int) -> None:
    site = make_site()
    set_gap(site, seconds)
    site.refresh_from_db()
    assert site.start_gap_s == seconds


@pytest.mark.parametrize("seconds", [-1, 601])
def test_what_makes_no_sense_is_refused(seconds: int) -> None:
    with pytest.raises(Malformed) as refused:
        set_gap(make_site(), seconds)
    assert refused.value.codes == ["start_gap_out_of_range"]


@pytest.mark.parametrize("role", [Role.MEMBER, Role.INSTRUCTOR, Role.STAFF])
def test_nobody_else_does(role: Role) -> None:
    with pytest.raises(NotAllowed):
        set_gap(make_site(), 20, role)


def test_a_manager_of_another_place_does_not_see_this_one() -> None:
    with pytest.raises(NotFound):
        set_gap(make_site(), 20, where=make_site("Metz"))
