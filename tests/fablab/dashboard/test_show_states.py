"""Every state of an object, in three languages: plain words, and nothing that only a program understands."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from jobs.lifecycle.models import Job
from jobs.lifecycle.states import ON_MACHINE, State
from tests.builders_jobs import Cast, make_job

pytestmark = pytest.mark.django_db
LANGUAGES = ("fr", "en", "ar")
# Words of programs, and codes with an underscore, in what people read (UX-4).
DENIED = re.compile(
    r"\b(error|operational|null|none|undefined|traceback|exception|nan|409|500)\b|\b[a-z]+_[a-z_]+\b",
    re.IGNORECASE,
)
NOT_READ = re.compile(r"<(script|style|svg)\b.*?</\1>|<[^>]*>|<!--.*?-->", re.DOTALL)
REASONS = {
    State.NEEDS_CHANGES: "too_big",
    State.REJECTED: "not_allowed_object",
    State.FAILED: "spaghetti",
    State.CANCELLED: "by_owner",
}


def words_of(page: str) -> str:
    """Return what people read of a page: without markup, and what readers of screens hear of attributes."""
    body = page[page.index("<body") :]
    spoken = re.findall(r'(?:aria-label|alt|title|placeholder|data-speak)="([^"]*)"', body)
    return " ".join([NOT_READ.sub(" ", body), *spoken])


def in_state(cast: Cast, state: State) -> Job:
    now = timezone.now()
    job = make_job(cast, state=state, at=now)
    Job.objects.filter(pk=job.pk).update(
        reason=REASONS.get(state, ""),
        shelf="B2" if state in {State.READY, State.COLLECTED} else "",
        percent=42.4 if state in ON_MACHINE else None,
        seconds_left=1500 if state in ON_MACHINE else None,
        progress_at=now if state in ON_MACHINE else None,
        waiting_for=[{"code": "plate_to_clear", "params": {"machine": "Rouge"}}]
        if state is State.QUEUED
        else [],
    )
    return job


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", list(State))
def test_the_page_of_an_object_speaks_plainly_in_every_state(
    client: Client, cast: Cast, state: State, language: str
) -> None:
    job = in_state(cast, state)
    client.force_login(cast.person("owner"))
    client.cookies["django_language"] = language
    for address in (f"/objets/{job.pk}/", "/objets/", "/"):
        answer = client.get(address)
        assert answer.status_code == 200
        page = answer.content.decode()
        assert f'lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}"' in page
        denied = DENIED.search(words_of(page))
        assert denied is None, f"{address}: {denied and denied.group()!r}"
