"""Times as pages offer them and forms carry them, and what a refused booking says: why, what else, what next."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeGuard

from django.urls import reverse
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from equipment.bookings.finding import Offer
from equipment.bookings.places import book_place
from fablab.core.clock import FIRST_YEAR, LAST_YEAR, local_day
from fablab.core.errors import DomainError, Malformed, Problem
from fablab.core.words import say_problem
from fablab.dashboard import formats, kinds, present
from fablab.dashboard.bookings import slot_value
from fablab.dashboard.requests import Here

Card = present.Card
WEEK = 7
ANYWAY = "person_busy"  # the one rule that people set aside themselves
WORTH_WAITING = frozenset({"slot_taken", "machine_out_of_order"})  # somebody may give it back, or repair it


# --- as pages show them -------------------------------------------------------------------------------------------


def one_each(offers: Iterable[Offer]) -> list[Offer]:
    """Keep one machine for each time."""
    first: dict[datetime, Offer] = {}
    for offer in offers:
        first.setdefault(offer.start, offer)
    return list(first.values())


def by_day(
    asked: Here, machines: Sequence[Any], offers: Collection[Offer], *, most: int = 0, checked: bool = False
) -> list[Card]:
    """Return the argument of ``components/slot_list.html``: each time once, of the first machine that has it.

    Of places each time says how many are free, as nobody chooses which. ``most``: so many times; 0: all.
    """
    names = {machine.pk: machine.name for machine in machines}
    free = Counter(offer.start for offer in offers)
    several = len(machines) > 1 and machines[0].model.kind.is_place
    shown = one_each(offers)[: most or None]
    days: dict[date, Card] = {}
    for offer in shown:
        heading = formats.capital(formats.day_name(offer.start, asked.zone))
        day = days.setdefault(local_day(offer.start, asked.zone), {"heading": heading, "slots": []})
        day["slots"].append(
            {
                "value": slot_value(offer.machine_id, offer.start, offer.end),
                "label": formats.clock_time(offer.start, asked.zone),
                "detail": _free_then(free[offer.start], checked)
                if several
                else names.get(offer.machine_id, ""),
                "checked": checked and offer is shown[0],
            }
        )
    return list(days.values())


def _free_then(free: int, near: bool) -> str:
    """Of the times that are offered instead only a few are known, so nothing is counted there."""
    return "" if near else kinds.free_of(free)


def week_of(asked: Here, day: date | None, horizon: int) -> Card:
    """Return a week of days to choose from, and the weeks beside it, within the horizon, in days."""
    today = local_day(asked.at, asked.zone)
    last = today + timedelta(days=horizon)
    shown = min(max(day or today, today), last)
    first = today + timedelta(days=(shown - today).days // WEEK * WEEK)
    days = [
        first + timedelta(days=number) for number in range(WEEK) if first + timedelta(days=number) <= last
    ]
    return {
        "open": day is not None,
        "first": today.isoformat(),
        "last": last.isoformat(),
        "days": [
            {"value": one.isoformat(), "label": formats.short_day(one), "chosen": one == day} for one in days
        ],
        "before": (first - timedelta(days=WEEK)).isoformat() if first > today else "",
        "after": (first + timedelta(days=WEEK)).isoformat() if first + timedelta(days=WEEK) <= last else "",
    }


# --- as forms carry them ------------------------------------------------------------------------------------------


def parse_day(given: str) -> date | None:
    """Return a day of our time as forms and addresses write it, or None."""
    try:
        day = parse_date(given)
    except ValueError:
        return None
    return day if day and FIRST_YEAR <= day.year <= LAST_YEAR else None


def slot_of(value: str) -> tuple[str, datetime, datetime]:
    """Return machine, start and end of a form's slot. Raises ``Malformed``: ``slot_missing``."""
    machine_id, _bar, times = value.partition("|")
    first, _bar, last = times.partition("|")
    try:
        start, end = parse_datetime(first), parse_datetime(last)
    except ValueError:
        start = end = None
    if not (machine_id and _in_our_time(start) and _in_our_time(end)):
        raise Malformed(Problem("slot_missing", field="slot"))
    return machine_id, start.astimezone(UTC), end.astimezone(UTC)


def _in_our_time(moment: datetime | None) -> TypeGuard[datetime]:
    """Return whether a form's moment has its zone and a year of our time."""
    return moment is not None and moment.tzinfo is not None and FIRST_YEAR <= moment.year <= LAST_YEAR


