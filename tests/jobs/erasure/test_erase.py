"""Erasing a person: nothing says who they were, what they wrote or what they made; what counts stays (PRIV-7)."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.db.models import CharField, ForeignKey, JSONField, TextField
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override
from pytest_django import DjangoAssertNumQueries

from equipment.bookings.feeds import open_feed
from equipment.bookings.models import Booking, CalendarFeed, Series, WaitingEntry
from equipment.machines.asking import call
from equipment.machines.models import HelpRequest, Maintenance, Outage
from equipment.sites.models import SiteRole
from equipment.sites.states import Role
from fablab.core.errors import NotAllowed, NotFound, Refused
from fablab.people.errors import SignInFailed
from fablab.people.models import User
from fablab.people.services import make_token, sign_in
from jobs.erasure import files, mentions, objects, traces
from jobs.erasure.services import erase_person, go_on
from jobs.lifecycle.models import Attempt, Job, JobEvent
from jobs.lifecycle.services import step_attempt
from jobs.lifecycle.states import Source, State
from jobs.lifecycle.table import Action
from jobs.management.erasing import Erasing
from jobs.uploads import arriving
from jobs.uploads.models import Upload
from tests.builders import PASSWORD, make_person, make_site
from tests.builders_jobs import Cast, make_job, make_linked_machine
from tests.jobs.erasure.canaries import (
    CANARIES,
    FILE,
    NAME,
    USERNAME,
    WORDS,
    canaries_in,
    canaries_on_disk,
    dump,
    leave_traces,
    marked_job,
    marked_upload,
)

pytestmark = pytest.mark.django_db
WAITING = (State.DRAFT, State.NEEDS_CHANGES, State.SUBMITTED, State.QUEUED, State.FAILED)
OVER = (State.FINISHED, State.READY, State.COLLECTED, State.REJECTED, State.CANCELLED)


def state_of(job: Job) -> str:
    return Job.objects.values_list("state", flat=True).get(pk=job.pk)


def erase(cast: Cast, at: datetime | None = None) -> User:
    owner = cast.person("owner")
    erase_person(owner.pk, actor=owner, at=at or timezone.now())
    return User.objects.get(pk=owner.pk)


def test_no_canary_is_left_in_any_table_or_file_and_all_of_them_were_there(cast: Cast) -> None:
    at = timezone.now()
    for state in (*WAITING, *OVER):
        marked_job(cast, state, at=at)
    marked_upload(cast.person("owner"), at=at, state="inspecting")  # handed in, and for no object yet
    arriving.begin(cast.person("owner").pk, name=FILE, size=1000)
    leave_traces(cast, at=at)
    assert set(canaries_in(dump())) == set(CANARIES)
    assert len(canaries_on_disk()) > 20

    erase(cast, at)

    assert canaries_in(dump()) == {}
    assert canaries_on_disk() == []
    # What warns of a machine stays, without the name and without the picture that they took.
    assert Outage.objects.values_list("reason", "photo").get() == ("… a coincé le fil", "")


def test_what_waits_is_cancelled_and_its_history_says_so(cast: Cast) -> None:
    at = timezone.now()
    jobs = [make_job(cast, state=state, at=at) for state in WAITING]
    over = [make_job(cast, state=state, at=at) for state in OVER]
    erase(cast)
    assert {state_of(job) for job in jobs} == {State.CANCELLED}
    assert [state_of(job) for job in over] == list(OVER)
    for job in jobs:
        last = JobEvent.objects.filter(job=job).latest("version")
        assert (last.action, last.to_state, str(last.actor)) == ("cancel", "cancelled", "Personne effacée")


@pytest.mark.parametrize("state", [State.SENDING, State.LOADED])
def test_what_lies_ready_and_surely_did_not_start_leaves_the_machine(cast: Cast, state: State) -> None:
    job = make_job(cast, state=state, at=timezone.now())
    Attempt.objects.filter(jobs=job).update(start_sent_at=None, started_at=None)
    erase(cast)
    attempt = Attempt.objects.get(jobs=job)
    assert (state_of(job), attempt.ended_at is None) == (State.CANCELLED, False)
    assert attempt.orders.count() == 0  # no machine is asked to stop what it never began


@pytest.mark.parametrize("state", [State.RUNNING, State.PAUSED, State.STOPPING, State.LOADED])
def test_what_runs_or_may_have_begun_goes_on_and_ends_as_anybodys(cast: Cast, state: State) -> None:
    at = timezone.now()
    job = marked_job(cast, state, at=at)
    attempt = Attempt.objects.get(jobs=job)
    Attempt.objects.filter(pk=attempt.pk).update(start_sent_at=at)
    owner = erase(cast, at)
    assert state_of(job) == state
    kept = Attempt.objects.select_related("machine_file").get(pk=attempt.pk).machine_file
    assert kept.path.exists()  # a machine that is fed while it works still takes it
    assert kept.report is not None
    assert (kept.sha256, kept.report["minutes"]) == (attempt.file_sha256, 30.0)
    assert canaries_in(dump()) == {}
    assert canaries_on_disk() == [str(kept.path)]

    step_attempt(attempt.pk, Action.FINISH, source=Source.MACHINE, at=at)
    Erasing()(at + timedelta(minutes=1))
    assert (state_of(job), canaries_on_disk()) == (State.FINISHED, [])
    owner.refresh_from_db()
    assert owner.erasure_ended_at is None  # a request that was under way may still have written something
    assert go_on(at + timedelta(minutes=11)) == 1
    assert go_on(at + timedelta(minutes=12)) == 0


def test_who_was_erased_reads_as_such_in_each_language_and_keeps_no_name(cast: Cast) -> None:
    owner = erase(cast)
    assert owner.display_name == "Personne effacée"
    with override("en"):
        assert str(owner) == "Erased person"
    with connection.cursor() as cursor:
        cursor.execute("SELECT display_name, username FROM people_user WHERE id = %s", [owner.pk])
        assert cursor.fetchone() == ("", f"erased-{owner.pk}")
    owner.save()  # what is read is not written
    assert User.objects.filter(pk=owner.pk, display_name="").exists()


def test_nobody_comes_in_with_what_was_theirs(cast: Cast) -> None:
    at = timezone.now()
    person = make_person("Lea", site=cast.site, password=PASSWORD)
    make_token(person=person, at=at)
    open_feed(person, at=at)
    kept = {"site": cast.site, "kind": cast.kind, "person": person, "minutes": 60, "created_at": at}
    WaitingEntry.objects.create(from_time=at, to_time=at + timedelta(hours=2), **kept)
    erase_person(person.pk, actor=person, at=at)
    assert person.tokens.count() == 0
    assert not CalendarFeed.objects.exists() and not WaitingEntry.objects.exists()
    with pytest.raises(SignInFailed):
        sign_in(username=person.username, password=PASSWORD, at=at)
    assert not SiteRole.objects.filter(person=person).exists()


def test_what_a_request_that_was_under_way_still_made_goes_with_the_next_look(cast: Cast) -> None:
    at = timezone.now()
    stale = cast.person("owner")
    erase(cast, at)
    make_token(person=stale, name=WORDS, at=at)
    SiteRole.objects.create(person=stale, site=cast.site, role=Role.MEMBER)
    go_on(at + timedelta(minutes=1))
    assert not stale.tokens.exists()
    assert not SiteRole.objects.filter(person=stale).exists()


def test_nobody_is_called_to_who_was_erased(cast: Cast) -> None:
    call(cast.site.pk, actor=cast.person("owner"), at=timezone.now(), machine_id=cast.machine.pk)
    erase(cast)
    assert not HelpRequest.objects.exists()


def test_times_and_counts_stay(cast: Cast) -> None:
    at = timezone.now()
    leave_traces(cast, at=at)
    job = make_job(cast, state=State.COLLECTED, at=at)
    before = Attempt.objects.filter(jobs=job).values("started_at", "ended_at", "outcome").get()
    times = list(Booking.objects.values_list("start", "end").order_by("start"))
    erase(cast, at)
    assert Attempt.objects.filter(jobs=job).values("started_at", "ended_at", "outcome").get() == before
    assert list(Booking.objects.values_list("start", "end").order_by("start")) == times
    assert list(Booking.objects.order_by("start").values_list("state", flat=True)) == ["done", "cancelled"]
    # A group's time stays one; what came back for them alone is gone.
    assert list(Booking.objects.order_by("start").values_list("title", flat=True)) == ["…", ""]
    assert set(Series.objects.values_list("title", flat=True)) == {"…", "Avec …"}
    assert Maintenance.objects.values_list("what", "note", "used_seconds").get() == (
        "cleaning",
        "vu avec …",
        7,
    )


def test_a_file_that_is_in_somebody_elses_object_stays_there(cast: Cast) -> None:
    at = timezone.now()
    mine = marked_upload(cast.person("owner"), at=at, format="gcode", origin="attached")
    theirs = make_job(cast, state=State.QUEUED, at=at, owner="other_member", machine_file=mine)
    erase(cast)
    kept = Upload.objects.get(pk=mine.pk)
    assert kept.path.exists()
    assert (kept.name, kept.sha256) == (f"{mine.pk}.gcode", mine.sha256)
    assert state_of(theirs) == State.QUEUED


def test_what_an_instructor_attached_to_their_object_goes_with_it(cast: Cast) -> None:
    at = timezone.now()
    attached = marked_upload(cast.person("instructor"), at=at, format="gcode", origin="attached")
    make_job(cast, state=State.COLLECTED, at=at, machine_file=attached)
    erase(cast)
    assert not attached.folder.exists()
    assert canaries_in(dump()) == {}


def test_a_file_in_a_workers_hands_goes_when_the_worker_is_through(cast: Cast) -> None:
    at = timezone.now()
    held = marked_upload(
        cast.person("owner"), at=at, state="inspecting", lease_until=at + timedelta(minutes=5), report=None
    )
    erase(cast, at)
    held.refresh_from_db()
    assert (held.state, held.folder.exists()) == ("refused", False)
    held.folder.mkdir(parents=True)
    held.picture_path.write_bytes(b"drawn meanwhile")
    go_on(at + timedelta(minutes=11))
    assert not held.folder.exists()
    assert not Upload.objects.filter(pk=held.pk).exists()


STEPS = [
    (objects, "cancel_waiting"),
    (traces, "give_times_back"),
    (mentions, "forget"),
    (objects, "forget_words"),
    (traces, "forget"),
    (files, "remove"),
]


@pytest.mark.parametrize(("room", "step"), STEPS, ids=[f"{room.__name__}.{step}" for room, step in STEPS])
def test_a_process_that_dies_between_two_steps_leaves_the_rest_to_the_worker(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, room: object, step: str
) -> None:
    at = timezone.now()
    for state in (State.QUEUED, State.COLLECTED):
        marked_job(cast, state, at=at)
    leave_traces(cast, at=at)

    class Killed(BaseException):
        pass

    def die(*args: object, **kwargs: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(room, step, die)
        with pytest.raises(Killed):
            erase(cast, at)
    assert not User.objects.get(pk=cast.person("owner").pk).is_active  # already nobody comes in
    Erasing()(at + timedelta(minutes=1))
    assert (canaries_in(dump()), canaries_on_disk()) == ({}, [])


def test_erasing_twice_is_as_good_as_once(cast: Cast) -> None:
    marked_job(cast, State.COLLECTED, at=timezone.now())
    leave_traces(cast, at=timezone.now())
    first = erase(cast)
    before = dump()
    assert erase(cast).erased_at == first.erased_at
    assert dump() == before


# --- who, and when not ------------------------------------------------------------------------------------------


def test_the_last_manager_of_several_sites_reads_every_reason_at_once_and_nothing_changes(cast: Cast) -> None:
    manager, other = cast.person("manager"), make_site("Tunis")
    SiteRole.objects.create(person=manager, site=other, role=Role.MANAGER)
    before = dump()
    with pytest.raises(Refused) as refused:
        erase_person(manager.pk, actor=manager, at=timezone.now())
    assert [(one.code, one.params["site"]) for one in refused.value.problems] == [
        ("last_manager_here", "Saint-Ouen"),
        ("last_manager_here", "Tunis"),
    ]
    assert dump() == before


def test_a_manager_beside_whom_there_is_another_may_go(cast: Cast) -> None:
    make_person("Autre", Role.MANAGER, site=cast.site)
    manager = cast.person("manager")
    erase_person(manager.pk, actor=manager, at=timezone.now())
    assert str(User.objects.get(pk=manager.pk)) == "Personne effacée"


@pytest.mark.parametrize(
    ("part", "error"),
    [
        ("other_member", NotFound),
        ("instructor", NotAllowed),
        ("staff", NotAllowed),
        ("manager", NotAllowed),
        ("elsewhere", NotFound),
    ],
)
def test_nobody_erases_somebody_else(cast: Cast, part: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        erase_person(cast.person("owner").pk, actor=cast.person(part), at=timezone.now())
    assert User.objects.get(pk=cast.person("owner").pk).is_active


def test_whoever_runs_the_installation_erases_who_cannot_come_in_any_more(
    cast: Cast, capsys: pytest.CaptureFixture[str]
) -> None:
    make_job(cast, state=State.QUEUED, at=timezone.now())
    name = cast.person("owner").username
    call_command("erase_person", name)
    assert "objects cancelled: 1" in capsys.readouterr().out
    assert User.objects.filter(username=name, is_active=True).exists()  # asked only what would go
    call_command("erase_person", name, "--yes")
    assert not User.objects.filter(username=name).exists()
    with pytest.raises(CommandError, match="Saint-Ouen"):
        call_command("erase_person", cast.person("manager").username, "--yes")
    with pytest.raises(CommandError, match="nobody"):
        call_command("erase_person", name, "--yes")


@pytest.mark.urls("fablab.urls_private")
def test_the_admin_gives_nobody_their_name_back(cast: Cast, client: Client) -> None:
    runs_it = make_person("Root", is_staff=True, is_superuser=True)
    client.force_login(runs_it)
    owner = erase(cast)
    address = reverse("admin:people_user_change", args=[owner.pk])
    assert client.get(address).status_code == 200
    assert client.post(address, {"display_name": NAME, "is_active": "on"}).status_code == 403
    assert User.objects.filter(pk=owner.pk, display_name="", is_active=False).exists()


def test_the_workers_look_costs_one_question_when_nobody_is_being_erased(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        assert go_on(timezone.now()) == 0


# --- nothing new is forgotten -----------------------------------------------------------------------------------

# Texts that no erasure has to look at: codes, ids, hashes, the lab's own names and settings, machines' own reports.
NOT_A_PERSONS = {
    "core": {"Witness"},
    "equipment": {"MachineKind", "MachineModel", "OpeningHours", "Presence", "Site", "SiteRole"},
    "jobs": {"Attempt", "AttemptJob", "AttemptSample", "Interruption", "Order"},
}
LOOKED_AT = {
    "core": {"IdempotentAnswer"},
    "people": {"AccessToken", "SignInAttempt", "User"},
    "notices": {"Notice"},
    "equipment": {
        "Booking", "CalendarFeed", "Certificate", "Closure", "ForeignPrint", "HelpRequest", "Machine", "MachineEvent",
        "Maintenance", "Outage", "PowerCut", "Series", "Shift", "ShiftChange", "WaitingEntry",
    },
    "jobs": {"Approval", "Handling", "Job", "JobEvent", "Preparation", "Still", "Upload"},
}  # fmt: skip


@pytest.mark.parametrize("label", ["core", "people", "notices", "equipment", "jobs"])
def test_a_new_table_with_texts_or_people_is_thought_of_here(label: str) -> None:
    with_texts = {
        model.__name__
        for model in apps.get_app_config(label).get_models()
        if any(
            isinstance(field, CharField | TextField | JSONField)
            or (isinstance(field, ForeignKey) and field.related_model is User)
            for field in model._meta.get_fields()
        )
    }
    assert with_texts <= NOT_A_PERSONS.get(label, set()) | LOOKED_AT[label]


def test_the_search_for_canaries_finds_them(cast: Cast, tmp_path: Path) -> None:
    leave_traces(cast, at=timezone.now())
    found = canaries_in(dump())
    assert {NAME, USERNAME} <= set(found)
    assert make_linked_machine(cast.site, cast.model, at=timezone.now()).name not in found
