"""How much, how slowly, and where to: what the front allows a client."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from django.conf import settings

ARRIVING_ADDRESSES = ("/api/v1/uploads/resumable/*",)  # files in several requests (tus)
UPLOAD_ADDRESSES = ("/api/v1/uploads/", *ARRIVING_ADDRESSES, "*/upload/", "*/deposer/")
ALL_AT_ONCE, ONE_PERSONS_AT_ONCE = 20, 5  # files of the largest size
FORM_SLACK = 65_536  # a form's other fields and its boundaries, beside the file
COPIES = 3  # of a form's file at once: its body, what the parser made of it, what is being received


@dataclass(frozen=True)
class Limits:
    """Sizes in bytes, times in seconds. ``spool`` holds what is too much for memory, in files without a name."""

    spool: Path
    send_from: tuple[Path, ...]  # X-Send-File may name files under these folders only
    upload_bytes: int
    other_bytes: int
    spool_bytes: int  # of all bodies that are being received, in this process
    person_spool_bytes: int  # of one person's
    upload_addresses: tuple[str, ...] = UPLOAD_ADDRESSES
    arriving_addresses: tuple[str, ...] = ARRIVING_ADDRESSES
    page_threads: int = 8
    idle: float = 60.0  # without a byte, in or out
    window: float = 60.0  # in which at least ``window_bytes`` must come
    window_bytes: int = 1024
    body_in_memory: int = 65_536  # more is taken from somebody who is signed in alone
    answer_in_memory: int = 1_048_576

    def largest_body(self, path: str) -> int:
        """Return how large a request body to this address may be."""
        return self.upload_bytes if self._takes_files(path) else self.other_bytes

    def room_for(self, count: int, path: str) -> int:
        """Return how many bytes of disk a body of ``count`` needs until all of it is where it belongs."""
        return COPIES * count if self._takes_files(path) and not self.is_arriving(path) else count

    def is_arriving(self, path: str) -> bool:
        """Return whether a file comes to this address piece by piece, so that the part of a piece counts too."""
        return any(fnmatchcase(path, pattern) for pattern in self.arriving_addresses)

    def _takes_files(self, path: str) -> bool:
        return any(fnmatchcase(path, pattern) for pattern in self.upload_addresses)


def from_settings() -> Limits:
    """Return the limits of this installation. ``UPLOAD_ADDRESSES`` holds shell patterns; ``*`` crosses slashes."""
    return Limits(
        spool=settings.VAR_DIR / "spool",
        send_from=(Path(settings.MEDIA_ROOT),),  # beside it lie the database and the secrets
        upload_bytes=settings.UPLOAD_LIMIT_BYTES + FORM_SLACK,
        other_bytes=settings.DATA_UPLOAD_MAX_MEMORY_SIZE + FORM_SLACK,
        spool_bytes=ALL_AT_ONCE * (settings.UPLOAD_LIMIT_BYTES + FORM_SLACK),
        person_spool_bytes=ONE_PERSONS_AT_ONCE * (settings.UPLOAD_LIMIT_BYTES + FORM_SLACK),
        upload_addresses=tuple(getattr(settings, "UPLOAD_ADDRESSES", UPLOAD_ADDRESSES)),
    )
