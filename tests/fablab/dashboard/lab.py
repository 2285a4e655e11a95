"""A lab with everybody in it, as the desks' tests need it; and who may see what, asked in one line."""

from datetime import datetime
from typing import Any

from django.test import Client
from django.utils import timezone

from fablab.people.models import User
from tests.builders_jobs import Cast, make_cast

PARTS = ("owner", "other_member", "instructor", "staff", "manager", "elsewhere")


def open_lab() -> tuple[Cast, datetime]:
    """Make the lab as it is now: machines were heard a moment ago, those on duty said that they are there."""
    at = timezone.now()
    return make_cast(at=at), at


def as_(person: User) -> Client:
    """Return a browser that this person is signed in with."""
    client = Client()
    client.force_login(person)
    return client


def text_of(response: Any) -> str:
    """Return a page as text, with plain spaces."""
    return str(response.content.decode()).replace("\u202f", " ").replace("\u00a0", " ")


def statuses(cast: Cast, address: str, *, post: dict[str, str] | None = None) -> dict[str, int]:
    """Return what each part is answered at an address: a GET, or a POST of a form."""
    found = {}
    for part in PARTS:
        client = as_(cast.person(part))
        answer = client.get(address) if post is None else client.post(address, post)
        if answer.streaming:
            answer.getvalue()  # read to the end, the file is closed
        found[part] = answer.status_code
    return found
