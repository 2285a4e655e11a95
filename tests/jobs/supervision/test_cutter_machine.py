"""A cutter on a real port, from the queue to the shelf: nothing is sent before somebody starts it, nothing twice."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from equipment.machines.models import Machine
from equipment.machines.states import Plate
from fablab.core.errors import DomainError
from jobs.lifecycle import services as lifecycle
from jobs.lifecycle.models import Attempt, Order
from jobs.lifecycle.states import OrderState, State
from jobs.lifecycle.table import Action
from jobs.supervision.facts import Why
from tests.builders_jobs import Cast
from tests.fakes import cutter as behaviours
from tests.fakes.cutter import Behaviour, Cutter
from tests.jobs.supervision.line_lab import LineLab, line_lab
from tests.jobs.supervision.processes import supervising

SHORT = b"IN;SP1;PU0,0;PD4000,0,4000,4000;PU;SP0;"
LONG = b"IN;SP1;" + b"PU0,0;PD4000,0,4000,4000,0,4000,0,0;" * 60_000 + b"PU;SP0;"
MakeCutter = Callable[[Behaviour], Cutter]


@pytest.fixture
def make_cutter(settings: Settings) -> Iterator[MakeCutter]:
    with ExitStack() as stack:

        def make(behaviour: Behaviour) -> Cutter:
            opened: AbstractContextManager[Cutter] = Cutter(behaviour, buffer=4096)
            cutter = stack.enter_context(opened)
            settings.MACHINE_NETWORKS = [f"127.0.0.1:{cutter.port}"]
            return cutter

        yield make


@pytest.fixture
def cutter(make_cutter: MakeCutter) -> Cutter:
    """One that takes all at once, as short files go into its memory."""
    return make_cutter(behaviours.takes_all)


@pytest.fixture
def slow(make_cutter: MakeCutter) -> Cutter:
    """One that takes bit by bit, as its knife moves."""
    return make_cutter(behaviours.takes_slowly)


@asynccontextmanager
async def at(cutter: Cutter, cast: Cast, **more: float) -> AsyncIterator[LineLab]:
    async with line_lab(cast, "rawtcp", cutter.address, format="hpgl", **more) as lab:
        await lab.watch()
        yield lab


@pytest.fixture
async def lab(cutter: Cutter, cast: Cast) -> AsyncIterator[LineLab]:
    async with at(cutter, cast) as one:
        yield one


@pytest.fixture
async def slow_lab(slow: Cutter, cast: Cast) -> AsyncIterator[LineLab]:
    async with at(slow, cast, minutes=0.5) as one:
        yield one


async def start(lab: LineLab, job: str) -> None:
    await lab.press(job, Action.START, plate_clear=True)


async def cutting(lab: LineLab, cutter: Cutter) -> str:
    """A long job of which some was taken, and most was not."""
    job = await lab.put_loaded(LONG)
    await start(lab, job)
    await lab.until_state(job, State.RUNNING)
    await asyncio.to_thread(cutter.wait_until, 10_000)
    return job


async def say(lab: LineLab, job: str, action: Action, **more: str) -> None:
    """A person at the machine says what became of it."""
    await lab.press(job, action, **more)


async def clear(lab: LineLab) -> None:
    def cleared() -> None:
        lifecycle.clear_plate(lab.cast.machine.pk, actor=lab.cast.person("staff"), at=timezone.now())

    await lab.db(cleared)


async def until_idle(lab: LineLab) -> None:
    await lab.supervisor.watches[lab.cast.machine.pk].idle()


async def test_from_the_queue_to_the_shelf_by_one_start_and_the_word_of_who_stands_there(
    lab: LineLab, cutter: Cutter
) -> None:
    job = await lab.put_loaded(SHORT)
    read = await lab.read(job)
    assert (read.job, read.machine) == ("plate_to_clear", "needs_clearing")
    assert cutter.received == b""
    with pytest.raises(DomainError, match="plate_to_clear"):
        await lab.press(job, Action.START)

    await start(lab, job)
    await lab.until_state(job, State.RUNNING)
    await until_idle(lab)
    assert bytes(cutter.received) == SHORT

    # All was taken at once, into its memory; it cuts for half an hour still, and nobody says that it is done.
    read = await lab.read(job)
    assert (read.job, read.machine, read.asked) == ("running", "busy", ())
    assert read.percent is not None
    assert read.percent < 10
    assert {"finish", "fail", "stopped", "ask-stop"} <= read.actions
    assert "start" not in read.actions

    await say(lab, job, Action.FINISH)
    assert (await lab.read(job)).machine == "needs_clearing"
    await clear(lab)
    assert (await lab.job(job)).state == State.READY
    assert (await lab.read(job)).machine == "free"
    assert await lab.history(job) == ["claim", "load", "start", "finish", "shelve"]
    order = await lab.order(job)
    assert (order.state, order.outcome) == (OrderState.DONE, "accepted")
    assert bytes(cutter.received) == SHORT


async def test_it_works_from_the_first_byte_that_was_taken_and_is_never_further_than_what_was_taken(
    slow_lab: LineLab, slow: Cutter
) -> None:
    lab = slow_lab
    job = await cutting(lab, slow)
    assert len(slow.received) < len(LONG)
    assert (await lab.order(job)).state == OrderState.DONE
    read = await lab.read(job)
    assert (read.job, read.machine, read.asked) == ("running", "busy", ())

    # The clock says that it should be done by now; it has not even taken the half.
    def long_ago() -> None:
        Attempt.objects.update(started_at=timezone.now() - timedelta(hours=1))

    await lab.db(long_ago)
    attempt = await lab.until(lambda: lab.attempt(job), lambda found: found.sent_bytes > 50_000)
    read = await lab.read(job)
    assert read.percent is not None
    assert 100 * attempt.sent_bytes / len(LONG) - 0.1 <= read.percent < 99


async def test_ask_stop_cuts_the_line_at_once_and_the_plate_waits_for_a_persons_word(
    slow_lab: LineLab, slow: Cutter
) -> None:
    lab = slow_lab
    job = await cutting(lab, slow)
    await lab.press(job, Action.ASK_STOP, by="owner")
    await until_idle(lab)

    assert len(slow.received) < len(LONG)
    read = await lab.read(job)
    assert (read.job, read.machine) == ("stopping", "busy")
    await say(lab, job, Action.STOPPED, reason="asked")
    assert (await lab.job(job)).state == State.CANCELLED
    assert (await lab.machine()).plate == Plate.TO_CLEAR
    assert slow.received.count(b"IN;") == 1


async def test_whoever_says_that_it_has_ended_cuts_the_line_too(slow_lab: LineLab, slow: Cutter) -> None:
    """Else the rest would be cut out of the next person's vinyl."""
    lab = slow_lab
    job = await cutting(lab, slow)
    await say(lab, job, Action.FAIL, reason="other")
    await until_idle(lab)
    assert len(slow.received) < len(LONG)
    assert (await lab.read(job)).machine == "needs_clearing"


