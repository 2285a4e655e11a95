"""Keys that slicers write into comments never stay in a stored file."""

from pathlib import Path

import pytest

from jobs.inspection.formats.gcode import read, strip_secrets
from tests.samples import find


def stripped(data: bytes, folder: Path) -> tuple[int, bytes]:
    source, target = folder / "source", folder / "target"
    source.write_bytes(data)
    return strip_secrets(source, target), target.read_bytes()


def test_the_canary_key_is_gone_and_everything_else_stays(tmp_path: Path) -> None:
    data = find("secrets.gcode").data
    count, left = stripped(data, tmp_path)
    assert count == 3
    assert b"CANARY" not in left and b"10.0.0.5" not in left
    assert left == b"".join(line for line in data.splitlines(True) if b"host" not in line)


def test_a_report_counts_secrets_and_says_where_but_never_what(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(find("secrets.gcode").data)
    report = read(path)
    lines = path.read_bytes().split(b"\n")
    assert "CANARY" not in str(report.as_json())
    told = report.facts["secret_lines"]
    assert isinstance(told, list) and len(told) == 3
    assert all(b"host" in lines[int(str(number)) - 1] for number in told)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
@pytest.mark.parametrize(
    "line",
    [
        b"; printhost_apikey = K", b";printhost_apikey=K", b"; PRINTHOST_APIKEY = K", b"; octoprint_api_key: K",
        b"; print_host = http://10.0.0.1", b"; printhost_password = K", b"; bambu_access_code = K",
        b"  ; my_auth_token = K", b"; client_secret = K" + b"K" * 200_000,
    ],
)  # fmt: skip
def test_every_way_of_writing_a_secret(line: bytes, end: bytes, tmp_path: Path) -> None:
    assert stripped(b"G28\n" + line + end, tmp_path) == (1, b"G28\n")


def test_a_file_without_secrets_is_copied_byte_for_byte(tmp_path: Path) -> None:
    data = find("prusaslicer.gcode").data + b"; temperature = 205\r\n; " + b"long " * 50_000 + b"\rG28"
    assert stripped(data, tmp_path) == (0, data)
