"""Every state × action × part, against the table as people wrote it down.

``TABLE`` below is typed from the architecture's page, not read from the code: the code must agree with it in every
cell, and a state or an action without a row here fails.
"""

from datetime import UTC, datetime

import pytest
from django.db import transaction

from fablab.core.errors import DomainError
from jobs.lifecycle.models import Job, JobEvent
from jobs.lifecycle.services import apply
from jobs.lifecycle.states import Source, State
from jobs.lifecycle.table import Action
from tests.builders_jobs import Cast, make_cast, make_job

pytestmark = pytest.mark.rules_alone

NOW = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)

# action: from states → to state | who. "linked" machines report by themselves: operators settle by hand only what the
# machine does not vouch for, and press orders for start, pause and resume.
TABLE = """
submit     draft needs_changes                     -> submitted      | owner
send_back  submitted                               -> needs_changes  | instructor
approve    submitted                               -> queued         | instructor policy
reject     submitted                               -> rejected       | instructor
void       queued                                  -> submitted      | owner instructor staff manager system
claim      queued                                  -> sending        | dispatcher
release    sending loaded                          -> queued         | dispatcher instructor staff manager
load       sending                                 -> loaded         | dispatcher
start      sending loaded                          -> running        | machine
pause      running                                 -> paused         | machine
resume     paused                                  -> running        | machine
ask_stop   running paused                          -> stopping       | owner instructor staff manager
ask_stop   sending loaded                          -> cancelled      | owner instructor staff manager
stopped    stopping running paused                 -> cancelled      | machine instructor staff manager
finish     running paused stopping                 -> finished       | machine instructor staff manager
fail       sending loaded running paused stopping  -> failed         | machine instructor staff manager
requeue    failed                                  -> queued         | instructor staff manager
shelve     finished                                -> ready          | system
collect    finished ready                          -> collected      | owner staff manager
cancel     draft needs_changes submitted queued failed -> cancelled  | owner instructor staff manager
"""
PERSONS = ("owner", "other_member", "instructor", "staff", "manager", "elsewhere")
MACHINERY = ("machine", "dispatcher", "policy", "system")


def _expected() -> dict[tuple[str, str], tuple[str, frozenset[str]]]:
    cells = {}
    for line in TABLE.strip().splitlines():
        way, who = line.split("|")
        left, to = way.split("->")
        action, *states = left.split()
        for state in states:
            cells[action, state] = (to.strip(), frozenset(who.split()))
    return cells


EXPECTED = _expected()


def test_every_action_and_every_state_of_the_code_has_a_row_here() -> None:
    assert {action for action, _ in EXPECTED} == set(Action)
    assert {state for _, state in EXPECTED} | {"rejected", "collected", "cancelled"} == set(State)


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast(at=NOW)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("action", Action)
def test_who_may_do_what_in_which_state(action: Action, state: State, cast: Cast) -> None:
    to, allowed = EXPECTED.get((action, state), (None, frozenset()))
    job = make_job(cast, state=state, at=NOW)
    for part in PERSONS + MACHINERY:
        before = Job.objects.values().get(pk=job.pk)
        outcome = _try(cast, job, action, part)
        if part in allowed:
            assert outcome == to, f"{part} should {action} a {state} job, got {outcome}"
        else:
            assert outcome is None, f"{part} must not {action} a {state} job, got {outcome}"
        assert Job.objects.values().get(pk=job.pk) == before, "the trial was rolled back"


class _Undo(Exception):
    pass


def _try(cast: Cast, job: Job, action: Action, part: str) -> str | None:
    """Return the state that the action led to for this part, None when it was refused; change nothing."""
    source = Source.PERSON if part in PERSONS else Source(part)
    actor = cast.person(part) if part in PERSONS else None
    seen: str | None = None
    try:
        with transaction.atomic():
            try:
                with transaction.atomic():
                    apply(job.pk, action, actor=actor, source=source, at=NOW, reason="talk")
            except DomainError as refusal:
                assert refusal.status in {403, 404, 409}, refusal
                _check_refusal(refusal, part, action, State(job.state))
            else:
                seen = Job.objects.values_list("state", flat=True).get(pk=job.pk)
                event = JobEvent.objects.filter(job=job).latest("version")
                assert (event.action, event.from_state, event.to_state) == (action, job.state, seen)
                assert (event.actor, event.source, event.at) == (actor, source, NOW)
            raise _Undo
    except _Undo:
        return seen


def _check_refusal(refusal: DomainError, part: str, action: str, state: State) -> None:
    """Who cannot see the job is told 404; who may never do this 403; who may, but not now, 409."""
    anywhere = {who for (act, _), (_, parts) in EXPECTED.items() if act == action for who in parts}
    if part in {"other_member", "elsewhere"}:
        assert refusal.status == 404
    elif part not in anywhere:
        assert refusal.status == 403
    elif part not in EXPECTED.get((action, state), ("", frozenset()))[1]:
        assert refusal.status == 409
