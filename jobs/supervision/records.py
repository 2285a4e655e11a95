"""The database side of supervision: short calls that threads make, none of which enters the network."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import override

from equipment.drivers.base import Driver as MachineDriver
from equipment.machines import services as machines
from equipment.machines.connection import driver_for
from equipment.machines.locks import lock_machine
from equipment.machines.models import Machine
from equipment.machines.queries import watched_machines
from equipment.machines.states import Plate
from fablab.core.errors import DomainError
from jobs.dispatch.services import give_back
from jobs.lifecycle import services as lifecycle
from jobs.lifecycle.models import Order
from jobs.lifecycle.queries import (
    LiveAttempt,
    live_attempt,
    live_attempts,
    undeleted_remote_files,
    waiting_orders,
)
from jobs.lifecycle.states import UNSETTLED, OrderState, Source, State, Verb
from jobs.lifecycle.table import Action
from jobs.supervision import facts
from jobs.supervision.facts import Decision, LiveTry
from jobs.supervision.memory import KeptMachine
from jobs.supervision.words import HALTED

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Situation:
    """A machine and what is on it, as the database has it now.

    ``order_holds``: the order of a start that was sent would still allow a new one.
    """

    machine: Machine
    attempt: LiveAttempt | None
    waiting: tuple[tuple[str, Verb], ...]
    order_holds: bool

    @property
    def live_try(self) -> LiveTry | None:
        found = self.attempt
        if found is None:
            return None
        return LiveTry(
            state=found.state,
            path=found.remote_path,
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
    machine = Machine.objects.select_related("site", "model__kind").get(pk=machine_id)
    attempt = live_attempt(machine_id)
    orders = waiting_orders(machine_id) if attempt else []
    return Situation(
        machine=machine,
        attempt=attempt,
        waiting=tuple((order.pk, Verb(order.verb)) for order in orders),
        order_holds=attempt is not None
        and attempt.start_sent_at is not None
        and _taken_start(machine, attempt, at) is not None,
    )


def _taken_start(machine: Machine, attempt: LiveAttempt, at: datetime) -> str | None:
    """The order of a start that was sent and still allows one: in time, same supervisor, nothing on the plate since.

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
    return order.pk if order else None


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
            )
        for decision in decisions:
            try:
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
                machines.put_out_of_order(machine_id, actor=None, reason=str(HALTED), at=at)
        case facts.MarkPlate(why):
            with transaction.atomic():
                machines.mark_plate(lock_machine(machine_id), at=at, why=why)
        case facts.VoidToken(why):
            with transaction.atomic():
                machines.void_plate_token(lock_machine(machine_id), at=at, why=why)
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
            return True
        case facts.GiveBack(why) if attempt is not None:
            return give_back(attempt.id, why=why, blameless=True, at=at)
    return False


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
    """Note that a start which was about to be sent, or was refused, did not happen: loaded, as before."""
    lifecycle.settle_order(order_id, state=OrderState.REFUSED, outcome=outcome, at=at)
    lifecycle.note_not_started(attempt_id, at=at)


def settle(order_id: str, *, state: OrderState, outcome: str, at: datetime) -> None:
    lifecycle.settle_order(order_id, state=state, outcome=outcome, at=at)


def start_order_that_holds(machine_id: str, *, lease_number: int, at: datetime) -> str | None:
    """Return the order that allows the one new start, judged anew right before it is sent."""
    machine = Machine.objects.select_related("model__kind").get(pk=machine_id)
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


def census() -> list[Watched]:
    """Return the machines that somebody must watch."""
    return [Watched(machine.pk, machine.connection_number) for machine in watched_machines()]


def open_driver(machine_id: str) -> MachineDriver:
    """Return a driver for the machine as it is configured now."""
    return driver_for(Machine.objects.get(pk=machine_id))


def pulse(machine_ids: list[str]) -> Mapping[str, object]:
    """Return, for each machine, something that differs when a person, or dispatch, has changed what is on it."""
    found: dict[str, tuple[object, ...]] = dict.fromkeys(machine_ids, ())
    for machine_id, attempt in live_attempts(machine_ids).items():
        states = sorted((part.job_id, part.job.state) for part in attempt.parts.all() if part.live)
        found[machine_id] = (attempt.pk, *states)
    orders = Order.objects.filter(state=OrderState.WAITING, attempt__machine_id__in=machine_ids)
    for machine_id, order_id in orders.values_list("attempt__machine_id", "pk").order_by("created_at"):
        found[machine_id] = (*found[machine_id], order_id)
    return found


def files_to_delete(machine_id: str) -> list[tuple[str, str]]:
    return undeleted_remote_files(machine_id)
