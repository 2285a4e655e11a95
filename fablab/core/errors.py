"""What services raise. A problem is a code with parameters; sentences are made where people read them.

Each exception carries *all* problems at once. ``status`` is the HTTP answer that the API gives (API.md, "Manners").
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

Params = Mapping[str, Any]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: a stable ``code``, the form field it belongs to, values for its sentence."""

    code: str
    params: Params = field(default_factory=dict)
    field: str | None = None


class DomainError(Exception):
    """Base of everything a service refuses. ``extra`` goes into the answer beside the problems."""

    status: ClassVar[int] = 400

    def __init__(self, *problems: Problem | str, extra: Params | None = None) -> None:
        self.problems: Sequence[Problem] = tuple(
            Problem(problem) if isinstance(problem, str) else problem for problem in problems
        )
        self.extra: Params = extra or {}
        super().__init__(", ".join(problem.code for problem in self.problems))

    @property
    def code(self) -> str:
        """The first problem's code stands for the whole."""
        return self.problems[0].code

    @property
    def codes(self) -> list[str]:
        return [problem.code for problem in self.problems]


class Malformed(DomainError):
    """What was sent cannot be understood: a missing field, a wrong type, an unknown field."""

    status = 400


class collecting:
    """Adds what a ``Malformed`` carries to ``problems``, so that all is said at once."""

    def __init__(self, problems: list[Problem]) -> None:
        self._problems = problems

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        if not isinstance(error, Malformed):
            return False
        self._problems += error.problems
        return True


class NotAllowed(DomainError):
    """The person sees the thing but may not do this to it."""

    status = 403


class NotFound(DomainError):
    """Unknown, or not visible to this person: the two look the same on purpose (SEC-7)."""

    status = 404

    def __init__(self) -> None:
        super().__init__("not_found")


class Refused(DomainError):
    """A rule says no. Nothing was changed."""

    status = 409


class NoRoom(Refused):
    """This installation has no room left for it; the same may succeed later."""

    status = 507


class TooLarge(DomainError):
    """More bytes than this installation takes."""

    status = 413


class TooMany(DomainError):
    """The person has as much of it under way as anybody may; later there is room again."""

    status = 429


class Conflict(DomainError):
    """Overtaken by events: somebody or a machine was quicker. Nothing was changed."""

    status = 409