async def test_where_nobody_listens_it_is_loaded_again_and_the_right_to_that_start_is_used_up(
    cast: Cast, settings: Settings
) -> None:
    with ExitStack() as power:
        cutter = power.enter_context(Cutter())
        settings.MACHINE_NETWORKS = [f"127.0.0.1:{cutter.port}"]
        async with at(cutter, cast) as lab:
            job = await lab.put_loaded(SHORT)
            power.close()
            await start(lab, job)
            order = await lab.until(lambda: lab.order(job), lambda found: found.settled_at is not None)
            await until_idle(lab)

            assert (order.state, order.outcome) == (OrderState.REFUSED, "connection_refused")
            attempt, machine = await lab.attempt(job), await lab.machine()
            assert (attempt.start_sent_at, attempt.unsure_since, machine.plate_token) == (None, None, "")
            read = await lab.read(job)
            assert (read.job, read.asked, "start" in read.actions) == ("loaded", (), True)
            assert cutter.received == b""


async def test_a_line_that_breaks_in_the_middle_leaves_it_to_people_and_nothing_is_sent_again(
    make_cutter: MakeCutter, cast: Cast
) -> None:
    cutter = make_cutter(behaviours.resets_after(100_000))
    async with at(cutter, cast) as lab:
        job = await lab.put_loaded(LONG)
        await start(lab, job)
        attempt = await lab.until_unsure(job, Why.LINE_BROKEN)
        assert 0 < attempt.sent_bytes < len(LONG)
        read = await lab.read(job)
        assert (read.job, read.machine, read.asked) == ("unsure", "unreachable", ())
        connections, taken = cutter.connections, len(cutter.received)

        await lab.restart()
        await lab.supervisor.tick()
        await lab.until(lab.machine, lambda found: found.report == "ready")
        await until_idle(lab)
        assert len(cutter.received) == taken
        assert cutter.connections <= connections + 1  # somebody listens there: no byte was written

        await say(lab, job, Action.FAIL, reason="other")
        assert (await lab.read(job)).machine == "needs_clearing"


async def test_case_8_a_lease_that_is_lost_in_the_middle_cuts_the_line_and_its_new_owner_asks_people(
    slow_lab: LineLab, slow: Cutter
) -> None:
    """Whoever has the machine then could not stop it."""
    lab = slow_lab
    job = await cutting(lab, slow)

    def lose() -> None:
        Machine.objects.filter(pk=lab.cast.machine.pk).update(lease_owner="", lease_until=None)

    await lab.db(lose)
    await lab.supervisor.keep_leases()
    taken = len(slow.received)
    assert taken < len(LONG)
    await lab.supervisor.take_stock()
    await lab.until_unsure(job, Why.LINE_BROKEN)
    assert (await lab.read(job)).job == "unsure"
    assert slow.received.count(b"IN;") == 1


