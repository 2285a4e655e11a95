"""Strict fields: a string is a string, a boolean is a boolean, and what nobody asked for is refused (SEC-10)."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from fablab.core.clock import DAY_MINUTES, FIRST_YEAR, LAST_YEAR

UNKNOWN = "unknown_field"


class Strict(serializers.Serializer[Any]):
    """A request body: an object with these keys and no others."""

    def to_internal_value(self, data: Any) -> Any:
        errors: dict[str, Any] = {}
        if isinstance(data, Mapping):
            errors = {str(key): [ErrorDetail(UNKNOWN, UNKNOWN)] for key in data if key not in self.fields}
        try:
            value = super().to_internal_value(data)
        except ValidationError as wrong:
            if isinstance(wrong.detail, dict):
                raise ValidationError({**errors, **wrong.detail}) from wrong
            raise
        if errors:
            raise ValidationError(errors)
        return value


class Text(serializers.CharField):
    """A JSON string; numbers and booleans are not texts."""

    default_error_messages = {"max_length": "most={max_length}"}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Id(Text):
    """An opaque id."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=40, **kwargs)


class Flag(serializers.BooleanField):
    """``true`` or ``false``, and nothing that looks like it."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Whole(serializers.IntegerField):
    """A whole number in a range."""

    def __init__(self, *, least: int, most: int, **kwargs: Any) -> None:
        limits = f"least={least}|most={most}"
        messages: dict[str, Any] = {"min_value": limits, "max_value": limits}
        super().__init__(min_value=least, max_value=most, error_messages=messages, **kwargs)

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return super().to_internal_value(data)


class Number(serializers.FloatField):
    """A number, not a text that looks like one. What makes no sense is the service's to say."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        return super().to_internal_value(data)


class SeenPlate(Whole):
    """Which filling of a plate somebody has looked at: the machine's ``plate_number``."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            least=0,
            most=2**31,
            required=False,
            help_text="The machine's plate_number as it was shown; 409 when something was begun there since.",
            **kwargs,
        )


class WholeText(Whole):
    """The same in an address, where everything is text."""

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, str) or not (
            data.isascii() and data.removeprefix("-").isdigit() and len(data) < 12
        ):
            self.fail("invalid")
        return super().to_internal_value(int(data))


class FlagText(Flag):
    """``true`` or ``false`` in an address."""

    def to_internal_value(self, data: Any) -> bool:
        return super().to_internal_value({"true": True, "false": False}.get(str(data)))


class Moment(serializers.DateTimeField):
    """A time as RFC 3339 with its offset; without one nobody knows which hour is meant."""

    default_error_messages = {"time_zone_missing": "time_zone_missing"}

    def to_internal_value(self, value: Any) -> datetime:
        if not isinstance(value, str):
            self.fail("invalid", format="RFC 3339")
        try:
            at = parse_datetime(value)
        except ValueError:
            at = None
        if at is None or not FIRST_YEAR <= at.year <= LAST_YEAR:
            self.fail("invalid", format="RFC 3339")
        if at.tzinfo is None:
            self.fail("time_zone_missing")
        return at.astimezone(UTC)


class Day(serializers.DateField):
    """A local day, as 2026-11-24."""

    def to_internal_value(self, value: Any) -> date:
        if not isinstance(value, str):
            self.fail("invalid", format="2026-11-24")
        found: date = super().to_internal_value(value)
        return found


class WallTime(Text):
    """A time on a clock's face, as 14:00, in minutes of the local day; to 48:00, for what ends on the next day."""

    def to_internal_value(self, data: Any) -> int:  # type: ignore[override]  # a text comes in, minutes go on
        found = re.fullmatch(r"([0-4][0-9]):([0-5][0-9])", super().to_internal_value(data))
        if found is None:
            self.fail("invalid")
        minutes = int(found[1]) * 60 + int(found[2])
        if minutes > 2 * DAY_MINUTES:
            self.fail("invalid")
        return minutes


class Choice(serializers.ChoiceField):
    """One of a few words."""

    def __init__(self, choices: Iterable[str], **kwargs: Any) -> None:
        words = {str(choice): getattr(choice, "name", str(choice)) for choice in choices}
        super().__init__(
            choices=list(words.items()),
            error_messages={"invalid_choice": f"choices={', '.join(words)}"},
            **kwargs,
        )

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return str(super().to_internal_value(data))
