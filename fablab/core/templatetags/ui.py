"""Tags and filters of the design system: ``{% load ui %}``. See docs/design.md."""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django import template
from django.template.defaultfilters import date as format_date
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext

from fablab.core.drawings import DRAWINGS, ICONS, MIRRORED
from fablab.core.looks import LOOKS, UNKNOWN_LOOK

register = template.Library()

# A sign of life older than this is stale (UX-16). live.js reads the same number from base.html.
STALE_AFTER_SECONDS = 15
COIN_MM = 25.75  # the 2-euro coin that sizes are compared with

Figure = int | float


def _svg(inside: str, classes: str, box: int, label: str) -> SafeString:
    # The inside is a constant of drawings.py, never something a person sent.
    drawn = mark_safe(inside)  # noqa: S308
    if label:
        return format_html(
            '<svg class="{}" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>',
            classes,
            box,
            box,
            label,
            drawn,
        )
    return format_html(
        '<svg class="{}" viewBox="0 0 {} {}" aria-hidden="true" focusable="false">{}</svg>',
        classes,
        box,
        box,
        drawn,
    )


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """Return one of our icons as inline SVG. Without ``label`` it is decoration and hidden from readers."""
    classes = "icon icon-mirrors" if name in MIRRORED else "icon"
    return _svg(ICONS.get(name, ICONS["info"]), classes, 24, label)


@register.simple_tag
def drawing(name: str, label: str = "") -> SafeString:
    """Return one of our larger drawings (refusal reasons, machine kinds, empty states) as inline SVG."""
    return _svg(DRAWINGS.get(name, DRAWINGS["machine"]), "drawing", 96, label)


@register.filter
def icon_of(code: str, kind: str) -> str:
    """Return the icon's name for a state: ``{{ "busy"|icon_of:"machine" }}``."""
    return LOOKS[kind].get(str(code), UNKNOWN_LOOK)[0]


@register.filter
def tone_of(code: str, kind: str) -> str:
    """Return the tone's name for a state: good, work, wait, fix, come, alarm, off or unsure."""
    return LOOKS[kind].get(str(code), UNKNOWN_LOOK)[1]


@register.simple_tag
def idempotency_key() -> SafeString:
    """Return the hidden field that makes a form count once, however often it is sent."""
    return format_html('<input type="hidden" name="idempotency_key" value="{}">', uuid.uuid4())


@register.filter
def given(value: object) -> bool:
    """Return whether an argument of a component was given: nought counts, a missing key does not."""
    return value is not None and value != ""


@register.simple_tag
def percent(value: Figure | None, bind: str = "") -> SafeString:
    """Return "42 %" (in English "42%"), isolated for right-to-left; ``bind`` is the figure's live path."""
    bound = format_html(' data-bind="{}" data-bind-format="integer"', bind) if bind else ""
    gap = "" if get_language() == "en" else "\u202f"
    figure = "–" if value is None else str(int(value))
    return format_html('<bdi dir="ltr"><span{}>{}</span>{}%</bdi>', bound, figure, gap)


@register.simple_tag
def temperature(actual: Figure | None, target: Figure | None = None, bind: str = "") -> SafeString:
    """Return "205 / 210 °C" isolated; ``bind``: live path of an object with ``actual`` and ``target``."""

    def part(value: Figure | None, name: str) -> SafeString:
        bound = format_html(' data-bind="{}.{}" data-bind-format="integer"', bind, name) if bind else ""
        return format_html("<span{}>{}</span>", bound, "–" if value is None else str(round(value)))

    if target is None:
        return format_html('<bdi dir="ltr">{} °C</bdi>', part(actual, "actual"))
    return format_html('<bdi dir="ltr">{} / {} °C</bdi>', part(actual, "actual"), part(target, "target"))


