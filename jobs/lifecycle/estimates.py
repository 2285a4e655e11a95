"""How far the work on machines without a link is, told to who watches: the clock and the file's own estimate."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from fablab.live import push
from jobs.lifecycle.models import Attempt
from jobs.lifecycle.queries import by_the_clock
from jobs.lifecycle.states import STARTED


def tell(at: datetime) -> int:
    """Tell the estimates of everything that is being made by hand now. Returns how many tries there are."""
    by_hand = [attempt for attempt in _being_made() if not attempt.machine.linked]
    for attempt in by_hand:
        _tell(attempt, at)
    return len(by_hand)


def tell_one(attempt_id: str, at: datetime) -> None:
    """Tell how far one try is, if it is being made."""
    for attempt in _being_made().filter(pk=attempt_id):
        _tell(attempt, at)


def _being_made() -> QuerySet[Attempt]:
    return (
        Attempt.objects.filter(ended_at__isnull=True, started_at__isnull=False)
        .select_related("machine", "machine_file")
        .prefetch_related("parts__job")
    )


def _tell(attempt: Attempt, at: datetime) -> None:
    percent, left = by_the_clock(attempt, at)
    if percent is None or attempt.unsure_since is not None:
        return
    progress: dict[str, Any] = {
        "percent": round(percent, 1),
        "minutes_left": None if left is None else -(-left // 60),
        "estimated": True,
        "at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    machine = attempt.machine
    patch = {"progress": progress}
    push.publish(f"machine:{machine.pk}", patch, patch=True, figures=True)
    push.publish(f"board:{machine.site_id}", {"machines": {machine.pk: patch}}, patch=True, figures=True)
    for part in attempt.parts.all():
        if part.live and part.job.state in STARTED:
            push.publish(f"job:{part.job_id}", patch, patch=True, figures=True)
