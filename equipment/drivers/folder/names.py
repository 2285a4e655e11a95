"""Names that every machine can read: eight signs, a dot, three signs, nothing but A to Z and digits. Pure.

Machines that read a stick or a share often show the first eight signs only, and many know no other letters. So each
file gets such a name, always the same one for the name it was given; people find it by it on the machine's screen.
"""

import base64
import hashlib
import re

from equipment.drivers.base import Code, DriverError

_SHORT = re.compile(r"[A-Z0-9]{1,8}\.[A-Z0-9]{1,3}")
_ENDING = re.compile(r"[a-z0-9]{1,12}")
# Endings of more than three signs that such machines know by a shorter one.
_ENDINGS = {"gcode": "GCO", "hpgl": "PLT", "jpeg": "JPG"}


def short_name(path: str) -> str:
    """The name under which a file lies in the folder; a name that is short already stays.

    Forty bits of the hash of the given name: no two of one lab's files will meet, and if they did, the second
    would be refused as different, never written over the first. Raises `storage_refused` for a name without an ending.
    """
    name = path.rpartition("/")[2]
    if _SHORT.fullmatch(name):
        return name
    stem, _, ending = name.rpartition(".")
    ending = ending.lower()
    if not stem or not _ENDING.fullmatch(ending):
        raise DriverError(Code.STORAGE_REFUSED, reason="a name without an ending")
    mark = base64.b32encode(hashlib.sha256(name.encode()).digest()[:5]).decode()
    return f"{mark}.{_ENDINGS.get(ending, ending[:3].upper())}"
