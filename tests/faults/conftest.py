"""The labs with real machines that the tests of supervision use."""

from tests.jobs.supervision.conftest import cast, lab, make_lab

__all__ = ["cast", "lab", "make_lab"]
