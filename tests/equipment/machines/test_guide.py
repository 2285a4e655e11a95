"""What a kind says of work by hand: read tolerantly, in the reader's language, and whole in the demonstration."""

from typing import Any

import pytest
from django.utils.translation import override

from equipment.machines.guide import Guide, choices_of, label_of, mirrored
from equipment.management.demo_guides import CUTTER, EMBROIDERY, PRINTER
from fablab.core.drawings import DRAWINGS

KINDS = {"printer": PRINTER, "embroidery": EMBROIDERY, "cutter": CUTTER}
LISTS = ("checklist", "how_to", "workpieces", "places", "frames", "stabilisers", "failure_reasons")


@pytest.mark.parametrize(
    "given",
    [
        None,
        [],
        "text",
        {},
        {"checklist": "text"},
        {"checklist": {"fr": "x"}},
        {"frames": [None, 3, {}, {"fr": 7}, {"en": "only English"}]},
        {"mirror": "yes", "owner_operates": 1, "plate_word": "bucket", "mirror_for": "transfer"},
    ],
)
def test_what_is_not_understood_is_left_out_and_never_an_error(given: Any) -> None:
    assert Guide.from_json(given) == Guide()


def test_words_are_the_readers_and_french_where_there_are_none() -> None:
    guide = Guide.from_json(
        {"frames": [{"code": "180", "fr": "Cadre 180", "ar": "إطار 180"}, {"fr": "Autre"}]}
    )
    (frame, other) = choices_of(guide, "frame")
    for language, said in (("fr", "Cadre 180"), ("en", "Cadre 180"), ("ar", "إطار 180")):
        with override(language):
            assert frame.label == said
    assert other.code == "Autre", "one without a code is its own"
    assert label_of(guide.frames, "180") == "Cadre 180"
    assert label_of(guide.frames, "gone") == ""


def test_what_is_ironed_on_is_mirrored_and_what_never_is_is_not_asked() -> None:
    guide = Guide.from_json(CUTTER)
    assert mirrored(guide, "transfer", "Vinyle") is True
    assert mirrored(guide, "sticker", "Flex") is True
    assert mirrored(guide, "sticker", "Vinyle") is False
    assert mirrored(Guide.from_json(EMBROIDERY), "cap", "Fil coton") is None


@pytest.mark.parametrize("name", KINDS)
def test_the_demonstrations_guides_are_whole_in_three_languages_with_six_drawn_reasons(name: str) -> None:
    guide = Guide.from_json(KINDS[name])
    for listed in LISTS:
        rows = getattr(guide, listed)
        assert len(rows) == len(KINDS[name].get(listed, [])), listed
        assert len({row.code for row in rows}) == len(rows), f"{listed}: each code once"
        for row in rows:
            assert set(row.names) == {"fr", "en", "ar"} and all(row.names.values()), row
            assert len(row.names["fr"].split()) <= 12, row
    assert len(guide.failure_reasons) == 6
    assert all(reason.drawing in DRAWINGS for reason in guide.failure_reasons)
