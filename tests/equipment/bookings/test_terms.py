"""On what terms a machine is booked: its kind's, unless its place or the machine itself says otherwise."""

from typing import Any

import pytest

from equipment.bookings.agreeing import set_day_rules, set_terms
from equipment.bookings.facts import terms_of, terms_with_sources
from equipment.bookings.finding import next_offers
from equipment.bookings.models import BookingTerms
from equipment.bookings.services import book
from equipment.bookings.terms import NAMES, Source, Terms, problems_of, resolve
from equipment.machines.models import MachineEvent
from equipment.sites.models import Site
from equipment.sites.states import Role
from fablab.core.errors import Malformed, NotAllowed, NotFound, Refused
from tests.builders import MONDAY, hours, make_kind, make_machine, make_person, make_site, minutes

KIND = {name: getattr(Terms(), name) for name in NAMES}


def test_the_nearest_to_the_machine_wins_and_zero_takes_a_limit_away() -> None:
    terms, sources = resolve(
        {**KIND, "weekly_minutes": 240, "open_bookings": 3},
        {"max_minutes": 180, "weekly_minutes": 0},
        {"max_minutes": 60, "buffer_minutes": 0},
    )
    assert terms == Terms(max_minutes=60, weekly_minutes=None, open_bookings=3)
    assert (sources["max_minutes"], sources["weekly_minutes"], sources["buffer_minutes"]) == (
        Source.MACHINE,
        Source.SITE,
        Source.MACHINE,
    )
    assert sources["open_bookings"] is Source.KIND


@pytest.mark.parametrize(
    ("terms", "wrong"),
    [
        (Terms(), []),
        (Terms(min_minutes=60, max_minutes=30), ["max_minutes"]),
        (Terms(grid_minutes=0, min_minutes=0), ["grid_minutes", "min_minutes"]),
        (Terms(weekly_minutes=20), ["weekly_minutes"]),
    ],
)
def test_terms_that_cannot_hold_together_are_named(terms: Terms, wrong: list[str]) -> None:
    assert problems_of(terms) == wrong


@pytest.mark.django_db
def test_what_staff_say_of_a_kind_and_of_one_machine_holds_at_their_place_alone() -> None:
    kind = make_kind(max_minutes=120, weekly_minutes=120)
    here, elsewhere = make_site(), make_site()
    usual, special = make_machine(here, kind=kind), make_machine(here, kind=kind)
    other = make_machine(elsewhere, kind=kind)
    staff = make_person("S", Role.STAFF, site=here)
    set_terms(
        site_id=here.pk, kind_id=kind.pk, said={"max_minutes": 240, "weekly_minutes": 0},
        actor=staff, at=MONDAY,
    )  # fmt: skip
    set_terms(
        site_id=here.pk, kind_id=kind.pk, machine_id=special.pk,
        said={"max_minutes": 60, "buffer_minutes": 15, "grid_minutes": 20}, actor=staff, at=MONDAY,
    )  # fmt: skip
    known = terms_with_sources([usual, special, other])
    assert [known[one.pk][0].max_minutes for one in (usual, special, other)] == [240, 60, 120]
    assert [known[one.pk][0].weekly_minutes for one in (usual, special, other)] == [None, None, 120]
    assert known[special.pk][1]["max_minutes"] is Source.MACHINE
    assert MachineEvent.objects.filter(machine=special, action="booking_terms").count() == 2
    # Rules, offers and what is held all follow.
    person = make_person(site=here)
    with pytest.raises(Refused) as refused:
        book(
            person=person, machine_id=special.pk, start=MONDAY + minutes(50), end=MONDAY + hours(3),
            actor=person, at=MONDAY,
        )  # fmt: skip
    assert refused.value.codes == ["off_grid", "too_long"]
    offers = next_offers([special], 60, at=MONDAY, most=2)
    assert [offer.start for offer in offers] == [MONDAY, MONDAY + minutes(20)]
    assert next_offers([special], 90, at=MONDAY) == []
    booked = book(
        person=person, machine_id=special.pk, start=MONDAY + minutes(20), end=MONDAY + minutes(80),
        actor=person, at=MONDAY,
    )  # fmt: skip
    assert booked.held_end == booked.end + minutes(15)
    # What is said is taken back by saying nothing.
    set_terms(site_id=here.pk, kind_id=kind.pk, machine_id=special.pk, said={}, actor=staff, at=MONDAY)
    assert terms_of([special]) == {special.pk: known[usual.pk][0]}


