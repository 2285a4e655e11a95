"""The database side of supervision: short calls that threads make, none of which enters the network."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import override

from equipment.bookings import hit
from equipment.drivers.base import Driver as MachineDriver
from equipment.machines import services as machines
from equipment.machines.connection import driver_for
from equipment.machines.locks import lock_machine
from equipment.machines.models import Machine
from equipment.machines.outages import in_outage
from equipment.machines.queries import watched_machines
from equipment.machines.states import Plate
from equipment.sites.queries import open_until
from fablab.core.errors import DomainError
from jobs.dispatch import services as dispatch
from jobs.dispatch.services import give_back
from jobs.lifecycle import estimates
from jobs.lifecycle import services as lifecycle
from jobs.lifecycle.models import Attempt, AttemptJob, Order
from jobs.lifecycle.on_machines import LiveAttempt, live_attempt, undeleted_remote_files, waiting_orders
from jobs.lifecycle.states import UNSETTLED, OrderState, Source, State, Verb
from jobs.lifecycle.table import Action
from jobs.supervision import facts
from jobs.supervision.facts import Decision, LiveTry
from jobs.supervision.memory import KeptMachine
from jobs.supervision.words import DOES_NOT_START, HALTED

logger = logging.getLogger(__name__)

MOST_STARTS = 3  # of one try, each proven not to have happened: then it has failed, and the machine is held


# Decoding these costs more than all the rest of a situation, which is read at every look.
_NOT_READ = (
    "model__limits",
    "model__formats",
    "model__prepares",
    "model__materials",
    "model__qualities",
    "model__kind__names",
    "model__kind__guide",
)


@dataclass(frozen=True)
class Situation:
    """A machine and what is on it, as the database has it now.

    ``order_holds``: the order of a start that was sent would still allow a new one.
    """

    machine: Machine
    attempt: LiveAttempt | None
    waiting: tuple[tuple[str, Verb], ...]
    order_holds: bool
    in_outage: bool = False  # one that was planned, also where nobody has put the machine out of order

    @property
    def out_of_order(self) -> bool:
        return self.in_outage or self.machine.out_of_order_since is not None

    @property
    def live_try(self) -> LiveTry | None:
        found = self.attempt
        if found is None:
            return None
        return LiveTry(
            state=found.state,
            path="" if found.state is State.SENDING else found.remote_path,  # noted before it is there
            sha1=found.remote_sha1,
            size=found.file_size,
            runs=found.remote_runs,
            start_sent=found.start_sent_at is not None,
            unsure_why=found.unsure_why if found.unsure_since else "",
        )

    @property
    def kept(self) -> KeptMachine:
        return KeptMachine(
            plate_open=self.machine.plate == Plate.CLEAR,
            plate_token=bool(self.machine.plate_token),
            out_of_order=self.machine.out_of_order_since is not None,
        )


def situation(machine_id: str, *, at: datetime) -> Situation:
    """Read what a decision rests on. Raises ``Machine.DoesNotExist`` for one that was removed."""
    looked_up = Machine.objects.select_related("site", "model__kind").annotate(now_out=in_outage(at))
    machine = looked_up.defer(*_NOT_READ).get(pk=machine_id)
    attempt = live_attempt(machine_id)
    orders = waiting_orders(machine_id) if attempt else []
    return Situation(
        machine=machine,
        attempt=attempt,
        waiting=tuple((order.pk, Verb(order.verb)) for order in orders),
        order_holds=attempt is not None
        and attempt.start_sent_at is not None
        and not machine.now_out
        and _taken_start(machine, attempt, at) is not None,
        in_outage=machine.now_out,
    )


def _taken_start(machine: Machine, attempt: LiveAttempt, at: datetime) -> Order | None:
    """The order of a start that was sent and still allows one: in time, same supervisor, nothing on the plate since,
    still open.

    Its own token was used up when it was taken; a newer one would belong to another order.
    """
    if machine.plate != Plate.CLEAR and machine.model.kind.needs_plate:
        return None
    if machine.plate_token or machine.out_of_order_since is not None:
        return None
    order = Order.objects.filter(
        attempt_id=attempt.id,
        verb=Verb.START,
        state=OrderState.TAKEN,
        expires_at__gt=at,
        created_at__lte=at + lifecycle.SKEW,
        lease_number=machine.lease_number,
    ).first()
    return order if order is not None and open_until(machine.site, at) is not None else None


# --- what was heard, and what follows -------------------------------------------------------------------------


@dataclass(frozen=True)
class Heard:
    """What a machine says of itself, as its row keeps it."""

    report: str
    path: str = ""
    foreign: bool = False
    error: str = ""


def keep(found: Situation, heard: Heard | None, decisions: Iterable[Decision], *, at: datetime) -> bool:
    """Write what was heard and carry out what was decided. Returns whether a job moved.

    Each write stands alone: one that is refused, because a person was quicker, leaves the others.
    """
    moved = False
    try:
        if heard is not None:
            machines.hear(
                found.machine.pk,
                report=heard.report,
                path=heard.path,
                foreign=heard.foreign,
                error=heard.error,
                at=at,
                lease_number=found.machine.lease_number,
            )
        for decision in decisions:
            try:
                with transaction.atomic():
                    # What was decided before this process was frozen is not written when it wakes.
                    if lock_machine(found.machine.pk).lease_number != found.machine.lease_number:
                        return moved
                    moved = _carry_out(found, decision, at) or moved
            except DomainError as refusal:
                logger.info("%s: %s was refused: %s", found.machine.pk, type(decision).__name__, refusal.code)
    except DomainError as refusal:
        logger.info("%s: what it said was not kept: %s", found.machine.pk, refusal.code)
    return moved


def _carry_out(found: Situation, decision: Decision, at: datetime) -> bool:
    machine_id = found.machine.pk
    attempt = found.attempt
    match decision:
        case facts.HoldMachine(error):
            logger.warning("%s: the firmware halted: %s", machine_id, error)
            with override("fr"):
                hit.put_out_of_order(machine_id, actor=None, reason=str(HALTED), at=at)
        case facts.MarkPlate(why):
            with transaction.atomic():
                machines.mark_plate(lock_machine(machine_id), at=at, why=why)
        case facts.VoidToken(why):
            with transaction.atomic():
                machines.void_plate_token(lock_machine(machine_id), at=at, why=why)
        case facts.EndRight(why) if attempt is not None:
            _settle_start(attempt.id, OrderState.UNKNOWN, why, at)
        case facts.Unsure(why) if attempt is not None:
            lifecycle.note_unsure(attempt.id, why, at=at)
        case facts.Step(action, reason, details) if attempt is not None:
            moved = lifecycle.step_attempt(
                attempt.id, action, source=Source.MACHINE, at=at, reason=reason, **details
            )
            if action is Action.START:
                _settle_start(attempt.id, OrderState.DONE, "seen", at)
            return moved
        case facts.NotStarted() if attempt is not None:
            _settle_start(attempt.id, OrderState.UNKNOWN, "start_not_seen", at)
            lifecycle.note_not_started(attempt.id, at=at)
            if _starts_sent(attempt.id) >= MOST_STARTS:
                _give_up(machine_id, attempt.id, at)
            return True
        case facts.GiveBack(why) if attempt is not None:
            return give_back(attempt.id, why=why, blameless=True, at=at)
    return False


def _starts_sent(attempt_id: str) -> int:
    """How many orders to start this try left us. After a proof that nothing started, none of them did anything."""
    return Order.objects.filter(
        attempt_id=attempt_id, verb=Verb.START, state__in=[OrderState.DONE, OrderState.UNKNOWN]
    ).count()


def _give_up(machine_id: str, attempt_id: str, at: datetime) -> None:
    """A machine that does not start when it is told to is not told for ever: staff look at it (REL-2)."""
    logger.warning("%s: %d starts, and none happened", machine_id, MOST_STARTS)
    lifecycle.step_attempt(
        attempt_id, Action.FAIL, source=Source.MACHINE, at=at, reason=facts.Why.NEVER_STARTED
    )
    with override("fr"):
        hit.put_out_of_order(machine_id, actor=None, reason=str(DOES_NOT_START), at=at)


def _settle_start(attempt_id: str, state: OrderState, outcome: str, at: datetime) -> None:
    for order in Order.objects.filter(attempt_id=attempt_id, verb=Verb.START, state__in=list(UNSETTLED)):
        lifecycle.settle_order(order.pk, state=state, outcome=outcome, at=at)


# --- orders ---------------------------------------------------------------------------------------------------


def take(order_id: str, *, lease_number: int, at: datetime) -> Order | None:
    """Take an order for sending. A start is noted as sent in the same transaction, before it leaves.

    An order for a machine that another supervisor owns by now is left to it.
    """
    with transaction.atomic():
        machine_id = Order.objects.values_list("attempt__machine_id", flat=True).get(pk=order_id)
        if lock_machine(machine_id).lease_number != lease_number:
            return None
        order = lifecycle.take_order(order_id, lease_number=lease_number, at=at)
        if order is not None and order.verb == Verb.START:
            lifecycle.note_start_sent(order.attempt_id, at=at)
    return order


def start_surely_not_sent(order_id: str, attempt_id: str, *, outcome: str, at: datetime) -> None:
    """Note that a start which was about to be sent, or was refused, did not happen: loaded, as before.

    Only while that order is open: once it was settled, the start that is noted with the attempt may be a newer one, of
    the supervisor that owns the machine by now.
    """
    with transaction.atomic():
        lock_machine(Attempt.objects.values_list("machine_id", flat=True).get(pk=attempt_id))
        if not Order.objects.filter(pk=order_id, state__in=list(UNSETTLED)).exists():
            return
        lifecycle.settle_order(order_id, state=OrderState.REFUSED, outcome=outcome, at=at)
        lifecycle.note_not_started(attempt_id, at=at)


def settle(order_id: str, *, state: OrderState, outcome: str, at: datetime) -> None:
    lifecycle.settle_order(order_id, state=state, outcome=outcome, at=at)


def start_order_that_holds(machine_id: str, *, lease_number: int, at: datetime) -> Order | None:
    """Return the order that allows the one new start, judged anew right before it is sent."""
    machine = Machine.objects.select_related("site", "model__kind").get(pk=machine_id)
    attempt = live_attempt(machine_id)
    if attempt is None or attempt.state is not State.LOADED or machine.lease_number != lease_number:
        return None
    return _taken_start(machine, attempt, at)


# --- which machines, and what changed -------------------------------------------------------------------------


@dataclass(frozen=True)
class Watched:
    """A machine to be watched. ``connection`` grows when driver, address or key change."""

    id: str
    connection: int
    lease: machines.Lease


def census() -> list[Watched]:
    """Return the machines that somebody must watch."""
    rows = watched_machines().only("connection_number", "lease_owner", "lease_number", "lease_until")
    return [
        Watched(
            row.pk, row.connection_number, machines.Lease(row.lease_owner, row.lease_number, row.lease_until)
        )
        for row in rows.select_related(None)
    ]


def take_machines(
    wanted: Mapping[str, machines.Lease | None], *, owner: str, at: datetime, seconds: float
) -> dict[str, tuple[int, MachineDriver]]:
    """Take these machines' leases and open their drivers; return lease number and driver of those we got.

    ``wanted``: with another's lease where that has lapsed. One that cannot be watched is given up again.
    """
    found = {}
    for machine_id, lapsed in wanted.items():
        number = machines.take_lease(machine_id, owner=owner, at=at, seconds=seconds, lapsed=lapsed)
        if number is None:
            continue
        try:
            found[machine_id] = (number, driver_for(Machine.objects.get(pk=machine_id)))
        except (LookupError, ValueError) as problem:
            logger.error("%s: cannot be watched: %s", machine_id, problem)
            machines.drop_lease(machine_id, owner=owner)
    return found


def pulse(machine_ids: list[str]) -> Mapping[str, object]:
    """Return, for each machine, something that differs when a person, or dispatch, has changed what is on it."""
    found: dict[str, tuple[object, ...]] = dict.fromkeys(machine_ids, ())
    # Read each second for every machine: nothing but what is compared.
    parts = AttemptJob.objects.filter(
        live=True, attempt__ended_at__isnull=True, attempt__machine_id__in=machine_ids
    )
    for machine_id, *seen in parts.values_list(
        "attempt__machine_id", "attempt_id", "job_id", "job__state"
    ).order_by("attempt_id", "job_id"):
        found[machine_id] = (*found[machine_id], *seen)
    orders = Order.objects.filter(state=OrderState.WAITING, attempt__machine_id__in=machine_ids)
    for machine_id, order_id in orders.values_list("attempt__machine_id", "pk").order_by("created_at"):
        found[machine_id] = (*found[machine_id], order_id)
    return found


def line_has_taken(order_id: str, attempt_id: str, taken: int, *, begins: bool, at: datetime) -> None:
    """Note how many bytes a machine that makes what arrives has taken. ``begins``: the first: loaded → running."""
    if begins:
        lifecycle.settle_order(order_id, state=OrderState.DONE, outcome="accepted", at=at)
        lifecycle.step_attempt(attempt_id, Action.START, source=Source.MACHINE, at=at, accepted=True)
    lifecycle.note_taken(attempt_id, taken)
    estimates.tell_one(attempt_id, at)


def note_unsure(attempt_id: str, why: str, *, at: datetime) -> None:
    lifecycle.note_unsure(attempt_id, why, at=at)


def note_on_its_way(live: LiveAttempt) -> None:
    """Note where the file will lie, before its first byte leaves: whatever cuts the way there, it is removed later."""
    name = dispatch.remote_name(live.id, live.file_sha256, live.file_format)
    Attempt.objects.filter(pk=live.id).update(remote_path=f"{dispatch.FOLDER}/{name}")


def attempts_on_machines(attempt_ids: Iterable[str]) -> set[str]:
    """Return which of these tries have not ended: their files must lie where they are."""
    found = Attempt.objects.filter(pk__in=list(attempt_ids), ended_at__isnull=True)
    return set(found.values_list("pk", flat=True))


def files_to_delete(machine_id: str) -> list[tuple[str, str]]:
    return undeleted_remote_files(machine_id)
