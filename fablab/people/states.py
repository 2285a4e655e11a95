"""How well the system knows a person (REQUIREMENTS section 3)."""

from enum import StrEnum


class Level(StrEnum):
    """What is stored about somebody: a number, a pseudonym, or an e-mail address too."""

    TICKET = "ticket"
    CARD = "card"
    ACCOUNT = "account"


class AgeBand(StrEnum):
    """Set by a person at the desk; never a birth date (PRIV-2)."""

    UNDER_15 = "under_15"
    FROM_15 = "15_17"
    FROM_18 = "18_25"
    FROM_26 = "26_59"
    FROM_60 = "60_plus"
    UNKNOWN = "unknown"


MINORS = frozenset({AgeBand.UNDER_15, AgeBand.FROM_15})
