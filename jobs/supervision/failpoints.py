"""Named places where tests have this process kill itself, as a power cut would (fault cases 3 and 4)."""

import os
import signal

from django.conf import settings

AFTER_UPLOAD = "after_upload"
BEFORE_START_SENT = "before_start_sent"
AFTER_START_ACCEPTED = "after_start_accepted"


def passing(name: str) -> None:
    """Die here, when an installation made for tests was told to. Never in any other."""
    if settings.DEBUG_FAILPOINTS and os.environ.get("FABLAB_FAILPOINT") == name:
        os.kill(os.getpid(), signal.SIGKILL)
