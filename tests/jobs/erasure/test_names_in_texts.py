"""Somebody's names in what others wrote: what is searched for, and where. The text around them stays."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from equipment.machines.models import Machine
from equipment.sites.models import Closure, SiteRole
from equipment.sites.queries import roles_of
from equipment.sites.states import Role
from fablab.people.models import User
from jobs.erasure import objects
from jobs.erasure.rules import called, without_names
from jobs.erasure.services import erase_person, go_on
from tests.builders import make_booking, make_closure, make_person, make_present
from tests.builders_jobs import Cast
from tests.jobs.erasure.canaries import NAME, give_names


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Rose et ROSE", "… et …"),
        ("PLA rose, Rosette, Roses", "PLA rose, Rosette, Roses"),
        ("vois ROSE.2-b ou rose.2-b", "vois … ou …"),
        ("Rose.", "…."),
    ],
)
def test_names_are_found_as_they_are_written(text: str, left: str) -> None:
    who = called("Rose", "rose.2-b")
    assert who is not None
    assert without_names(text, who) == left


@pytest.mark.parametrize(
    ("display_name", "username", "text", "left"),
    [
        ("ليلى", "laila", "حذار، ليلى كسرت الفوهة", "حذار، … كسرت الفوهة"),
        ("ليلى", "laila", "مع سليم وليلى، ثم لليلى", "مع سليم و…، ثم ل…"),
        ("بلال", "bilal", "بلال وبلالة", "… وبلالة"),
        ("王伟", "wei", "avec 王伟", "avec …"),
        ("kevin93", "kevin", "kevin93, Kevin93 et KEVIN", "…, … et …"),
        ("ليلى b", "laila", "ليلى B", "…"),
    ],
)
def test_a_name_without_capitals_or_with_digits_is_found_too(
    display_name: str, username: str, text: str, left: str
) -> None:
    who = called(display_name, username)
    assert who is not None
    assert without_names(text, who) == left


@pytest.mark.parametrize("username", ["anne-marie", "anne"])
def test_the_longest_form_of_a_name_goes_first_so_that_nothing_of_it_is_left(username: str) -> None:
    who = called("Anne-Marie Dupont", username)
    assert who is not None
    assert without_names("Anne-Marie Dupont l’a vu", who) == "… l’a vu"


def test_who_is_called_nothing_or_by_a_mere_figure_is_searched_for_nowhere() -> None:
    assert called("", "") is None
    assert called("0.4", "215") is None


# --- where ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_why_the_place_is_closed_and_why_others_set_a_rule_aside_keep_all_but_the_name(cast: Cast) -> None:
    at = timezone.now()
    give_names(cast.person("owner"))
    closure = make_closure(cast.site, at.date())
    Closure.objects.filter(pk=closure.pk).update(reason=f"Fermé : {NAME} est malade")
    said = {"code": "too_soon", "by": cast.person("staff").pk, "at": at.isoformat()}
    booking = make_booking(
        cast.machine, cast.person("other_member"), start=at + timedelta(days=1), created_by=cast.person("staff"),
        overrides=[{**said, "reason": f"{NAME} lui laisse la place"}, {**said, "reason": "fin de stage"}],
    )  # fmt: skip
    owner = cast.person("owner")
    erase_person(owner.pk, actor=owner, at=at)
    assert Closure.objects.get().reason == "Fermé : … est malade"
    booking.refresh_from_db()
    assert booking.overrides == [
        {**said, "reason": "… lui laisse la place"},
        {**said, "reason": "fin de stage"},
    ]


@pytest.mark.django_db
def test_where_somebody_was_a_mere_member_their_name_goes_also_when_a_crash_cut_the_erasure(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = timezone.now()
    person = make_person(NAME, site=cast.site)
    Machine.objects.filter(pk=cast.machine.pk).update(needs_help_why=f"{NAME} a vu de la fumée")

    class Killed(BaseException):
        pass

    def die(*args: object, **kwargs: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(objects, "cancel_waiting", die)
        with pytest.raises(Killed):
            erase_person(person.pk, actor=person, at=at)
    go_on(at + timedelta(minutes=1))
    assert Machine.objects.get(pk=cast.machine.pk).needs_help_why == "… a vu de la fumée"
    assert not SiteRole.objects.filter(person=person).exists()


@pytest.mark.django_db
def test_whoever_had_rights_has_none_left_from_the_first_moment_on(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff = cast.person("staff")
    seen: list[frozenset[Role]] = []

    def look(person: User, *, at: datetime) -> None:
        seen.append(roles_of(person, cast.site.pk))

    monkeypatch.setattr(objects, "cancel_waiting", look)
    erase_person(staff.pk, actor=staff, at=timezone.now())
    assert seen == [frozenset({Role.MEMBER})]
    assert roles_of(staff, cast.site.pk) == frozenset()


@pytest.mark.django_db
def test_a_name_is_searched_for_where_somebody_was_there_once_and_has_no_role_any_more(cast: Cast) -> None:
    at = timezone.now()
    person = make_person(NAME)
    make_present(person, cast.site, at=at, until=at)
    Machine.objects.filter(pk=cast.machine.pk).update(needs_help_why=f"{NAME} a vu de la fumée")
    erase_person(person.pk, actor=person, at=at)
    assert Machine.objects.get(pk=cast.machine.pk).needs_help_why == "… a vu de la fumée"
