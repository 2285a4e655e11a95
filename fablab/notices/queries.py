"""What a person has to read."""

from fablab.notices.models import Notice
from fablab.people.models import User

MOST = 20  # on a page; who did not look for weeks reads the newest


def unread_of(person: User) -> list[Notice]:
    """Return the person's unread messages, the newest first, at most ``MOST``."""
    return list(Notice.objects.filter(person=person, seen_at__isnull=True)[:MOST])
