"""Which part of a file a client asks for (RFC 9110, section 14). Pure."""

import re

_ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


class Unsatisfiable(Exception):
    """No byte of the file lies in what was asked for."""


def asked_part(asked: str | None, size: int) -> tuple[int, int] | None:
    """Return start and length of the part asked for, or None for the whole file.

    What is not understood, and several ranges at once, mean the whole file.

    :raises Unsatisfiable: for a range that begins behind the end.
    """
    match = _ONE_RANGE.fullmatch(asked.replace(" ", "")) if asked else None
    if match is None or match[0] == "bytes=-":
        return None
    first, last = match[1], match[2]
    if not first:
        length = min(int(last), size)
        if not length:
            raise Unsatisfiable
        return size - length, length
    start = int(first)
    if last and int(last) < start:
        return None
    if start >= size:
        raise Unsatisfiable
    end = min(int(last), size - 1) if last else size - 1
    return start, end - start + 1
