"""Who is told when a job changes. The shapes themselves combine rooms and are composed in ``fablab.api.shapes``."""

from fablab.live import push
from jobs.lifecycle.models import Job


def job_changed(job: Job) -> None:
    """Tell those who follow the job, its owner, and the site's boards, after the commit."""
    push.changed(f"job:{job.pk}", f"me:{job.owner_id}", f"queue:{job.site_id}")
    for machine in job.parts.values_list("attempt__machine_id", flat=True).distinct():
        push.changed(f"machine:{machine}")
        push.part_changed(f"board:{job.site_id}", machine)
