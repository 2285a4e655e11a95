"""Why somebody was not let in. The answer is the same for a known and an unknown name (SEC-15)."""

from typing import ClassVar

from fablab.core.errors import DomainError, Problem


class SignInFailed(DomainError):
    """Name and password do not belong together."""

    status: ClassVar[int] = 401

    def __init__(self) -> None:
        super().__init__("sign_in_failed")


class SignInLocked(DomainError):
    """Too many wrong passwords in a row for this name; the right one is not looked at either."""

    status: ClassVar[int] = 429

    def __init__(self, seconds: int) -> None:
        minutes = -(-seconds // 60)
        super().__init__(Problem("sign_in_locked", {"minutes": minutes}), extra={"retry_after": seconds})
