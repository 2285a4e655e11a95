"""Random public ids: they say nothing about how many there are or who came before (SEC-7)."""

import secrets

# Thirty symbols that cannot be mistaken for each other when read aloud or copied by hand.
SAFE_SYMBOLS = "23456789abcdefghjkmnpqrstvwxyz"
ID_LENGTH = 14  # 30 ** 14 is about 2 ** 68


def new_id() -> str:
    """Return a new id of 14 safe symbols."""
    return "".join(secrets.choice(SAFE_SYMBOLS) for _ in range(ID_LENGTH))


def new_code() -> str:
    """Return a six-character code for people to read, in capitals, shown as ``A7K-2Q9``."""
    return "".join(secrets.choice(SAFE_SYMBOLS) for _ in range(6)).upper()


def new_token() -> str:
    """Return a secret of 256 bits for programs."""
    return secrets.token_urlsafe(32)
