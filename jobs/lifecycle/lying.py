"""What lies on machines: made, and waiting for somebody who empties the plate and puts it on a shelf."""

from collections.abc import Iterable, Mapping

from django.db.models import F, OuterRef, Q, Subquery

from equipment.machines.models import Machine
from equipment.machines.states import Plate
from jobs.lifecycle.models import Attempt, AttemptJob, Job
from jobs.lifecycle.states import State


def lying_on(machine_ids: Iterable[str]) -> Mapping[str, list[Job]]:
    """Return what lies on machines whose plate is to be cleared, by machine, with owners; one query.

    What was made, until it is put away, and what a last try left behind that failed or was stopped: until somebody
    emptied the plate after it. For those on duty: it names people.
    """
    last = (
        Attempt.objects.filter(machine=OuterRef("pk"), ended_at__isnull=False, started_at__isnull=False)
        .order_by("-ended_at")
        .values("pk")[:1]
    )
    machines = Machine.objects.filter(pk__in=list(machine_ids), plate=Plate.TO_CLEAR)
    cleared = F("attempt__machine__plate_cleared_at")
    since = (
        Q(attempt__machine__plate_cleared_at__isnull=True)
        | Q(attempt__ended_at__gt=cleared)
        | Q(attempt__started_at__gte=cleared)  # "Plateau vide, lancer" is one moment
    )
    parts = (
        AttemptJob.objects.filter(attempt__machine__in=machines, live=False)
        .filter(
            Q(outcome=State.FINISHED, job__state=State.FINISHED)
            | Q(
                since,
                outcome__in=[State.FAILED, State.CANCELLED],
                attempt__in=machines.annotate(last=Subquery(last)).values("last"),
            )
        )
        .select_related("job__owner", "attempt")
        .order_by("job__number")
    )
    found: dict[str, list[Job]] = {}
    for part in parts:
        found.setdefault(part.attempt.machine_id, []).append(part.job)
    return found


def shelved(job_ids: Iterable[str]) -> list[Job]:
    """Return those of these jobs that lie on a shelf now, with owners, by number."""
    ready = Job.objects.filter(pk__in=list(job_ids), state=State.READY)
    return list(ready.select_related("owner").order_by("number"))
