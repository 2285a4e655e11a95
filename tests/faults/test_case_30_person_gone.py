"""The person of a print is gone while it runs and while another waits (case 30)."""

import pytest

from fablab.people.models import User
from jobs.lifecycle.states import State
from tests.jobs.supervision.lab import Lab

pytestmark = pytest.mark.octoprint


async def test_case_30_a_print_ends_as_usual_when_its_person_is_gone_and_what_waits_is_not_started(
    lab: Lab,
) -> None:
    await lab.watch()
    job = await lab.started(3)
    behind = await lab.queue(20)
    owner = lab.cast.person("owner")

    await lab.db(User.objects.filter(pk=owner.pk).update, is_active=False)

    await lab.until_state(job, State.FINISHED)
    assert await lab.history(job) == ["claim", "load", "start", "finish"]
    for _ in range(3):
        await lab.supervisor.tick()
        await lab.watcher.look()
    waiting = await lab.until_state(behind, State.SUBMITTED)
    assert (waiting.reason, waiting.attempts_made) == ("person", 0)
