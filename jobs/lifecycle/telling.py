"""What an object's owner is told when somebody or something moves it: in the transaction of the move, once for each."""

from collections.abc import Mapping
from datetime import datetime

from equipment.machines.models import Machine
from fablab.notices import services as notices
from fablab.people.models import User
from jobs.lifecycle.models import Job
from jobs.lifecycle.table import Action

TOLD: Mapping[Action, str] = {
    Action.SEND_BACK: "job_sent_back",
    Action.REJECT: "job_rejected",
    Action.FAIL: "job_failed",
    Action.SHELVE: "job_ready",
}
# What makes the message before it untrue.
OVERTAKEN = frozenset({Action.SUBMIT, Action.REQUEUE, Action.COLLECT, Action.CANCEL})


def tell_owner(job: Job, action: Action, *, actor: User | None, at: datetime) -> None:
    """Leave a message about a move that was just made, or take back the one about the move before it."""
    if action in OVERTAKEN:
        notices.withdraw(_key(job, job.version - 1))
        return
    code = TOLD.get(action)
    by_owner = actor is not None and actor.pk == job.owner_id
    if code is None or (by_owner and action is not Action.SHELVE):
        return
    if action is Action.SHELVE and job.shelf:
        code = "job_on_shelf"
    notices.tell(
        [job.owner_id],
        code,
        {"title": job.title, "shelf": job.shelf},
        key=_key(job, job.version),
        link=f"/objets/{job.pk}/",
        at=at,
    )


def tell_of_move(job: Job, machine: Machine | None, *, actor: User, at: datetime, reason: str) -> None:
    """Leave a message that staff moved a waiting object, to another machine or within the queue, and why.

    A move takes back the message about one right before it.
    """
    notices.withdraw(_key(job, job.version - 1))
    if actor.pk != job.owner_id:
        notices.tell(
            [job.owner_id],
            "job_moved" if machine is None else "job_moved_to_machine",
            {"title": job.title, "machine": machine.name if machine else "", "reason": reason},
            key=_key(job, job.version),
            link=f"/objets/{job.pk}/",
            at=at,
        )


def _key(job: Job, version: int) -> str:
    return f"job:{job.pk}:{version}"
