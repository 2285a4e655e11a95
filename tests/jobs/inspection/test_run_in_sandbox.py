"""What a program in the sandbox cannot do: outlive, overgrow, write elsewhere, reach a network."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jobs.inspection.findings import Report
from jobs.inspection.sandbox import MIB, PROJECT, Completed, inspect_file, run_program
from tests.samples import find

PYTHON = sys.executable


def python(code: str, folder: Path, **limits: float) -> Completed:
    options = {"seconds": 20.0, **limits}
    return run_program([PYTHON, "-I", "-c", code], cwd=folder, **options)  # type: ignore[arg-type] # whole numbers too


def why(report: Report) -> object:
    (finding,) = report.findings
    assert (finding.code, report.blocked) == ("unreadable", True)
    return finding.params["why"]


def gone(pid: int) -> bool:
    """True once the process has ended; waits for that at most ten seconds."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    import select

    ended = bool(select.select([handle], [], [], 10)[0])
    os.close(handle)
    return ended


def test_a_program_gives_back_what_it_said_and_how_it_ended(tmp_path: Path) -> None:
    done = python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)", tmp_path)
    assert (done.stdout, done.stderr, done.returncode, done.ok) == (b"out\n", b"err\n", 3, False)


def test_a_program_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    done = python("import time; time.sleep(60)", tmp_path, seconds=0.5)
    assert done.stopped == "time" and done.returncode == -signal.SIGKILL and done.seconds < 5


def test_a_program_that_only_counts_is_ended_by_its_processor_time(tmp_path: Path) -> None:
    done = python("while True: pass", tmp_path, seconds=1.0)
    assert not done.ok and done.seconds < 10


def test_a_program_that_talks_without_end_is_cut_off(tmp_path: Path) -> None:
    done = python("while True: print('x' * 1000)", tmp_path, output_limit=100_000)
    assert done.stopped == "output" and len(done.stdout) == 100_000


def test_a_program_that_wants_all_memory_gets_an_error_of_its_own(tmp_path: Path) -> None:
    done = python("b'x' * (1 << 30)", tmp_path, memory=300 * MIB)
    assert b"MemoryError" in done.stderr


def test_a_program_cannot_write_a_huge_file(tmp_path: Path) -> None:
    done = python("open('big', 'wb').write(bytes(2_000_000))", tmp_path, file_bytes=1_000_000)
    assert not done.ok and (tmp_path / "big").stat().st_size <= 1_000_000


def test_a_program_writes_in_its_own_folder_only(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    done = python(f"open('here', 'w').write('x'); open({str(outside / 'there')!r}, 'w')", inside)
    assert (inside / "here").exists() and not (outside / "there").exists()
    assert b"PermissionError" in done.stderr


def test_a_program_reaches_no_server_not_even_here(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = python(f"import socket; socket.create_connection(('127.0.0.1', {port}), 5)", tmp_path)
    assert b"OSError" in done.stderr or b"ConnectionRefusedError" in done.stderr
    assert not done.ok


def test_what_a_program_leaves_behind_is_ended_with_it(tmp_path: Path) -> None:
    code = "import subprocess; print(subprocess.Popen(['/bin/sleep', '300']).pid)"
    done = python(code, tmp_path)
    assert done.ok and gone(int(done.stdout))


def test_a_program_dies_with_the_one_that_started_it(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys; from jobs.inspection.sandbox import run_program; "
        "run_program([sys.executable, '-I', '-c', \"import os, time; "
        "open('pid.new', 'w').write(str(os.getpid())); os.rename('pid.new', 'pid'); time.sleep(300)\"], "
        f"cwd=pathlib.Path({str(tmp_path)!r}), seconds=300)"
    )
    parent = subprocess.Popen([PYTHON, "-c", code], cwd=PROJECT)
    written, deadline = tmp_path / "pid", time.monotonic() + 20
    while not written.exists():
        assert parent.poll() is None and time.monotonic() < deadline
        os.sched_yield()
    parent.kill()
    parent.wait()
    assert gone(int(written.read_text()))


def test_no_program_to_run_is_an_answer_not_an_exception(tmp_path: Path) -> None:
    assert not run_program([str(tmp_path / "nothing")], cwd=tmp_path, seconds=5).ok


def test_a_good_file_is_read_and_pictured_without_network_and_without_writing_elsewhere(
    tmp_path: Path,
) -> None:
    source, picture = tmp_path / "stored", tmp_path / "pictures" / "cube.png"
    source.write_bytes(find("cube.stl").data)
    report = inspect_file(source, "cube.stl", picture)
    assert report.size_mm == (20.0, 20.0, 20.0) and not report.findings
    assert report.facts["confined"] == ["no-network", "read-only"]
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_sound_model_comes_back_as_bare_triangles_standing_on_the_plate(tmp_path: Path) -> None:
    source, mesh = tmp_path / "stored", tmp_path / "mesh.stl"
    source.write_bytes(find("far.stl").data)
    inspect_file(source, "far.stl", bare=mesh)
    clean = inspect_file(mesh, "mesh.stl")
    assert clean.size_mm == (30.0, 20.0, 10.0) and clean.facts["low_mm"] == [0.0, 0.0, 0.0]


def test_an_open_model_is_pictured_but_gives_no_triangles(tmp_path: Path) -> None:
    source, picture, mesh = tmp_path / "stored", tmp_path / "picture.png", tmp_path / "mesh.stl"
    source.write_bytes(find("open.stl").data)
    report = inspect_file(source, "open.stl", picture, bare=mesh)
    assert report.blocked and picture.exists() and not mesh.exists()


def test_reading_that_takes_too_long_is_a_report(tmp_path: Path) -> None:
    source = tmp_path / "stored"
    source.write_bytes(find("cube.stl").data)
    assert why(inspect_file(source, "cube.stl", seconds=0.01)) == "too_slow"


def test_reading_that_finds_no_memory_is_a_report(tmp_path: Path) -> None:
    source = tmp_path / "stored"
    source.write_bytes(find("cube.stl").data)
    assert why(inspect_file(source, "cube.stl", memory=40 * MIB)) in ("crashed", "too_complex")


def test_a_file_that_is_gone_is_a_report(tmp_path: Path) -> None:
    assert why(inspect_file(tmp_path / "nothing", "cube.stl")) == "missing"


def test_ten_million_triangles_are_refused_without_reading_them(tmp_path: Path) -> None:
    source = tmp_path / "stored"
    with source.open("wb") as out:
        out.write(b"many".ljust(80, b"\0") + (10_000_000).to_bytes(4, "little"))
        out.truncate(84 + 50 * 10_000_000)
    began = time.monotonic()
    report = inspect_file(source, "many.stl")
    assert [one.code for one in report.findings] == ["too_many_triangles"]
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("name", ["nan.stl", "page.stl", "binary.gcode", "outside_arc_bulge.gcode"])
def test_a_bad_file_gives_the_same_report_inside_and_outside(name: str, tmp_path: Path) -> None:
    from jobs.inspection import registry

    source = tmp_path / "stored"
    source.write_bytes(find(name).data)
    assert inspect_file(source, name).findings == registry.read(source, name).findings
