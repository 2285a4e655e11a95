"""The room's door: every write of a job, by subject.

* ``drafts``: made, changed, prepared
* ``press``: what a person asks for: acts and orders; the plate
* ``handover``: a person takes a job to a machine without a link
* ``moving``: what staff change in the queue
* ``starting``: orders to start, how far apart, and those without a press
* ``attempts``: what dispatch and supervision do and report; orders as they take them
* ``apply``: the one writer of ``Job.state``, under all of them
"""

from jobs.lifecycle.apply import apply
from jobs.lifecycle.attempts import (
    SKEW,
    claim,
    expire_orders,
    note_not_started,
    note_progress,
    note_put_off,
    note_remote_deleted,
    note_sending,
    note_sent,
    note_start_sent,
    note_taken,
    note_unsure,
    note_waiting,
    settle_order,
    step_attempt,
    take_order,
)
from jobs.lifecycle.drafts import (
    attach_machine_file,
    change_job,
    create_job,
    preparation_ended,
    upload_inspected,
)
from jobs.lifecycle.handover import take, use_now
from jobs.lifecycle.moving import move
from jobs.lifecycle.press import clear_plate, press
from jobs.lifecycle.starting import stagger, start_by_itself

__all__ = [
    "SKEW",
    "apply",
    "attach_machine_file",
    "change_job",
    "claim",
    "clear_plate",
    "create_job",
    "expire_orders",
    "move",
    "note_not_started",
    "note_progress",
    "note_put_off",
    "note_remote_deleted",
    "note_sending",
    "note_sent",
    "note_start_sent",
    "note_taken",
    "note_unsure",
    "note_waiting",
    "preparation_ended",
    "press",
    "settle_order",
    "stagger",
    "start_by_itself",
    "step_attempt",
    "take",
    "take_order",
    "upload_inspected",
    "use_now",
]