def take(asked: Here, given: Mapping[str, str]) -> Any:
    """Book the time that a form chose; "Réserver quand même" sets aside one's own other booking.

    Raises what ``book`` raises, and ``Malformed``: ``slot_missing``.
    """
    machine_id, start, end = slot_of(given.get("slot", ""))
    return book_place(
        person=asked.person,
        machine_id=machine_id,
        start=start,
        end=end,
        actor=asked.person,
        at=asked.at,
        overrides=set_aside(given),
    )


def set_aside(given: Mapping[str, str]) -> list[dict[str, str]]:
    """Return what a form sets aside: "Réserver quand même" confirms one's own other booking at that time."""
    return [{"code": ANYWAY, "reason": _("La personne le veut ainsi.")}] if given.get("anyway") else []


# --- refused ------------------------------------------------------------------------------------------------------


def refusal(asked: Here, machines: Sequence[Any], error: DomainError, given: Mapping[str, str]) -> Card:
    """Return what was in the way, up to three other times, and what to do next. Nothing that was chosen is lost."""
    near = [
        Offer(datetime.fromisoformat(one["start"]), datetime.fromisoformat(one["end"]), one["machine"])
        for one in error.extra.get("alternatives", [])
    ]
    near.sort(key=lambda offer: offer.start)
    chosen = given.get("slot", "").partition("|")[0]
    kind_id = next((one.model.kind_id for one in machines if one.pk == chosen), None)
    same = [one for one in machines if one.model.kind_id == kind_id] or machines
    codes = [problem.code for problem in error.problems]
    anyway = given.get("slot", "") if codes == [ANYWAY] else ""
    field = "anyway" if anyway else "near" if near else "next" if _steps(error, near, same) else "slots"
    return {
        "problems": [
            {"sentence": _sentence(problem, len(near)), "field_id": field} for problem in error.problems
        ],
        "problems_title": _("Ce n’est pas réservé."),
        "near": by_day(asked, same, near, checked=True),
        "anyway": anyway,
        "next_steps": _steps(error, near, same),
        "wait": _wait(given.get("slot", "")) if codes and WORTH_WAITING.issuperset(codes) else None,
    }


def _sentence(problem: Problem, near: int) -> str:
    if problem.code == "slot_taken" and near < 3:  # it promises three others
        return _("Quelqu’un vient de prendre ce créneau.")
    return say_problem(problem)


def _steps(error: DomainError, near: Collection[Offer], machines: Sequence[Any]) -> list[Card]:
    """Return one next action for each refusal that another time alone does not meet (UX-6)."""
    ask = _go("ask-for-help", _("Demander à un animateur"), "hand")
    mine = _go("bookings", _("Mes réservations"), "calendar")
    steps: list[Card] = []
    for problem in error.problems:
        match problem.code:
            case "not_certified":
                steps.append(
                    {"sentence": _("Un animateur te forme sur place. C’est gratuit."), "action": ask}
                )
            case "paused_after_no_shows":
                steps.append({"sentence": _("Il débloque tes réservations avec toi."), "action": ask})
            case "quota_used" if problem.params.get("why") == "open":
                steps.append({"sentence": _("Rends une réservation, puis reviens ici."), "action": mine})
            case "quota_used" if problem.params.get("left"):
                left = problem.params["duration"]
                sentence = _("Il te reste {duration} cette semaine.").format(duration=left)
                kind = machines[0].model.kind
                shorter = f"{reverse('book-kind', args=[kind.slug])}?minutes={problem.params['left']}"
                fits = problem.params["left"] >= kind.min_minutes
                again = _go("book", _("Réserver plus court"), "clock") | {"url": shorter}
                steps.append({"sentence": sentence, "action": again if fits else mine})
            case "quota_used":
                steps.append({"sentence": _("Tes heures reviennent lundi."), "action": mine})
            case "needs_supervision" if not near:
                steps.append({"sentence": _("Demande quand un animateur est là."), "action": ask})
    return steps


def _wait(slot: str) -> Card:
    return {
        "url": reverse("waiting-start"),
        "label": _("Me prévenir si ça se libère"),
        "icon": "bell",
        "fields": {"slot": slot},
    }


def _go(name: str, label: str, icon: str) -> Card:
    return {"url": reverse(name), "label": label, "icon": icon, "method": "get"}
