"""Many processes want the same thing at the same moment: one gets it, whichever database this run uses."""

import pytest
from django.utils import timezone

from equipment.bookings.models import Booking
from equipment.bookings.states import LIVE
from jobs.lifecycle.models import Attempt, Job
from jobs.lifecycle.states import State
from tests.builders import MONDAY, hours, make_kind, make_machine, make_person
from tests.builders_jobs import make_cast, make_job
from tests.faults.crowd import all_at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.killed]

PROCESSES = 20
DISPATCHERS = 8
GAP_S = 0.02


def test_case_17_twenty_processes_that_all_saw_the_slot_free_leave_one_booking() -> None:
    machine = make_machine(kind=make_kind(buffer_minutes=10))
    people = [make_person(site=machine.site).pk for _ in range(PROCESSES)]

    told = all_at_once(
        "book",
        PROCESSES,
        machine=machine.pk,
        people=people,
        start=MONDAY + hours(2),
        end=MONDAY + hours(3),
        at=MONDAY,
        gap_s=GAP_S,
    )

    assert told == {"booked": 1, "slot_taken": PROCESSES - 1}
    assert Booking.objects.filter(machine=machine, state__in=list(LIVE)).count() == 1


def test_rel_18_eight_processes_that_claim_one_job_make_one_attempt() -> None:
    at = timezone.now()
    cast = make_cast(at=at)
    job = make_job(cast, state=State.QUEUED, at=at)

    told = all_at_once("claim", DISPATCHERS, machine=cast.machine.pk, job=job.pk, at=at)

    assert told["claimed"] == 1
    assert sum(told.values()) == DISPATCHERS
    assert {code for code in told if code != "claimed"} <= {"wrong_state", "machine_busy", "conflict"}, told
    assert (Attempt.objects.count(), Job.objects.get(pk=job.pk).state) == (1, State.SENDING)
