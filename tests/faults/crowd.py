"""Many real processes that do the same thing at the same moment, on the test's own database.

One process sets Django up and forks the others, so that twenty cost little more than one. A gate holds all of them
until each has looked; ``GAP_S`` is held open between the look and the write.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from django.conf import settings

from tests.jobs.supervision.processes import database_url

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE_S = 120
PROGRAM = """
import json, multiprocessing, sys, time
import django
django.setup()
from django.db import connections
from fablab.core.errors import DomainError

work = json.load(sys.stdin)
fork = multiprocessing.get_context("fork")
gate = fork.Barrier(work["many"])
told = fork.Queue()

def book(number):
    from datetime import datetime
    from django.utils import timezone
    from equipment.bookings import services
    from fablab.people.models import User
    person = User.objects.get(pk=work["people"][number])

    def hold(point):
        if point == "judged":
            gate.wait(60)
        else:
            time.sleep(work["gap_s"])

    services.failpoint = hold
    start, end, at = (datetime.fromisoformat(work[name]) for name in ("start", "end", "at"))
    services.book(person=person, machine_id=work["machine"], start=start, end=end, actor=person, at=at)
    return "booked"

def claim(number):
    from datetime import datetime
    from jobs.lifecycle import services
    gate.wait(60)
    at = datetime.fromisoformat(work["at"])
    services.claim(work["job"], work["machine"], lease_number=1, at=at)
    return "claimed"

def one(number):
    try:
        told.put({"book": book, "claim": claim}[work["what"]](number))
    except DomainError as refusal:
        told.put("+".join(refusal.codes))
    except BaseException as problem:
        told.put(f"{type(problem).__name__}: {problem}")

connections.close_all()
children = [fork.Process(target=one, args=(number,)) for number in range(work["many"])]
for child in children:
    child.start()
outcomes = [told.get(timeout=60) for _ in children]
for child in children:
    child.join(10)
print(json.dumps(outcomes))
"""


def all_at_once(what: str, many: int, **values: object) -> Counter[str]:
    """Have ``many`` processes ``book`` or ``claim`` together; return how often each was told what."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "fablab.settings",
        "DATABASE_URL": database_url(),
        "FABLAB_VAR": str(settings.VAR_DIR),
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        cwd=PROJECT,
        env=environment,
        input=json.dumps({"what": what, "many": many, **values}, default=str),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    return Counter(json.loads(done.stdout))
