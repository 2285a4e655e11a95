"""The lock of a person's own times."""

from django.db import connection

from fablab.core.prepared import Prepared
from fablab.people.models import User


def lock_person(person: User) -> None:
    """Have one booking of a person written at a time: hours of the week are counted, no constraint holds them.

    After the machine's lock, always. SQLite's transactions exclude each other anyway.
    """
    if connection.features.has_select_for_update:
        _LOCKED(person.pk)


_LOCKED = Prepared(
    lambda person_id: User.objects.select_for_update(no_key=True).filter(pk=person_id).values_list("pk")
)
