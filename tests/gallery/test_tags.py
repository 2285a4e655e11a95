"""What the template tags write, in three languages (A11Y-16, A11Y-21)."""

from datetime import UTC, datetime, timedelta

import pytest
from django.template import Context, Template
from django.utils import timezone, translation

from fablab.core.templatetags import ui


@pytest.mark.parametrize(("language", "said"), [("fr", "42\u202f%"), ("en", "42%"), ("ar", "42\u202f%")])
def test_a_percentage_is_isolated_and_written_as_the_language_does(language: str, said: str) -> None:
    with translation.override(language):
        written = ui.percent(42.9, "progress.percent")
    assert written.startswith('<bdi dir="ltr">')
    assert said == written.replace(
        '<span data-bind="progress.percent" data-bind-format="integer">', ""
    ).replace("</span>", "").removeprefix('<bdi dir="ltr">').removesuffix("</bdi>")


def test_a_figure_that_is_not_known_is_a_dash() -> None:
    assert "–" in ui.percent(None)
    assert "–" in ui.temperature(None, 210)


def test_temperatures_stand_together_and_follow_the_live_data() -> None:
    written = ui.temperature(205.4, 210, "temperatures.nozzle")
    assert ">205</span> / <span" in written
    assert 'data-bind="temperatures.nozzle.target"' in written
    assert written.endswith(" °C</bdi>")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "Vu à l’instant"),
        (4, "Vu à l’instant"),
        (44, "Vu il y a 40 s"),
        (60, "Vu il y a 1 min"),
        (7200, "Vu il y a 2 h"),
    ],
)
def test_ages_are_said_in_plain_words(seconds: int, said: str) -> None:
    assert ui.age_in_words(seconds) == said


def test_a_sign_of_life_is_stale_after_fifteen_seconds_or_when_there_was_none() -> None:
    assert not ui.is_stale(timezone.now() - timedelta(seconds=14))
    assert ui.is_stale(timezone.now() - timedelta(seconds=16))
    assert ui.is_stale(None)


@pytest.mark.parametrize(
    ("language", "millimetres", "said"),
    [("fr", 42.4, "4,2"), ("en", 42.4, "4.2"), ("fr", 60, "6"), ("fr", 0.4, "0,04")],
)
def test_lengths_are_said_in_centimetres(language: str, millimetres: float, said: str) -> None:
    with translation.override(language):
        assert ui.centimetres(millimetres) == said


@pytest.mark.parametrize(("language", "said"), [("fr", "14 h 30"), ("en", "14:30"), ("ar", "14:30")])
def test_the_clock_has_24_hours(language: str, said: str) -> None:
    with translation.override(language):
        assert ui.clock(datetime(2026, 11, 24, 14, 30, tzinfo=UTC)) == f'<bdi dir="ltr">{said}</bdi>'


def test_the_coin_beside_an_object_is_drawn_to_scale() -> None:
    drawn = ui.beside_a_coin((51.5, 10, 25.75))
    assert 'width="51.5" height="25.8"' in drawn
    assert 'r="12.9"' in drawn


def test_what_people_typed_is_escaped_everywhere() -> None:
    nasty = '<b>"&'
    template = Template(
        '{% load ui %}{% icon "box" nasty %}{{ nasty|isolated }}{% attributes pairs %}'
        '{% include "components/machine_tile.html" %}{% include "components/big_code.html" with code=nasty %}'
    )
    machine = {"id": "1", "name": nasty, "state": "free", "state_label": nasty, "kind_label": nasty}
    written = template.render(Context({"nasty": nasty, "pairs": {"title": nasty}, "machine": machine}))
    assert "<b>" not in written
    assert "&lt;b&gt;&quot;&amp;" in written


def test_a_state_that_nobody_drew_is_still_shown() -> None:
    assert ui.icon_of("new_one", "machine") == "info"
    assert ui.tone_of("new_one", "machine") == "off"


def test_each_form_of_an_action_has_a_key_of_its_own() -> None:
    keys = {str(ui.idempotency_key()) for _ in range(3)}
    assert len(keys) == 3
