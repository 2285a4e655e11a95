"""Telling people something, once for each event."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from fablab.live import push
from fablab.notices.models import Notice
from fablab.people.models import User


def tell(
    person_ids: Iterable[str],
    code: str,
    params: Mapping[str, Any],
    *,
    key: str,
    at: datetime,
    link: str = "",
) -> int:
    """Leave a message for each of these people; return how many are new.

    ``code`` is that of a registered sentence, ``key`` names the event: who was told of it is not told again. The
    values must be JSON, and say nothing that this person may not read.
    """
    ids = set(person_ids)
    known = set(Notice.objects.filter(person_id__in=ids, key=key).values_list("person_id", flat=True))
    new = [
        Notice(person_id=person, key=key, code=code, params=dict(params), link=link, at=at)
        for person in sorted(ids - known)
    ]
    # Somebody may have told the same meanwhile: the database keeps one, and that is as good.
    Notice.objects.bulk_create(new, ignore_conflicts=True)
    push.changed(*(f"me:{one.person_id}" for one in new))
    return len(new)


def mark_seen(person: User, notice_id: str, *, at: datetime) -> bool:
    """Note that the person has read a message of theirs; False when there is none to read."""
    seen = Notice.objects.filter(person=person, pk=notice_id, seen_at__isnull=True).update(seen_at=at)
    if seen:
        push.changed(f"me:{person.pk}")
    return bool(seen)


def withdraw(key: str) -> int:
    """Take back what is no longer so and was not read yet; return how many messages."""
    unread = Notice.objects.filter(key=key, seen_at__isnull=True)
    people = list(unread.values_list("person_id", flat=True))
    unread.delete()
    push.changed(*(f"me:{person}" for person in people))
    return len(people)
