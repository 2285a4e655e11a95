"""What does not belong in the log."""

import logging
import re

PROBES = frozenset({"/readyz", "/healthz"})
FEED = re.compile(r"/agenda/[^/\s]+\.ics")


def not_a_probe(record: logging.LogRecord) -> bool:
    """Leave out that a probe was told "not ready": that is an answer, and a probe asks again within a second."""
    return getattr(getattr(record, "request", None), "path", None) not in PROBES


def without_a_trace(record: logging.LogRecord) -> bool:
    """Have a page that somebody may not open be one line: where it was refused tells nobody anything."""
    if record.name == "django.request" and getattr(record, "status_code", 500) < 500:
        record.exc_info = record.exc_text = None
    return True


def without_feed_addresses(record: logging.LogRecord) -> bool:
    """Leave out which calendar feed was asked for in vain, or too often: who knows its address reads it (SEC-25)."""
    said = record.getMessage()
    if FEED.search(said):
        record.msg, record.args = FEED.sub("/agenda/….ics", said), None
    return True
