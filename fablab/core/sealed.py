"""Encryption at rest of secrets that we must be able to use again, such as machine keys (REQUIREMENTS 4.3).

The encrypting keys live outside the database, newest first, so that they can be rotated. Anybody may seal;
only ``equipment.machines.connection`` may unseal (a test looks for other callers).
"""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


def _box() -> MultiFernet:
    # A secret of any length becomes the 32 bytes that Fernet wants.
    return MultiFernet(
        [
            Fernet(base64.urlsafe_b64encode(hashlib.sha256(secret.encode()).digest()))
            for secret in settings.MACHINE_KEY_SECRETS
        ]
    )


def seal(text: str) -> str:
    """Return ``text`` encrypted under the newest key; an empty text stays empty."""
    return _box().encrypt(text.encode()).decode() if text else ""


def unseal(sealed: str) -> str:
    """Return what was sealed. Raises ``ValueError`` when no key of ours fits."""
    if not sealed:
        return ""
    try:
        return _box().decrypt(sealed.encode()).decode()
    except InvalidToken as reason:
        raise ValueError("sealed under a key that is not configured here") from reason


def reseal(sealed: str) -> str:
    """Return the same secret under the newest key (rotation)."""
    return _box().rotate(sealed.encode()).decode() if sealed else ""