@pytest.mark.django_db
def test_every_problem_is_told_at_once_with_the_machine_on_which_it_would_be_and_nothing_is_written() -> None:
    kind = make_kind()
    machine, narrow = make_machine(kind=kind), None
    site = machine.site
    narrow = make_machine(site, "Étroite", kind=kind)
    staff = make_person("S", Role.MANAGER, site=site)

    def refused(said: dict[str, int | None], machine_id: str | None = None) -> list[tuple[str, Any]]:
        with pytest.raises(Malformed) as error:
            set_terms(
                site_id=site.pk, kind_id=kind.pk, machine_id=machine_id, said=said, actor=staff, at=MONDAY
            )
        return [(problem.code, problem.field) for problem in error.value.problems]

    assert refused({"max_minutes": 0, "grid_minutes": 1, "horizon_days": 400, "weekly_minutes": 1}) == [
        ("term_out_of_range", "horizon_days"),
        ("term_out_of_range", "max_minutes"),
        ("term_out_of_range", "grid_minutes"),
        ("term_out_of_range", "weekly_minutes"),
    ]
    assert not BookingTerms.objects.exists()
    set_terms(
        site_id=site.pk, kind_id=kind.pk, machine_id=narrow.pk, said={"max_minutes": 40},
        actor=staff, at=MONDAY,
    )  # fmt: skip
    # Fine for the place, and impossible with what that one machine says.
    assert refused({"min_minutes": 60}) == [("terms_clash", "max_minutes")]
    assert not BookingTerms.objects.filter(machine__isnull=True).exists()


@pytest.mark.django_db
@pytest.mark.parametrize("role", list(Role))
def test_staff_and_managers_of_the_place_set_terms_and_nobody_else(role: Role) -> None:
    machine = make_machine()
    asked = {"site_id": machine.site_id, "kind_id": machine.model.kind_id, "said": {}, "at": MONDAY}
    with pytest.raises(NotFound):
        set_terms(actor=make_person("E", role, site=make_site()), **asked)  # type: ignore[arg-type]  # one call for all
    actor = make_person("P", role, site=machine.site)
    if role in {Role.STAFF, Role.MANAGER}:
        set_terms(actor=actor, **asked)  # type: ignore[arg-type]  # likewise
    else:
        with pytest.raises(NotAllowed):
            set_terms(actor=actor, **asked)  # type: ignore[arg-type]  # likewise


@pytest.mark.django_db
def test_a_place_says_how_long_it_waits_and_never_asks_to_talk_before_the_third_time() -> None:
    site = make_site()
    staff = make_person("S", Role.STAFF, site=site)
    set_day_rules(
        site_id=site.pk, said={"grace_minutes": 20, "hold_minutes": 15, "no_shows_before_pause": 0},
        actor=staff, at=MONDAY,
    )  # fmt: skip
    kept = Site.objects.get(pk=site.pk)
    assert (kept.grace_minutes, kept.hold_minutes, kept.no_shows_before_pause) == (20, 15, 0)
    with pytest.raises(Malformed) as error:
        set_day_rules(
            site_id=site.pk, said={"grace_minutes": 0, "hold_minutes": 9999, "no_shows_before_pause": 2},
            actor=staff, at=MONDAY,
        )  # fmt: skip
    assert [problem.field for problem in error.value.problems] == [
        "grace_minutes",
        "hold_minutes",
        "no_shows_before_pause",
    ]
