"""Gathers the rooms' tables for Django; nothing else imports this."""

from jobs.lifecycle.models import (
    Approval,
    Attempt,
    AttemptJob,
    AttemptSample,
    Job,
    JobEvent,
    Order,
    Still,
)
from jobs.preparation.models import Preparation
from jobs.recovery.models import Interruption
from jobs.uploads.models import Upload
from jobs.worklist.models import Handling

__all__ = [
    "Approval",
    "Attempt",
    "AttemptJob",
    "AttemptSample",
    "Handling",
    "Interruption",
    "Job",
    "JobEvent",
    "Order",
    "Preparation",
    "Still",
    "Upload",
]
