"""Pictures of what is broken, with an outage: seen by the people of the place while it lasts, gone a month after it.

What is stored here was drawn anew by us (``fablab.api.photos``): nothing of a person's file but its pixels, and never
its name.
"""

import logging
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import Q

from equipment.machines.models import Outage
from equipment.machines.outages import outage_for
from equipment.sites.queries import roles_of
from equipment.sites.states import ON_DUTY_ROLES
from fablab.core.errors import NotFound
from fablab.core.ids import new_id
from fablab.people.models import User

logger = logging.getLogger(__name__)

FOLDER = "outages"
KEPT_FOR = timedelta(days=30)  # after the outage
LARGEST_BYTES = 12 * 1024 * 1024  # as it is sent
LEFT_BEHIND_AFTER = timedelta(days=1)  # a file without a row
FEW = 5
NAME = re.compile(r"[0-9a-z]{14}\.jpg")


def new_name() -> str:
    """Return a name for a new picture that says nothing."""
    return f"{new_id()}.jpg"


def path_of(name: str) -> Path:
    """Return where a picture lies. Raises ``NotFound`` for what is no name of ours."""
    if not NAME.fullmatch(name):
        raise NotFound
    return Path(settings.MEDIA_ROOT) / FOLDER / name


def photo_for(viewer: User, outage_id: str, at: datetime) -> Path:
    """Return a picture's file: for the people of the place until the outage is over, then for those on duty.

    Raises ``NotFound``.
    """
    outage = outage_for(viewer, outage_id)
    over = outage.end is not None and outage.end <= at
    if not outage.photo or (over and not roles_of(viewer, outage.machine.site_id) & ON_DUTY_ROLES):
        raise NotFound
    return path_of(outage.photo)


def remove(names: Iterable[str]) -> None:
    """Remove these files; one that is gone already is as good."""
    for name in names:
        if name:
            path_of(name).unlink(missing_ok=True)


def forget_old(at: datetime) -> int:
    """Remove the pictures of outages that were over a month ago, or whose machine was retired then; return how many."""
    limit = at - KEPT_FOR
    due = Outage.objects.filter(Q(end__lte=limit) | Q(machine__retired_at__lte=limit)).exclude(photo="")
    return _forget(due.values_list("pk", "photo"))


def forget_of(person: User) -> int:
    """Remove every picture that a person put there; what they wrote of the machine warns without it."""
    return _forget(Outage.objects.filter(created_by=person).exclude(photo="").values_list("pk", "photo"))


def _forget(rows: Iterable[tuple[int, str]]) -> int:
    gone = 0
    for pk, name in list(rows):
        remove([name])  # first the file: a row that is left is found again
        gone += Outage.objects.filter(pk=pk, photo=name).update(photo="")
    return gone


def forget_without_rows(at: datetime) -> int:
    """Remove what a killed process left at a picture's place before its row was there; return how many those were.

    A kill leaves one: where many have no row this is not the database they belong to, and nothing is removed.
    """
    folder = Path(settings.MEDIA_ROOT) / FOLDER
    limit = (at - LEFT_BEHIND_AFTER).timestamp()
    old = {path.name: path for path in folder.glob("*.jpg") if path.stat().st_mtime < limit}
    known = set(Outage.objects.exclude(photo="").values_list("photo", flat=True))
    lost = sorted(set(old) - known)
    if len(lost) > min(FEW, len(known)):
        logger.error("%s of %s pictures of outages have no row: they are left", len(lost), len(old))
        return 0
    for name in lost:
        old[name].unlink(missing_ok=True)
    return len(lost)