@register.filter
def iso(value: datetime | None) -> str:
    """Return a time for ``datetime`` attributes: RFC 3339, UTC."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if value else ""


@register.simple_tag(takes_context=True)
def age(context: template.Context, seen_at: datetime | None) -> SafeString:
    """Return how long ago a machine was last heard, as ``<time>`` that live.js keeps true."""
    if seen_at is None:
        return format_html('<span class="age">{}</span>', gettext("Pas encore vue"))
    seconds = max(0, int(((context.get("now") or timezone.now()) - seen_at).total_seconds()))
    return format_html(
        '<time class="age" datetime="{}" data-age>{}</time>', iso(seen_at), age_in_words(seconds)
    )


def age_in_words(seconds: int) -> str:
    """Return "Vu il y a 40 s"; below a minute in steps of 5 s."""
    if seconds < 5:
        return gettext("Vu à l’instant")
    if seconds < 60:
        return gettext("Vu il y a {n} s").replace("{n}", str(seconds // 5 * 5))
    if seconds < 3600:
        return gettext("Vu il y a {n} min").replace("{n}", str(seconds // 60))
    return gettext("Vu il y a {n} h").replace("{n}", str(seconds // 3600))


@register.filter
def is_stale(seen_at: datetime | None) -> bool:
    """Return whether a last sign of life is older than ``STALE_AFTER_SECONDS``; never heard is stale too."""
    return seen_at is None or (timezone.now() - seen_at).total_seconds() > STALE_AFTER_SECONDS


@register.filter
def clock(value: datetime | None) -> SafeString | str:
    """Return the time of day in the zone that ``value`` carries: "14 h 30" in French, "14:30" elsewhere."""
    if value is None:
        return ""
    pattern = r"H \h i" if get_language() == "fr" else "H:i"
    return format_html('<bdi dir="ltr">{}</bdi>', format_date(value, pattern))


@register.filter
def centimetres(millimetres: Figure | None) -> str:
    """Return a length in mm as centimetres with at most one decimal: 42.4 → "4,2"; what is thin has two."""
    if millimetres is None:
        return "–"
    if 0.05 <= millimetres < 0.5:
        return number_format(millimetres / 10, 2)
    rounded = round(millimetres / 10, 1)
    return number_format(rounded, 0 if rounded == int(rounded) else 1)


@register.simple_tag
def beside_a_coin(size_mm: Iterable[Figure]) -> SafeString:
    """Return a drawing to scale: the object's front (width × height) on the ground beside a 2-euro coin.

    ``size_mm`` is (x, y, z) in millimetres; flat things (z under 1 mm, textile) show x × y instead.
    """
    x, y, z = (max(0.1, float(value)) for value in [*size_mm, 0, 0, 0][:3])
    height = z if z >= 1 else y
    radius = COIN_MM / 2
    gap = max(8.0, x * 0.12)
    width, tall = x + gap + COIN_MM, max(height, COIN_MM)
    return format_html(
        '<svg viewBox="{} {} {} {}" aria-hidden="true" focusable="false">'
        '<rect class="object" x="0" y="{}" width="{}" height="{}" rx="1"/>'
        '<circle class="coin" cx="{}" cy="{}" r="{}"/><circle class="coin-core" cx="{}" cy="{}" r="{}"/>'
        '<path class="ground" d="M0 {}H{}"/></svg>',
        # A margin all round, so that no stroke is cut.
        *(f"{value:.1f}" for value in (-width * 0.03, -width * 0.03, width * 1.06, tall + width * 0.06)),
        *(f"{value:.1f}" for value in (tall - height, x, height)),
        *(f"{value:.1f}" for value in (x + gap + radius, tall - radius, radius)),
        *(f"{value:.1f}" for value in (x + gap + radius, tall - radius, radius * 0.7)),
        *(f"{value:.1f}" for value in (tall, width)),
    )


@register.simple_tag
def attributes(pairs: dict[str, Any] | None) -> SafeString:
    """Return extra attributes of an element; None and False leave one out, True gives it without a value."""
    kept = [
        (name, value) for name, value in (pairs or {}).items() if value is not None and value is not False
    ]
    return format_html_join("", ' {}="{}"', ((name, "" if value is True else value) for name, value in kept))


@register.filter
def isolated(value: object) -> SafeString:
    """Return codes, file names and figures shut in ``<bdi>`` so that they do not turn round in Arabic."""
    return format_html("<bdi>{}</bdi>", value)
