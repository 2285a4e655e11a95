"""Alive, ready, and figures for who may see them."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from fablab.api import health
from jobs.lifecycle.states import State
from tests.builders_jobs import Cast, make_job


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have this process serve sockets, as it does under its server."""
    monkeypatch.setattr(health, "live_layer_ready", lambda: True)


def test_a_process_that_answers_is_alive_without_asking_the_database() -> None:
    assert Client().get("/healthz").json() == {"status": "alive"}


def test_an_installation_is_ready_when_somebody_watches_its_machines(cast: Cast, live: None) -> None:
    waiting = Client().get("/readyz")
    assert waiting.status_code == 503
    assert waiting.json()["checks"] == {"database": True, "live": True, "supervision": False}
    cast.machine.lease_until = timezone.now() + timedelta(seconds=20)
    cast.machine.save()
    ready = Client().get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    cast.machine.lease_until = timezone.now() - timedelta(seconds=1)
    cast.machine.save()
    assert Client().get("/readyz").status_code == 503


@pytest.mark.django_db
def test_a_lab_without_linked_machines_needs_no_watch(live: None) -> None:
    assert Client().get("/readyz").status_code == 200


@pytest.mark.django_db
def test_without_a_live_layer_nobody_is_ready() -> None:
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["checks"]["live"]) == (503, False)


def test_without_its_database_an_installation_is_alive_and_not_ready(
    live: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_database", lambda: False)
    assert Client().get("/healthz").status_code == 200
    assert Client().get("/readyz").json()["checks"] == {"database": False, "live": True, "supervision": False}


def test_figures_are_counted_for_this_computer(cast: Cast) -> None:
    make_job(cast, state=State.QUEUED, at=timezone.now())
    answer = Client().get("/metrics")
    text = answer.content.decode()
    assert answer.status_code == 200
    assert 'fablab_jobs{state="queued"} 1.0' in text
    assert "fablab_plates_to_clear 1.0" in text
    assert "fablab_supervision_up 0.0" in text


@pytest.mark.django_db
def test_others_need_the_token_or_find_nothing(settings: Any) -> None:
    away = Client(REMOTE_ADDR="10.0.0.7")
    assert away.get("/metrics").status_code == 404
    assert away.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404
    settings.METRICS_TOKEN = "a-long-token"
    assert away.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 404
    assert away.get("/metrics", headers={"Authorization": "Bearer a-long-token"}).status_code == 200
    # A proxy on this computer asks for somebody else.
    assert Client().get("/metrics", headers={"X-Forwarded-For": "10.0.0.7"}).status_code == 404


@pytest.mark.parametrize("address", ["/healthz", "/readyz", "/metrics"])
def test_looking_is_all_that_can_be_done_there(address: str) -> None:
    assert Client().post(address).status_code == 405
