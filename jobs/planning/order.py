"""In which order jobs are made. Pure.

1. What staff said: ``priority``.
2. Turns: everybody's first job before anybody's second, so that nobody waits behind two jobs of one person. What a
   person has on a machine now counts as a turn; what cannot be made as things stand takes none.
3. Age, less what its owner used lately: each ``SHARE_STEP`` of machine time in the last ``SHARE_DAYS`` puts a job
   behind those that came up to ``SHARE_WAIT`` later, and never more than ``SHARE_MOST``. So minutes do not beat age,
   and nobody is overtaken by people who come more than ``SHARE_MOST`` after them.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

from jobs.planning.facts import Waiting

SHARE_DAYS = 7
SHARE_STEP = timedelta(hours=2)
SHARE_WAIT = timedelta(hours=12)
SHARE_MOST = timedelta(days=3)

Turns = Mapping[tuple[str, str], int]  # (owner, machine model) -> how many they have on machines now


def setback(used: timedelta) -> timedelta:
    """Return by how much machine time used lately makes a job younger than it is."""
    return min((used // SHARE_STEP) * SHARE_WAIT, SHARE_MOST)


def in_order(
    jobs: Iterable[Waiting],
    *,
    used: Mapping[str, timedelta],
    on_machines: Turns,
    takes_turn: Callable[[Waiting], bool],
) -> list[Waiting]:
    """Return the jobs in the order in which they are to be made. The order in which they are given plays no part."""
    turns: Counter[tuple[str, str]] = Counter(on_machines)
    back = {owner: setback(time) for owner, time in used.items()}
    none = timedelta()
    keyed = []
    # No two ids are the same, so that the jobs themselves are never compared.
    for first, queued_at, job_id, job in sorted((-job.priority, job.queued_at, job.id, job) for job in jobs):
        whose = (job.owner_id, job.model_id)
        since = queued_at + back.get(job.owner_id, none)
        keyed.append((first, turns[whose], since, queued_at, job_id, job))
        if takes_turn(job):
            turns[whose] += 1
    keyed.sort()
    return [key[-1] for key in keyed]
