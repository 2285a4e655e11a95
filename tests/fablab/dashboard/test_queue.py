"""File d'attente: everything that waits, in the order of the plan, and the form that moves one of them."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from equipment.machines.models import Machine, MachineModel
from jobs.lifecycle.models import Job
from jobs.lifecycle.moving import Spot
from jobs.lifecycle.services import move
from jobs.lifecycle.states import State
from jobs.planning.queries import site_plan
from tests.builders import make_kind
from tests.builders_jobs import Cast, make_job
from tests.fablab.dashboard.lab import as_, text_of

pytestmark = pytest.mark.django_db


def page(cast: Cast, part: str = "staff", address: str = "/file/") -> str:
    answer = as_(cast.person(part)).get(address)
    assert answer.status_code == 200
    return text_of(answer)


def queued(cast: Cast, title: str, *, minutes_ago: int = 60) -> Job:
    job = make_job(cast, state=State.QUEUED, at=timezone.now() - timedelta(minutes=minutes_ago))
    Job.objects.filter(pk=job.pk).update(title=title)
    return job


def titles(said: str) -> list[str]:
    return re.findall(r'<p class="strong"><a href="/objets/[^"]*">([^<]*)<', said)


def working(cast: Cast) -> None:
    """Have the only machine make something, so that the plan says when and where the next ones begin."""
    make_job(cast, state=State.RUNNING, at=timezone.now())


def test_everything_that_waits_stands_in_the_order_of_the_plan(cast: Cast) -> None:
    working(cast)
    jobs = [queued(cast, title, minutes_ago=90 - n) for n, title in enumerate(("Vase", "Clé", "Boîte"))]
    move(jobs[2].pk, actor=cast.person("staff"), at=timezone.now(), reason="Expo", place=Spot.FIRST)
    assert titles(page(cast)) == ["Boîte", "Vase", "Clé"]
    planned = list(site_plan(cast.site.pk, timezone.now()))
    assert planned == [jobs[2].pk, jobs[0].pk, jobs[1].pk]


def test_a_row_says_place_number_owner_machine_and_why_it_waits(cast: Cast) -> None:
    working(cast)
    job = queued(cast, "Vase")
    said = page(cast)
    row = said[said.index(f'id="row-{job.pk}"') :]
    wanted = (f"n° {job.number}", "owner", cast.machine.name, "La machine fait un autre objet.")
    assert not [words for words in wanted if words not in row]
    assert '<bdi class="queue-place">1</bdi>' in row
    assert "1 objet attend" in said


def test_a_beginning_on_another_day_is_said_with_its_day(cast: Cast) -> None:
    job = queued(cast, "Vase")
    cast.site.opening_hours.all().delete()
    tomorrow = (timezone.now() + timedelta(days=2)).weekday()
    cast.site.opening_hours.create(weekday=tomorrow, opens=600, closes=1080)
    said = page(cast)
    start = site_plan(cast.site.pk, timezone.now())[job.pk].expected_start
    assert start is not None
    assert re.search(r"<bdi>[^<]+, vers 10 h</bdi>", said)


def test_it_is_narrowed_to_one_kind_of_machine_and_kinds_are_offered_only_when_there_are_several(
    cast: Cast,
) -> None:
    queued(cast, "Vase")
    assert "?type=" not in page(cast)
    cutter = make_kind("vinyl")
    other = MachineModel.objects.create(kind=cutter, name="CutStudio", formats=["hpgl"])
    Machine.objects.create(site=cast.site, model=other, name="Lame")
    Job.objects.filter(pk=queued(cast, "Autocollant").pk).update(machine_model=other)
    assert set(titles(page(cast))) == {"Vase", "Autocollant"}
    assert titles(page(cast, address=f"/file/?type={cutter.slug}")) == ["Autocollant"]
    assert set(titles(page(cast, address="/file/?type=nothing"))) == {"Vase", "Autocollant"}


def test_nobody_waits(cast: Cast) -> None:
    assert "Personne n’attend." in page(cast, "instructor")


def test_the_page_asks_the_same_of_the_database_whatever_waits(cast: Cast) -> None:
    client = as_(cast.person("staff"))

    def queries(count: int) -> int:
        while Job.objects.filter(state=State.QUEUED).count() < count:
            make_job(cast, state=State.QUEUED, at=timezone.now())
        client.get("/file/")
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert len(titles(text_of(client.get("/file/")))) == count
        return len(asked)

    assert queries(3) == queries(110)


# --- moving one ---------------------------------------------------------------------------------------------------


def test_only_staff_are_led_to_the_form_that_moves_it_and_come_back_to_the_queue(cast: Cast) -> None:
    first, second = queued(cast, "Vase", minutes_ago=70), queued(cast, "Clé")
    address = f"/objets/{second.pk}/?deplacer=file"
    assert f"{address}#move" in page(cast)
    assert "?deplacer" not in page(cast, "instructor")
    form = page(cast, address=address)
    assert '<details class="card" id="move" open>' in form
    assert '<input type="hidden" name="next" value="/file/">' in form
    sent: Any = as_(cast.person("staff")).post(
        f"/objets/{second.pk}/deplacer/", {"place": "first", "reason": "Expo", "next": "/file/"}
    )
    assert (sent.status_code, sent["Location"]) == (303, "/file/")
    assert list(site_plan(cast.site.pk, timezone.now())) == [second.pk, first.pk]


def test_what_was_chosen_stays_when_the_move_is_refused(cast: Cast) -> None:
    job = queued(cast, "Vase")
    staff = as_(cast.person("staff"))
    address = f"/objets/{job.pk}/deplacer/"
    refused = staff.post(address, {"place": "last", "reason": " ", "next": "/file/"})
    said = text_of(refused)
    assert refused.status_code == 400
    assert '<details class="card" id="move" open>' in said
    assert '<option value="last" selected>' in said
    assert 'name="next" value="/file/"' in said
    assert 'href="#move-reason"' in said
    refused = staff.post(address, {"reason": "Expo demain"})
    assert 'value="Expo demain"' in text_of(refused)
    assert Job.objects.get(pk=job.pk).priority == 0


def test_what_waits_no_more_is_not_moved_and_the_page_says_so(cast: Cast) -> None:
    job = queued(cast, "Vase")
    Job.objects.filter(pk=job.pk).update(state=State.CANCELLED)
    answer = as_(cast.person("staff")).post(
        f"/objets/{job.pk}/deplacer/", {"place": "last", "reason": "Expo"}, follow=True
    )
    assert answer.redirect_chain
    assert 'id="move"' not in text_of(answer)


def test_the_board_leads_to_the_whole_queue(cast: Cast) -> None:
    assert 'href="/file/"' in page(cast, "instructor", "/machines/")
