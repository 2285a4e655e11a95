"""From the moments of an attempt to a plot: curves in a box of 1000 × 240 that the page stretches. Nothing is read.

Time goes from left to right in every language, as on the machines' own screens.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from django.utils.translation import gettext as _

from fablab.dashboard import formats
from jobs.lifecycle.thinning import Sample

Card = dict[str, Any]
WIDTH, HEIGHT = 1000, 240
STEPS = 4  # of each axis
ROWS = 12  # of the table beside the plot
TABLE_COLUMNS = 5
DEGREES = 40  # the scale of temperatures ends at a multiple of it, so that its steps are whole
SILENCE = timedelta(minutes=2)  # a longer one breaks the curve, unless all points are that far apart


Span = tuple[datetime, datetime | None]  # None: it lasts


def plots(samples: Sequence[Sample], zone: str, pauses: Sequence[Span] = ()) -> list[Card]:
    """Return the plots that these moments allow: how far, how warm. None of fewer than two moments.

    ``pauses``: in which the machine waited; they are shaded, and told in the words that stand for the picture.
    """
    if len(samples) < 2:
        return []
    found = []
    if any(sample.percent is not None for sample in samples):
        line = _curve("progress", _("Avancement"), samples, lambda sample: sample.percent, 100)
        found.append(_plot("progress", _("Avancement"), "%", [line], 100, samples, zone, pauses))
    heaters = _heaters(samples)
    if heaters:
        curves = []
        warmest = max(
            value for sample in samples for name, value in sample.values() if name not in {"percent"}
        )
        top = max(DEGREES, ceil(warmest / DEGREES) * DEGREES)
        for name in heaters:
            looks = name if name in {"tool0", "bed"} else "other"
            label = heater_label(name)
            curves.append(_curve(looks, label, samples, _actual(name), top))
            goal = _curve(f"{looks} goal", _("{name} : but").format(name=label), samples, _goal(name), top)
            if goal["parts"]:
                curves.append(goal)
        found.append(_plot("heat", _("Températures"), "°C", curves, top, samples, zone, pauses))
    return found


def _plot(
    code: str,
    title: str,
    unit: str,
    curves: list[Card],
    top: float,
    samples: Sequence[Sample],
    zone: str,
    pauses: Sequence[Span],
) -> Card:
    return {
        "code": code,
        "title": title,
        "unit": unit,
        "curves": curves,
        "rows": [HEIGHT * step / STEPS for step in range(STEPS + 1)],
        "columns": [WIDTH * step / STEPS for step in range(STEPS + 1)],
        "values": [round(top * (STEPS - step) / STEPS) for step in range(STEPS + 1)],
        "times": _times(samples[0].at, samples[-1].at, zone),
        **_shaded(title, samples[0].at, samples[-1].at, pauses, zone),
    }


def _shaded(title: str, first: datetime, last: datetime, pauses: Sequence[Span], zone: str) -> Card:
    """Return the pauses as stretches of the picture, and the picture's words with them."""
    whole = (last - first).total_seconds() or 1.0
    stretches, said = [], []
    for begin, end in pauses:
        begins, ends = max(begin, first), min(end or last, last)
        if begins >= ends:
            continue
        stretches.append(
            {
                "x": WIDTH * (begins - first).total_seconds() / whole,
                "width": WIDTH * (ends - begins).total_seconds() / whole,
            }
        )
        said.append(
            _("En pause de {start} à {end}").format(
                start=formats.clock_time(begin, zone), end=formats.clock_time(end, zone)
            )
            if end is not None
            else _("En pause depuis {start}").format(start=formats.clock_time(begin, zone))
        )
    return {"pauses": stretches, "pauses_said": said, "alt": " · ".join([title, *said])}


def _times(first: datetime, last: datetime, zone: str) -> list[Card]:
    whole = last - first
    marks = (first + whole * share for share in (0, 0.5, 1))
    return [{"at": mark, "label": formats.clock_time(mark, zone)} for mark in marks]


def _actual(name: str) -> Callable[[Sample], float | None]:
    return lambda sample: sample.heat[name][0] if name in sample.heat else None


def _goal(name: str) -> Callable[[Sample], float | None]:
    """Return what a heater should reach; a heater that is off has no goal."""
    return lambda sample: (sample.heat[name][1] or None) if name in sample.heat else None


def _curve(
    looks: str, label: str, samples: Sequence[Sample], value_of: Callable[[Sample], float | None], top: float
) -> Card:
    """Return one line: ``parts`` are the points of each stretch in which it was heard."""
    first, last = samples[0].at, samples[-1].at
    whole = (last - first).total_seconds() or 1.0
    silence = max(SILENCE, 4 * (last - first) / len(samples))
    parts: list[list[str]] = []
    before: datetime | None = None
    for sample in samples:
        value = value_of(sample)
        if value is None:
            before = None
            continue
        if before is None or sample.at - before > silence:
            parts.append([])
        before = sample.at
        x = WIDTH * (sample.at - first).total_seconds() / whole
        y = HEIGHT * (1 - min(max(value / top, 0.0), 1.0))
        parts[-1].append(f"{x:.1f},{y:.1f}")
    # One point alone would be invisible: it becomes a short stroke.
    return {
        "looks": looks,
        "label": label,
        "parts": [" ".join(part if len(part) > 1 else part * 2) for part in parts],
    }


def _heaters(samples: Iterable[Sample]) -> list[str]:
    """Return the names of what was warm: nozzles, the plate, then the rest."""
    names = {
        name for sample in samples for name, (actual, _goal) in sample.heat.items() if actual is not None
    }
    return sorted(names, key=heat_order)


def heat_order(name: str) -> tuple[int, str]:
    """Return where a heater stands: nozzles first, then the plate, then what else there is."""
    return (0 if name.startswith("tool") else 1 if name == "bed" else 2, name)


def heater_label(name: str) -> str:
    """Return what people call a heater."""
    if name.startswith("tool") and name[4:].isdigit():
        number = int(name[4:]) + 1
        return _("Buse") if number == 1 else _("Buse {number}").format(number=number)
    return {"bed": _("Plateau"), "chamber": _("Enceinte")}.get(name, name)


def table(samples: Sequence[Sample], zone: str) -> Card | None:
    """Return the same in figures, a row for every stretch of the time; None when there is nothing to tell."""
    if not samples:
        return None
    heaters = _heaters(samples)[:TABLE_COLUMNS]
    heads = [_("Heure"), _("Avancement"), *(heater_label(name) for name in heaters)]
    return {
        "caption": _("Les mêmes chiffres"),
        "heads": [{"label": head, "number": position > 0} for position, head in enumerate(heads)],
        "rows": [
            [
                {"value": formats.clock_time(sample.at, zone)},
                {"value": formats.share(sample.percent), "number": True},
                *({"value": _degrees(sample, name), "number": True} for name in heaters),
            ]
            for sample in _spread(samples)
        ],
    }


def _spread(samples: Sequence[Sample]) -> Iterator[Sample]:
    """Yield about ``ROWS`` moments, evenly spaced in time, the first and the last among them."""
    step = (samples[-1].at - samples[0].at) / ROWS
    following = samples[0].at
    for sample in samples[:-1]:
        if sample.at >= following:
            yield sample
            following = sample.at + step
    yield samples[-1]


def _degrees(sample: Sample, name: str) -> str:
    actual = sample.heat[name][0] if name in sample.heat else None
    return "–" if actual is None else f"{round(actual)} °C"
