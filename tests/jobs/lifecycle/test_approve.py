"""An approval is for exactly this file, model and settings, and by somebody else."""

from datetime import datetime, timedelta

import pytest

from equipment.certifications.models import Certificate
from equipment.machines.models import MachineModel
from equipment.sites.models import Site, SiteRole
from fablab.core.errors import Conflict, NotAllowed, Refused
from jobs.lifecycle.models import Approval, Job
from jobs.lifecycle.services import change_job, claim, press
from jobs.lifecycle.states import State
from jobs.lifecycle.table import Action
from jobs.uploads.models import Upload
from tests.builders_jobs import Cast, make_job


def approve(cast: Cast, job: Job, at: datetime, *, part: str = "instructor", seen: str = "") -> Job:
    return press(job.pk, Action.APPROVE, actor=cast.person(part), at=at, seen_sha256=seen)[0]


def test_it_is_bound_to_what_was_looked_at(cast: Cast, now: datetime) -> None:
    job = make_job(cast, state=State.SUBMITTED, at=now)
    approve(cast, job, now)
    approval = Approval.objects.get(job=job)
    assert job.machine_file is not None
    assert (approval.model_sha256, approval.file_sha256) == (job.upload.sha256, job.machine_file.sha256)
    assert (approval.profile, approval.settings) == (cast.model.profile, job.settings)
    assert (approval.by, approval.at, approval.report) == (
        cast.person("instructor"),
        now,
        job.machine_file.report,
    )


def test_a_file_that_changed_since_it_was_shown_is_not_approved(cast: Cast, now: datetime) -> None:
    job = make_job(cast, state=State.SUBMITTED, at=now)
    with pytest.raises(Refused) as refused:
        approve(cast, job, now, seen="0" * 64)
    assert refused.value.codes == ["file_changed"]


def test_without_a_machine_file_there_is_nothing_to_approve(cast: Cast, now: datetime) -> None:
    job = make_job(cast, state=State.SUBMITTED, at=now)
    Job.objects.update(machine_file=None)
    with pytest.raises(Refused) as refused:
        approve(cast, job, now)
    assert refused.value.codes == ["needs_slicing"]


def test_nobody_approves_their_own(cast: Cast, now: datetime) -> None:
    SiteRole.objects.create(person=cast.person("owner"), site=cast.site, role="instructor")
    job = make_job(cast, state=State.SUBMITTED, at=now)
    with pytest.raises(NotAllowed) as refused:
        approve(cast, job, now, part="owner")
    assert refused.value.codes == ["own_job"]


def test_a_lone_instructor_may_where_the_site_says_so_and_it_shows(cast: Cast, now: datetime) -> None:
    Site.objects.update(self_approval=True)
    SiteRole.objects.create(person=cast.person("owner"), site=cast.site, role="instructor")
    job = make_job(cast, state=State.SUBMITTED, at=now)
    with pytest.raises(NotAllowed):
        approve(cast, job, now, part="owner")
    SiteRole.objects.filter(person=cast.person("instructor")).delete()
    approve(cast, job, now, part="owner")
    assert Approval.objects.get(job=job).own_job


def test_it_can_be_taken_back(cast: Cast, now: datetime) -> None:
    job = make_job(cast, state=State.SUBMITTED, at=now)
    approve(cast, job, now)
    taken_back, _ = press(job.pk, Action.VOID, actor=cast.person("instructor"), at=now + timedelta(seconds=9))
    assert taken_back.state == State.SUBMITTED
    assert Approval.objects.get(job=job).voided_at is not None


def new_file(cast: Cast, job: Job) -> None:
    Upload.objects.filter(pk=job.machine_file_id).update(sha256="1" * 64)


def other_profile(cast: Cast, job: Job) -> None:
    MachineModel.objects.update(limits={**cast.model.limits, "nozzle_max_c": 240})


def no_certificate(cast: Cast, job: Job) -> None:
    Certificate.objects.filter(person=job.owner).delete()


def closed_account(cast: Cast, job: Job) -> None:
    cast.person("owner").is_active = False
    cast.person("owner").save()


@pytest.mark.parametrize("spoil", [new_file, other_profile, no_certificate, closed_account])
def test_what_changed_since_voids_it_and_nothing_is_claimed(spoil, cast: Cast, now: datetime) -> None:  # type: ignore[no-untyped-def]
    job = make_job(cast, state=State.QUEUED, at=now)
    spoil(cast, job)
    with pytest.raises(Conflict) as refused:
        claim(job.pk, cast.machine.pk, lease_number=1, at=now)
    assert refused.value.codes == ["approval_void"]
    assert Job.objects.get(pk=job.pk).state == State.SUBMITTED


def test_other_settings_void_it(cast: Cast, now: datetime) -> None:
    job = make_job(cast, state=State.QUEUED, at=now)
    change_job(job.pk, actor=cast.person("owner"), at=now, settings={"material": "PETG"})
    assert Job.objects.get(pk=job.pk).state == State.SUBMITTED


def test_the_file_of_a_queued_job_is_not_replaced(cast: Cast, now: datetime) -> None:
    job = make_job(cast, state=State.QUEUED, at=now)
    with pytest.raises(Conflict) as refused:
        change_job(job.pk, actor=cast.person("owner"), at=now, upload_id=job.upload_id)
    assert refused.value.codes == ["file_bound"]


def test_a_claimed_job_is_not_changed_at_all(cast: Cast, now: datetime) -> None:
    job = make_job(cast, state=State.LOADED, at=now)
    with pytest.raises(Conflict) as refused:
        change_job(job.pk, actor=cast.person("owner"), at=now, title="Autre")
    assert refused.value.codes == ["already_claimed"]
