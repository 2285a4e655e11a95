"""What an erasure leaves to others: their objects, their times, and the machines they must not burn themselves on."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from equipment.bookings.models import Booking
from equipment.machines.asking import call, say_who_comes
from equipment.machines.maintenance import note_maintenance
from equipment.machines.models import Machine, MachineEvent, Maintenance, Outage
from equipment.machines.services import put_out_of_order
from fablab.notices.models import Notice
from fablab.people.models import User
from jobs.erasure.services import erase_person, go_on
from jobs.lifecycle.models import Job, JobEvent
from jobs.lifecycle.services import apply
from jobs.lifecycle.states import Source, State
from jobs.lifecycle.table import Action
from jobs.uploads import storage
from jobs.uploads.models import Upload
from tests.builders import make_booking, make_person, make_site
from tests.builders_jobs import Cast, make_job, make_linked_machine
from tests.jobs.erasure.canaries import NAME, WORDS, canaries_in, dump, give_names, marked_upload

pytestmark = pytest.mark.django_db


def erase(cast: Cast, part: str = "owner") -> User:
    person = cast.person(part)
    erase_person(person.pk, actor=person, at=timezone.now())
    return person


def test_one_erasure_that_cannot_go_on_holds_up_no_other(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    at = timezone.now()
    first, second = cast.person("owner"), cast.person("other_member")
    stuck, free = marked_upload(first, at=at), marked_upload(second, at=at)
    User.objects.filter(pk=first.pk).update(erased_at=at, is_active=False)
    User.objects.filter(pk=second.pk).update(erased_at=at + timedelta(seconds=1), is_active=False)
    remove = storage.remove

    def refuse(folder: Path) -> None:
        if folder == stuck.folder:
            raise PermissionError(folder)
        remove(folder)

    with monkeypatch.context() as patched:
        patched.setattr(storage, "remove", refuse)
        assert go_on(at + timedelta(minutes=1)) == 2
    assert not Upload.objects.filter(pk=free.pk).exists()
    assert f"the erasure of person {first.pk} is tried again" in caplog.text
    assert go_on(at + timedelta(minutes=2)) == 2  # and it is
    assert not Upload.objects.filter(pk=stuck.pk).exists()


def test_why_they_moved_somebody_elses_booking_goes_and_what_others_said_of_it_stays(cast: Cast) -> None:
    at = timezone.now()
    mover, other = cast.person("staff"), cast.person("other_member")
    said = [
        {"code": "too_soon", "reason": "fin de stage", "by": cast.person("manager").pk, "at": at.isoformat()},
        {"code": "too_long", "reason": WORDS, "by": mover.pk, "at": at.isoformat()},
    ]
    booking = make_booking(cast.machine, other, start=at + timedelta(days=1), overrides=said)
    Booking.objects.filter(pk=booking.pk).update(created_by=other)
    erase(cast, "staff")
    booking.refresh_from_db()
    assert [one["reason"] for one in booking.overrides] == ["fin de stage", ""]
    assert canaries_in(dump(), [WORDS]) == {}


# --- machines ---------------------------------------------------------------------------------------------------


def test_what_warns_of_a_machine_stays_and_only_the_name_goes_wherever_it_was_copied(cast: Cast) -> None:
    at = timezone.now()
    give_names(cast.person("owner"))
    put_out_of_order(
        cast.machine.pk, actor=cast.person("staff"), reason=f"Brûlant ! {NAME} a coincé le fil", at=at
    )
    before = Machine.objects.get(pk=cast.machine.pk)
    erase(cast)
    machine = Machine.objects.get(pk=cast.machine.pk)
    assert machine.out_of_order_reason == "Brûlant ! … a coincé le fil"
    assert (machine.out_of_order_since, machine.version) == (before.out_of_order_since, before.version + 1)
    assert Outage.objects.get().reason == machine.out_of_order_reason
    assert MachineEvent.objects.get(action="out_of_order").details == {"reason": machine.out_of_order_reason}


def test_what_the_person_themself_wrote_of_a_machine_stays_for_who_comes_after(cast: Cast) -> None:
    at = timezone.now()
    put_out_of_order(cast.machine.pk, actor=cast.person("staff"), reason="La buse fuit", at=at)
    note_maintenance(
        cast.machine.pk, what="cleaning", note="Serre à froid", actor=cast.person("staff"), at=at
    )
    erase(cast, "staff")
    assert Machine.objects.get(pk=cast.machine.pk).out_of_order_reason == "La buse fuit"
    assert Maintenance.objects.get().note == "Serre à froid"


def test_a_name_that_is_a_word_too_takes_nothing_from_a_warning(cast: Cast) -> None:
    at = timezone.now()
    elsewhere = make_linked_machine(make_site("Tunis"), cast.model, at=at)
    said = "La buse brûle"
    Machine.objects.filter(pk=elsewhere.pk).update(out_of_order_since=at, out_of_order_reason=said)
    Machine.objects.filter(pk=cast.machine.pk).update(needs_help_why="attention à la buse")
    person = make_person("La", site=cast.site)
    erase_person(person.pk, actor=person, at=at)
    told = Machine.objects.order_by("site__name").values_list("out_of_order_reason", "needs_help_why")
    assert list(told) == [("", "attention à la buse"), (said, "")]


# --- others' objects --------------------------------------------------------------------------------------------


def send_back(cast: Cast, words: str) -> Job:
    job = make_job(cast, state=State.SUBMITTED, at=timezone.now())
    apply(
        job.pk, Action.SEND_BACK, actor=cast.person("instructor"), source=Source.PERSON, at=timezone.now(),
        reason="talk", words=words,
    )  # fmt: skip
    return job


def words_of(job: Job) -> str:
    return str(JobEvent.objects.get(job=job, action=Action.SEND_BACK).details.get("words", ""))


def test_what_to_correct_is_read_until_the_object_is_over_and_then_it_goes_as_well(cast: Cast) -> None:
    at = timezone.now()
    instructor = cast.person("instructor")
    give_names(instructor)
    job = send_back(cast, f"Épaissis les parois : 2 mm. {NAME}")
    erase(cast, "instructor")
    assert words_of(job) == "Épaissis les parois : 2 mm. …"
    go_on(at + timedelta(minutes=11))
    instructor.refresh_from_db()
    assert instructor.erasure_ended_at is None

    apply(job.pk, Action.CANCEL, actor=cast.person("owner"), source=Source.PERSON, at=at)
    assert go_on(at + timedelta(minutes=12)) == 1
    assert words_of(job) == ""
    assert go_on(at + timedelta(minutes=13)) == 0


def test_an_object_that_nobody_corrects_keeps_the_words_for_thirty_days_and_the_erasure_ends(
    cast: Cast,
) -> None:
    at = timezone.now()
    job = send_back(cast, WORDS)
    instructor = erase(cast, "instructor")
    go_on(at + timedelta(days=29))
    assert words_of(job) == WORDS
    assert go_on(at + timedelta(days=31)) == 1
    assert canaries_in(dump(), [WORDS]) == {}
    assert Job.objects.get(pk=job.pk).reason == "talk"
    assert go_on(at + timedelta(days=32)) == 0
    instructor.refresh_from_db()
    assert instructor.erasure_ended_at is not None


def test_of_others_objects_that_are_over_nothing_stays_that_the_person_typed(cast: Cast) -> None:
    job = make_job(cast, state=State.REJECTED, at=timezone.now())
    Job.objects.filter(pk=job.pk).update(reason=WORDS)
    JobEvent.objects.create(
        job=job, version=100, action=Action.REJECT, from_state="submitted", to_state="rejected",
        actor=cast.person("instructor"), source="person", at=timezone.now(), details={"reason": WORDS},
    )  # fmt: skip
    erase(cast, "instructor")
    assert canaries_in(dump(), [WORDS]) == {}


def test_in_others_notes_only_the_name_goes(cast: Cast) -> None:
    give_names(cast.person("owner"))
    job = make_job(cast, state=State.QUEUED, at=timezone.now(), owner="other_member")
    Job.objects.filter(pk=job.pk).update(note=f"avec {NAME}, en PLA rose")
    erase(cast)
    assert Job.objects.get(pk=job.pk).note == "avec …, en PLA rose"
    assert canaries_in(dump(), [NAME]) == {}


def test_a_message_to_others_keeps_what_it_says_without_the_name(cast: Cast) -> None:
    at = timezone.now()
    instructor = cast.person("instructor")
    give_names(instructor)
    asked = call(cast.site.pk, actor=cast.person("owner"), at=at)
    say_who_comes(asked.pk, actor=instructor, at=at)
    assert canaries_in(dump(), [NAME])
    erase(cast, "instructor")
    assert Notice.objects.get(person=cast.person("owner")).params == {"person": "…"}
    assert canaries_in(dump(), [NAME]) == {}