async def test_a_lease_that_ran_out_in_the_middle_because_we_were_frozen_cuts_the_line(
    slow_lab: LineLab, slow: Cutter
) -> None:
    lab = slow_lab
    job = await cutting(lab, slow)
    lab.supervisor.watches[lab.cast.machine.pk].lease.until = float("-inf")
    await lab.until_unsure(job, Why.LINE_BROKEN)
    assert len(slow.received) < len(LONG)


async def test_a_supervision_that_is_told_to_end_cuts_the_line_and_says_so_before_it_goes(
    slow_lab: LineLab, slow: Cutter
) -> None:
    lab = slow_lab
    job = await cutting(lab, slow)
    await lab.supervisor.close()
    attempt = await lab.attempt(job)
    assert attempt.unsure_why == Why.LINE_BROKEN
    assert len(slow.received) < len(LONG)
    assert (await lab.read(job)).job == "unsure"


@pytest.mark.killed
async def test_killed_in_the_middle_it_is_unsure_after_the_restart_and_never_streamed_again_by_itself(
    slow: Cutter, cast: Cast
) -> None:
    async with line_lab(cast, "rawtcp", slow.address, format="hpgl") as lab:
        with supervising("test") as running:
            await lab.until(lab.machine, lambda found: found.report == "ready")
            job = await lab.put(LONG)
            await lab.until_state(job, State.LOADED)
            await lab.press(job, Action.START, plate_clear=True)
            await lab.until_state(job, State.RUNNING)
            await asyncio.to_thread(slow.wait_until, 10_000)
            running.kill()

        await lab.supervisor.take_stock()
        await lab.until_unsure(job, Why.LINE_BROKEN)
        read = await lab.read(job)
        assert (read.job, read.machine) == ("unsure", "unreachable")
        await lab.supervisor.tick()
        await until_idle(lab)
        assert slow.received.count(b"IN;") == 1
        await say(lab, job, Action.STOPPED, reason="asked")
        assert (await lab.machine()).plate == Plate.TO_CLEAR


async def test_an_order_that_is_too_old_void_or_for_another_file_sends_no_byte(
    lab: LineLab, cutter: Cutter
) -> None:
    job = await lab.put_loaded(SHORT)

    def pressed(**changes: object) -> None:
        lifecycle.press(
            job, Action.START, actor=lab.cast.person("staff"), at=timezone.now(), plate_clear=True
        )
        Order.objects.filter(state=OrderState.WAITING).update(**changes)

    async def outcome() -> str:
        await lab.supervisor.tick()
        order = await lab.until(lambda: lab.order(job), lambda found: found.settled_at is not None)
        await until_idle(lab)
        return str(order.outcome)

    await lab.db(pressed, expires_at=timezone.now() - timedelta(seconds=1))
    assert await outcome() == "expired"
    await lab.db(pressed, plate_token="another")
    assert await outcome() == "plate_token"
    assert (await lab.job(job)).state == State.LOADED

    def change_the_file() -> None:
        Attempt.objects.get().machine_file.path.write_bytes(SHORT.replace(b"4000", b"9000"))

    await lab.db(change_the_file)
    await start(lab, job)
    await lab.until_state(job, State.SUBMITTED)  # its approval was for another file
    assert cutter.received == b""


async def test_a_port_that_is_down_matters_when_something_waits_for_it(lab: LineLab) -> None:
    def silent() -> None:
        Machine.objects.filter(pk=lab.cast.machine.pk).update(report="silent", plate=Plate.CLEAR)

    await lab.db(silent)
    job = await lab.put(SHORT)
    assert (await lab.read(job)).machine == "free"  # people may use it by its own buttons

    await lab.db(lambda: Machine.objects.update(report="ready"))
    await lab.supervisor.tick()
    await lab.until_state(job, State.LOADED)
    await lab.db(silent)
    assert (await lab.read(job)).machine == "unreachable"


async def test_only_who_may_order_a_start_by_line_is_offered_it(lab: LineLab) -> None:
    job = await lab.put_loaded(SHORT)
    assert "start" in (await lab.read(job, by="staff")).actions
    assert "start" not in (await lab.read(job, by="owner")).actions

    def operates_own() -> None:
        kind = lab.cast.kind
        kind.guide = {**kind.guide, "owner_operates": True}
        kind.save()

    await lab.db(operates_own)
    actions = (await lab.read(job, by="owner")).actions
    assert "start" not in actions
    assert "fail" in actions  # they stand there: their word holds
