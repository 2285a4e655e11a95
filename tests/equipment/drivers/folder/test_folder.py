"""What may be wrong with a folder has a code of its own; links lead nowhere; the machine's own files stay."""

import multiprocessing
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection as Pipe
from pathlib import Path, PurePosixPath

import pytest

from equipment.drivers.base import Code, Connection, DriverError
from equipment.drivers.folder import shelf
from equipment.drivers.folder.driver import FolderDriver
from equipment.drivers.folder.shelf import Shelf
from equipment.drivers.folders import NotListed, parse_folder, parse_folders
from tests.equipment.drivers.folder.helpers import LIES_AS, NAME, Watched

NOBODY = 65534


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A folder that every user may enter, unlike pytest's own."""
    path = Path(tempfile.mkdtemp(prefix="fablab-folder-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def as_nobody(where: Path, ask: Callable[[Shelf], object]) -> str:
    """The code that a user without rights is told. In a process of its own: who was root does not get it back."""
    here, there = multiprocessing.Pipe()
    context = multiprocessing.get_context("fork")
    process = context.Process(target=_ask_as_nobody, args=(where, ask, there))
    process.start()
    assert here.poll(20), "no answer"
    said: str = here.recv()
    process.join(20)
    here.close()
    there.close()
    return said


def _ask_as_nobody(where: Path, ask: Callable[[Shelf], object], there: Pipe) -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    try:
        with Shelf(parse_folder(str(where), (PurePosixPath(where.parent),)), shelf.link) as here:
            ask(here)
        there.send("nothing refused")
    except DriverError as refused:
        there.send(str(refused))


def put(source: Path) -> Callable[[Shelf], object]:
    data = source.read_bytes()
    return lambda here: here.put(
        source, LIES_AS, "0" * 40, len(data), threading.Event(), lambda written: None
    )


def test_a_folder_that_we_may_read_and_not_write_is_read_only(open_to_all: Path) -> None:
    watched = open_to_all / "colette"
    watched.mkdir(mode=0o555)
    (source := open_to_all / "design").write_bytes(b"stitches")
    assert as_nobody(watched, lambda here: here.demand_writable()) == "folder_read_only"
    assert as_nobody(watched, put(source)) == "folder_read_only"
    assert list(watched.iterdir()) == []


def test_a_folder_that_we_may_not_look_into_is_unreadable(open_to_all: Path) -> None:
    watched = open_to_all / "colette"
    watched.mkdir(mode=0o000)
    assert as_nobody(watched, lambda here: here.listed()) == "folder_unreadable"


async def test_a_share_that_is_not_mounted_is_a_missing_folder_for_every_call(
    watched: Watched, design: Path
) -> None:
    watched.path.rmdir()
    driver = watched.driver()
    for ask in (
        driver.probe(),
        driver.send(design, "fl", NAME, {}),
        driver.remote_file(NAME),
        driver.list_folder("fl"),
        driver.delete(NAME),
    ):
        with pytest.raises(DriverError) as refused:
            await ask
        assert (refused.value.code, refused.value.certain) == (Code.FOLDER_MISSING, True)


async def test_a_file_where_the_folder_should_be_is_a_missing_folder(watched: Watched) -> None:
    watched.path.rmdir()
    watched.path.write_bytes(b"")
    with pytest.raises(DriverError) as refused:
        await watched.driver().probe()
    assert refused.value.code is Code.FOLDER_MISSING


@pytest.mark.parametrize("inside", [True, False])
async def test_a_link_below_the_listed_folder_is_refused_wherever_it_leads(
    watched: Watched, tmp_path: Path, design: Path, inside: bool
) -> None:
    aim = watched.root / "aim" if inside else tmp_path / "aim"
    (aim / "deep").mkdir(parents=True)
    (watched.root / "link").symlink_to(aim)
    for address in (watched.root / "link", watched.root / "link" / "deep"):
        driver = Watched(address, watched.root).driver()
        for ask in (driver.probe(), driver.send(design, "fl", NAME, {})):
            with pytest.raises(DriverError) as refused:
                await ask
            assert (refused.value.code, refused.value.params) == (
                Code.ADDRESS_FORBIDDEN,
                {"reason": "link"},
            )
    assert list((aim / "deep").iterdir()) == []


async def test_a_listed_folder_may_itself_be_reached_by_a_link(
    watched: Watched, tmp_path: Path, design: Path
) -> None:
    """Whoever wrote the installation's settings chose it."""
    (tmp_path / "mnt").symlink_to(watched.root)
    driver = Watched(tmp_path / "mnt" / "colette", tmp_path / "mnt").driver()
    await driver.send(design, "fl", NAME, {})
    assert watched.seen() == [LIES_AS]


async def test_a_link_in_the_folder_is_no_file_of_the_machine(watched: Watched, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"a secret")
    (watched.path / LIES_AS).symlink_to(secret)
    driver = watched.driver()
    assert await driver.remote_file(NAME) is None
    assert await driver.list_folder("fl") == ()
    await driver.delete(NAME)
    assert secret.read_bytes() == b"a secret"
    assert watched.seen() == []


async def test_a_path_that_climbs_is_only_its_last_piece(watched: Watched, tmp_path: Path) -> None:
    outside = watched.root / LIES_AS
    outside.write_bytes(b"not in the folder")
    driver = watched.driver()
    for path in (f"../{LIES_AS}", f"/{watched.root}/{LIES_AS}", f"fl/../../{LIES_AS}"):
        assert await driver.remote_file(path) is None
        await driver.delete(path)
    assert outside.read_bytes() == b"not in the folder"


async def test_what_people_put_into_the_folder_themselves_is_listed_and_left_alone(
    watched: Watched, design: Path
) -> None:
    (watched.path / "Grand mère.dst").write_bytes(b"her own")
    (watched.path / ".DS_Store").write_bytes(b"")
    (watched.path / "OLD").mkdir()
    driver = watched.driver()
    await driver.send(design, "fl", NAME, {})
    assert [file.path for file in await driver.list_folder("fl")] == ["Grand mère.dst", LIES_AS]
    await driver.delete(NAME)
    assert watched.seen() == ["Grand mère.dst", "OLD"]


# --- which folders: the decision itself ---------------------------------------------------------------------


@pytest.mark.parametrize("entry", ["relative", "", "/", "//", "/a/../b", "/a/./b", "/a\nb", "C:\\machines"])
def test_a_list_that_is_half_understood_is_no_list(entry: str) -> None:
    with pytest.raises(ValueError, match=r"path|computer"):
        parse_folders([entry or " x"])


def test_the_nearest_listed_folder_is_where_the_way_begins() -> None:
    allowed = parse_folders(["/srv", "/srv/machines", " ", "/mnt/shares/"])
    found = parse_folder("/srv/machines//colette/in/", allowed)
    assert (str(found.root), found.below, found.path) == (
        "/srv/machines",
        ("colette", "in"),
        "/srv/machines/colette/in",
    )
    assert parse_folder("/mnt/shares", allowed).below == ()


@pytest.mark.parametrize("address", ["/srv2", "/srvmachines/x", "/", "/etc/passwd", "/mnt"])
def test_a_folder_that_only_begins_alike_is_not_listed(address: str) -> None:
    with pytest.raises(NotListed):
        parse_folder(address, parse_folders(["/srv", "/mnt/shares"]))


async def test_nothing_listed_is_nothing_reached(watched: Watched) -> None:
    with pytest.raises(DriverError) as refused:
        await FolderDriver(Connection(str(watched.path))).probe()
    assert (refused.value.code, refused.value.params) == (Code.ADDRESS_FORBIDDEN, {"reason": "not_listed"})
