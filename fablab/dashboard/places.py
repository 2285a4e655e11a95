"""Several places of a kind as one tile, on the board and on the wall: how many are free, and the state of each."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.urls import reverse

from equipment.machines.states import Condition
from equipment.machines.words import CONDITIONS
from fablab.dashboard import kinds, present

Card = present.Card


def entries(machines: Iterable[Any]) -> list[list[Any]]:
    """Return machines one by one, in their order, and the places of each kind that has several together."""
    found: list[list[Any]] = []
    together: dict[str, list[Any]] = {}
    for machine in machines:
        kind = machine.model.kind
        if kind.is_place and kind.pk in together:
            together[kind.pk].append(machine)
            continue
        found.append([machine])
        if kind.is_place:
            together[kind.pk] = found[-1]
    return found


def as_tiles(cards: Iterable[Card], machines: Iterable[Any]) -> list[Card]:
    """Return cards in the order of ``rank``, those of places of a kind that has several in one card."""
    by_id = {card["id"]: card for card in cards}
    tiles = [
        by_id[entry[0].pk] if len(entry) == 1 else tile_of(entry, by_id)
        for entry in entries(one for one in machines if one.pk in by_id)
    ]
    return sorted(tiles, key=lambda card: (card["rank"], card["name"]))


def tile_of(places: Sequence[Any], by_id: Mapping[str, Card]) -> Card:
    """Return one card for several places of a kind. What needs somebody most decides where it stands."""
    cards = [by_id[one.pk] for one in places]
    states = [Condition(card["condition"]) for card in cards]
    free = states.count(Condition.FREE)
    code = Condition.FREE if free else states[0] if len(set(states)) == 1 else Condition.BUSY
    kind = places[0].model.kind
    return {
        "id": f"kind-{kind.slug}",
        "name": kind.name,
        "state": code,
        "state_label": kinds.free_of(free, len(places)) if free else CONDITIONS[code],
        "watch": " ".join(f"machines.{one.pk}.state" for one in places),
        "live_key": states[0],
        "rank": min(card.get("rank", 0) for card in cards),
        "places": [
            {
                "name": one.name,
                "url": reverse("at-machine", args=[one.pk]),
                "state": state,
                "state_label": CONDITIONS[state],
            }
            for one, state in zip(places, states, strict=True)
        ],
    }
