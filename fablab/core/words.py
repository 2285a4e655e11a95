"""From codes to sentences. Rooms register theirs at start; pages, API and messages ask here.

A sentence is a lazy gettext string with ``{named}`` places. An unknown code is a programming error and is found
by ``tests/fablab/test_words.py``; people would still read a plain sentence.
"""

import logging
import math
import string
from collections.abc import Mapping
from typing import Any

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from fablab.core.errors import Problem

logger = logging.getLogger(__name__)

SENTENCES: dict[str, str | Promise] = {}
UNKNOWN = _("Ça n’a pas marché. Demande à un animateur.")


def register(sentences: Mapping[str, str | Promise]) -> None:
    """Add a room's sentences. A code has one sentence in the whole system."""
    twice = {code for code in sentences if code in SENTENCES and SENTENCES[code] is not sentences[code]}
    if twice:
        raise ValueError(f"codes with two sentences: {sorted(twice)}")
    SENTENCES.update(sentences)


class _Forgiving(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "…"


class _Spoken(string.Formatter):
    """Fractions as the reader writes them: 400,5 in French, 400.5 in English, and 400 without ".0"."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, float) and not format_spec and math.isfinite(value):
            decimals = next((n for n in range(3) if round(value, n) == round(value, 3)), 3)
            return number_format(value, decimals)
        return str(super().format_field(value, format_spec))


def say(code: str, params: Mapping[str, Any] | None = None) -> str:
    """Return the sentence for ``code`` in the reader's language."""
    sentence = SENTENCES.get(code)
    if sentence is None:
        logger.error("no sentence for the code %r", code)
        return str(UNKNOWN)
    return _Spoken().vformat(str(sentence), (), _Forgiving(params or {}))


def say_problem(problem: Problem) -> str:
    """Return a problem's sentence in the reader's language."""
    return say(problem.code, problem.params)
