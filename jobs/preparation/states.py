"""States of a preparation; ``none`` (nothing to prepare) is the absence of a row."""

from enum import StrEnum


class PreparationState(StrEnum):
    RUNNING = "running"  # waits for a worker, or is being worked on
    READY = "ready"
    FAILED = "failed"
    NEEDS_SLICING = "needs_slicing"  # no slicer here: an instructor attaches the machine file
