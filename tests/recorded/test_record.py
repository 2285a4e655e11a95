"""The recordings against the servers they were made of, and that a difference would be seen."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.recorded import record
from tests.recorded.answers import RELEASES, Answer, Recording, compare, neutral, read, write


@pytest.mark.octoprint
@pytest.mark.soak
@pytest.mark.parametrize("release", RELEASES)
async def test_real_servers_still_answer_as_recorded(release: str) -> None:
    assert compare(read(release), await record.record(release)) == []


@pytest.mark.parametrize("release", RELEASES)
def test_what_is_written_is_read_again_and_what_is_not_in_it_any_more_goes(
    release: str, tmp_path: Path
) -> None:
    recording = read(release)
    write(recording, tmp_path)
    assert compare(recording, read(release, tmp_path)) == []
    fewer = replace(recording, scenes={"free": recording.scenes["free"]})
    write(fewer, tmp_path)
    assert {path.stem for path in (tmp_path / release).iterdir()} == {"free", "replies"}


def changed(recording: Recording, name: str, **fields: Any) -> Recording:
    """A recording whose answer to one request is another."""
    reply = Answer(**{**vars(recording.replies[name]), **fields})
    return replace(recording, replies={**recording.replies, name: reply})


def test_each_kind_of_difference_is_listed_where_it_is_and_the_day_is_none() -> None:
    old = read("1.11.8")
    assert compare(old, replace(old, recorded="2031-01-01")) == []
    body = old.replies["version"].body
    less = {name: body[name] for name in ("api", "text")}
    for new, line in (
        (
            changed(old, "upload-wrong-type", status=413),
            "1.11.8.replies.upload-wrong-type.status: 415 is now 413",
        ),
        (changed(old, "version", body={**body, "api": 1}), '1.11.8.replies.version.body.api: "0.1" is now 1'),
        (changed(old, "version", body={**body, "more": 1}), "1.11.8.replies.version.body.more: is new"),
        (changed(old, "version", body=less), "1.11.8.replies.version.body.server: is gone"),
    ):
        assert compare(old, new) == [line]


def test_nothing_of_the_moment_and_no_key_is_kept() -> None:
    heard = {
        "session": "5f0c",
        "apikey": "secret",
        "serverTime": 17.5,
        "refs": {"resource": "http://127.0.0.1:40001/"},
        "progress": {"completion": 37.2, "printTime": 12, "printTimeLeft": None},
    }
    kept = neutral(heard, percent=40.0)
    assert kept["progress"] == {"completion": 40.0, "printTime": 5, "printTimeLeft": None}
    assert not [word for word in ("5f0c", "secret", "17.5", "127.0.0.1") if word in json.dumps(kept)]
