"""What does not belong in the log."""

import logging

PROBES = frozenset({"/readyz", "/healthz"})


def not_a_probe(record: logging.LogRecord) -> bool:
    """Leave out that a probe was told "not ready": that is an answer, and a probe asks again within a second."""
    return getattr(getattr(record, "request", None), "path", None) not in PROBES
