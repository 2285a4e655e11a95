"""What waits for an instructor."""

from datetime import datetime, timedelta

from django.db.models import QuerySet

from equipment.sites.models import SiteRole
from equipment.sites.states import Role
from fablab.people.models import User
from jobs.lifecycle.models import Job
from jobs.lifecycle.queries import with_all_that_pages_show
from jobs.lifecycle.states import ENDED, MADE, State
from jobs.lifecycle.table import APPROVAL_UNDO_S


def waiting_for(instructor: User) -> QuerySet[Job]:
    """Return the jobs that this instructor may decide on, longest waiting first; not one's own."""
    sites = SiteRole.objects.filter(person=instructor, role=Role.INSTRUCTOR).values("site_id")
    jobs = Job.objects.filter(site_id__in=sites, state=State.SUBMITTED).exclude(owner=instructor)
    return with_all_that_pages_show(jobs).order_by("submitted_at")


def previous_work(job: Job) -> QuerySet[Job]:
    """Return the owner's earlier ended or made jobs at the same site, newest first, five at most."""
    return Job.objects.filter(
        owner_id=job.owner_id, site_id=job.site_id, state__in=ENDED | MADE | {State.FAILED}
    ).order_by("-state_at")[:5]


def approved_just_now(instructor: User, job_id: str, at: datetime) -> Job | None:
    """Return the job when this instructor approved it so lately that it can be taken back (UX-7)."""
    return Job.objects.filter(
        pk=job_id,
        state=State.QUEUED,
        approvals__by=instructor,
        approvals__voided_at__isnull=True,
        approvals__at__gt=at - timedelta(seconds=APPROVAL_UNDO_S),
    ).first()
