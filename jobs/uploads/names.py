"""What a person calls a file, made safe to show. It is never part of a path (SEC-13)."""

import re
import unicodedata

NAME_BYTES = 255
NAMELESS = "fichier"
# Control, format (direction, zero width), private, surrogate, line and paragraph separators: U+202E shows
# "cubelts.exe" as "cubeexe.stl" (A11Y-17).
UNSEEN = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}

# In a form's file name these three signs are written so, and nothing else is escaped.
ESCAPED_BY_BROWSERS = {"%22": '"', "%0D": " ", "%0A": " "}


def clean_name(name: str) -> str:
    """Return ``name`` without path parts and without characters that nobody sees, at most 255 bytes long.

    The ending survives the cut, because the inspection looks at it.
    """
    text = unicodedata.normalize("NFC", name.encode("utf-8", "ignore").decode())
    text = re.split(r"[/\\]", text)[-1]
    text = "".join(sign for sign in text if unicodedata.category(sign) not in UNSEEN)
    for written, sign in ESCAPED_BY_BROWSERS.items():
        text = text.replace(written, sign)
    text = text.strip(" .")
    if not text:
        return NAMELESS
    stem, dot, ending = text.rpartition(".")
    if not dot or len(ending.encode()) > 16:
        stem, dot, ending = text, "", ""
    room = NAME_BYTES - len((dot + ending).encode())
    return stem.encode()[:room].decode("utf-8", "ignore").rstrip() + dot + ending
