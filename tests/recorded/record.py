"""Record real OctoPrint's answers, or look whether it still gives the same ones.

    python -m tests.recorded.record             writes tests/recorded/data anew
    python -m tests.recorded.record --check     records again and fails on every difference, a line each
    ... --release 1.11.8                        only this release

Servers and virtual printers are those of the tests. It takes about a minute for each release.
"""

import argparse
import asyncio
import sys
from datetime import UTC, datetime

from tests.fixtures.octoprint import running
from tests.recorded.answers import RELEASES, Recording, compare, read, write
from tests.recorded.drive import Drive

MAX_UPLOAD = 20_000  # bytes: what is larger is refused


async def record(release: str) -> Recording:
    """Drive a server of this release through every state that matters, and return what it said."""
    with running(octoprint_version=release, max_upload=MAX_UPLOAD) as (servers, _):
        async with Drive(servers[0], larger=MAX_UPLOAD + 1) as drive:
            await drive.through_all()
            return Recording(release, datetime.now(UTC).date().isoformat(), drive.scenes, drive.replies)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    parser.add_argument("--release", choices=RELEASES, action="append", help="only this one")
    given = parser.parse_args()
    found = 0
    for release in given.release or RELEASES:
        recording = asyncio.run(record(release))
        if not given.check:
            write(recording)
            print(f"{release}: {len(recording.scenes)} scenes, {len(recording.replies)} replies")
            continue
        lines = compare(read(release), recording)
        found += len(lines)
        print("\n".join(lines) or f"{release}: as recorded on {read(release).recorded}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
