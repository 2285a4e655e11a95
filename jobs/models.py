"""Gathers the rooms' tables for Django; nothing else imports this."""

from jobs.lifecycle.models import Approval, Attempt, AttemptJob, Job, JobEvent, Order
from jobs.preparation.models import Preparation
from jobs.uploads.models import Upload

__all__ = ["Approval", "Attempt", "AttemptJob", "Job", "JobEvent", "Order", "Preparation", "Upload"]
