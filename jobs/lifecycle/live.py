"""Who is told when a job changes. The shapes themselves combine rooms and are composed in ``fablab.api.shapes``."""

from django.db import transaction

from fablab.core.waking import ring
from fablab.live import push
from jobs.lifecycle.models import Job


def job_changed(job: Job) -> None:
    """Tell those who follow the job, its owner, the site's boards and supervision, after the commit."""
    wake_supervision()
    push.changed(f"job:{job.pk}", f"me:{job.owner_id}", f"queue:{job.site_id}")
    for machine in job.parts.values_list("attempt__machine_id", flat=True).distinct():
        push.changed(f"machine:{machine}")
        push.part_changed(f"board:{job.site_id}", machine)


def wake_supervision() -> None:
    """Have supervision look at once instead of at its next second."""
    transaction.on_commit(lambda: ring("supervision"))
