"""How far the work on machines without a link is, told to who watches: the clock and the file's own estimate."""

from datetime import datetime
from typing import Any

from fablab.live import push
from jobs.lifecycle.models import Attempt
from jobs.lifecycle.queries import by_the_clock
from jobs.lifecycle.states import STARTED


def tell(at: datetime) -> int:
    """Tell the estimates of everything that is being made by hand now. Returns how many tries there are."""
    attempts = (
        Attempt.objects.filter(ended_at__isnull=True, started_at__isnull=False)
        .select_related("machine", "machine_file")
        .prefetch_related("parts__job")
    )
    by_hand = [attempt for attempt in attempts if not attempt.machine.linked]
    for attempt in by_hand:
        percent, left = by_the_clock(attempt, at)
        if percent is None or left is None:
            continue
        progress: dict[str, Any] = {
            "percent": round(percent, 1),
            "minutes_left": -(-left // 60),
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
    return len(by_hand)
