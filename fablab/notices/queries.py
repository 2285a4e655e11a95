"""What a person has to read."""

from collections.abc import Collection

from fablab.notices.models import Notice
from fablab.people.models import User

MOST = 20  # on a page; who did not look for weeks reads the newest


def standing(code: str) -> set[str]:
    """Return the keys of the messages with this code that somebody has still to read. For who may take them back."""
    return set(Notice.objects.filter(code=code, seen_at__isnull=True).values_list("key", flat=True))


def told(keys: Collection[str]) -> set[tuple[str, str]]:
    """Return who was told of these events, as (key, person), whether they have read it or not."""
    return set(Notice.objects.filter(key__in=keys).values_list("key", "person_id"))


def keys_of(prefix: str) -> list[str]:
    """Return the events of which anybody was told whose key begins with ``prefix``, the first one first."""
    rows = Notice.objects.filter(key__startswith=prefix).order_by("at", "key")
    return list(dict.fromkeys(rows.values_list("key", flat=True)))


def unread_of(person: User) -> list[Notice]:
    """Return the person's unread messages, the newest first, at most ``MOST``."""
    return list(Notice.objects.filter(person=person, seen_at__isnull=True)[:MOST])


def unread_ids(person_id: str) -> list[str]:
    """Return the ids of what a person has to read, the newest first: what their pages watch."""
    rows = Notice.objects.filter(person_id=person_id, seen_at__isnull=True)
    return list(rows.values_list("pk", flat=True)[:MOST])


def count_unread(person: User) -> int:
    """Return how many messages wait for the person."""
    return Notice.objects.filter(person=person, seen_at__isnull=True).count()
