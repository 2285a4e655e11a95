"""The disk is full while somebody sends a file (case 12): by a real full disk where one can be mounted."""

import errno
import subprocess
from pathlib import Path

import pytest

from tests.faults.full_disk import DISK_BYTES, LIMIT, how, may_mount
from tests.journeys.lab import Answer, Api, Lab

pytestmark = pytest.mark.killed

FOLDERS = ("spool", "files")  # where a file is received, where it is kept
LIMIT_BYTES = 12_000_000
FILE = b"; printed by nobody\n" * 1_000_000  # 20 MB


class FullDisk:
    """What stands between the server and its files: two small disks of its own, or a limit for its process."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        if may_mount():
            places = [lab.folder / "var" / name for name in FOLDERS]
            for place in places:
                place.mkdir(parents=True, exist_ok=True)
            mounts = " && ".join(f"mount -t tmpfs -o size={DISK_BYTES} tmpfs '{place}'" for place in places)
            lab.inside = ["unshare", "--mount", "sh", "-c", f'{mounts} && exec "$@"', "sh"]

    def seen(self, name: str) -> Path:
        """Return a folder as the server sees it."""
        assert self.lab.process is not None
        return Path(f"/proc/{self.lab.process.pid}/root{self.lab.folder}/var/{name}")

    def fill(self, name: str) -> None:
        if not may_mount():
            self._limit(str(LIMIT_BYTES))
            return
        with (self.seen(name) / "filler").open("wb", buffering=0) as filler, pytest.raises(OSError) as full:
            while True:
                filler.write(b"x" * 1_000_000)
        assert full.value.errno == errno.ENOSPC

    def empty(self, name: str) -> None:
        if may_mount():
            (self.seen(name) / "filler").unlink()
        else:
            self._limit("unlimited")

    def named_files(self) -> list[str]:
        """Return every file that lies on the two disks, beside our own filler."""
        found = [path for name in FOLDERS for path in self.seen(name).rglob("*") if path.is_file()]
        return sorted(path.name for path in found if path.name != "filler")

    def empties_what_was_kept(self) -> None:
        for name in self.named_files():
            for path in self.seen("files").rglob(name):
                path.unlink()

    def _limit(self, size: str) -> None:
        assert self.lab.process is not None
        subprocess.run(["prlimit", f"--pid={self.lab.process.pid}", f"--fsize={size}:"], check=True)


def told(lab: Lab, staff: Api) -> bool:
    """Say whether the work list of those on duty speaks of the disk."""
    tasks = staff.get(f"/api/v1/sites/{lab.site_id(staff)}/worklist/")["results"]
    return any(task["need"] == "disk" for task in tasks)


def send(person: Api) -> Answer:
    return person.upload("grand.gcode", FILE)


@pytest.mark.parametrize("by", [how()])
def test_case_12_a_full_disk_is_said_in_words_leaves_nothing_and_those_on_duty_are_told(
    tmp_path: Path, by: str
) -> None:
    lab = Lab(tmp_path, [], DISK_LOW_BYTES="2000000")
    disk = FullDisk(lab)
    try:
        lab.start()
        sami, karim = lab.api("sami"), lab.api("karim")
        assert not told(lab, karim)
        for name in FOLDERS:
            disk.fill(name)
            refused = send(sami)
            assert (refused.status, refused["code"]) == (507, "storage_full"), refused
            assert "plus de place" in refused["detail"]
            assert disk.named_files() == [], "nothing stays half received"
            assert sami.get("/api/v1/me/").status == 200, "others go on"
            assert told(lab, karim)
            disk.empty(name)
            # With a limit nobody sees from outside when it is gone: that stays told for an hour.
            assert told(lab, karim) is (by == LIMIT)
            kept = send(sami)
            assert kept.status == 201, kept
            disk.empties_what_was_kept()
    finally:
        lab.stop()
