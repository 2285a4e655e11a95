"""The stored file is proven once more right before it leaves: what changed on disk goes nowhere (SEC-8)."""

from typing import Any
from typing import cast as as_type

from django.utils import timezone

from equipment.drivers.base import Driver
from fablab.core.threads import DatabaseThreads
from jobs.lifecycle.models import Attempt, Job, JobEvent
from jobs.lifecycle.on_machines import LiveAttempt, live_attempt
from jobs.lifecycle.states import State
from jobs.supervision.bench import Bench
from jobs.supervision.sending import send
from tests.builders_jobs import Cast, make_job, make_upload


class Deaf:
    """A machine that nothing must be sent to."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    async def send(self, *given: object, **more: object) -> Any:
        self.asked.append(given)
        raise AssertionError("sent")


def put_on_its_way(cast: Cast) -> LiveAttempt:
    at = timezone.now()
    file = make_upload(cast.person("owner"), at=at, format="gcode", origin="prepared", content=b"G28\n")
    make_job(cast, state=State.SENDING, at=at, machine_file=file)
    file.path.write_bytes(b"M303\n")
    found = live_attempt(cast.machine.pk)
    assert found is not None
    return found


async def test_changed_bytes_are_not_sent_and_the_approval_is_void(cast: Cast) -> None:
    threads = DatabaseThreads(1, "changed-bytes")
    bench, machine = Bench(threads), Deaf()
    try:
        live = await bench.db(put_on_its_way, cast)
        await send(as_type("Driver", machine), live, bench)

        def now() -> tuple[str, str, list[str], bool, bool]:
            job = Job.objects.get()
            steps = list(JobEvent.objects.order_by("version").values_list("action", flat=True))
            ended = Attempt.objects.get().ended_at is not None
            return job.state, job.reason, steps, ended, job.approvals.filter(voided_at=None).exists()

        assert await bench.db(now) == (State.SUBMITTED, "file", ["release", "void"], True, False)
        assert machine.asked == []
    finally:
        threads.shutdown()
