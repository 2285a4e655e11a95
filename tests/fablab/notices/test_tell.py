"""Telling people something (``fablab.notices.services``)."""

import pytest

from fablab.notices.queries import unread_of
from fablab.notices.services import mark_seen, tell, withdraw
from tests.builders import MONDAY, make_person

pytestmark = pytest.mark.django_db


def test_a_message_waits_until_its_person_has_read_it() -> None:
    lea, sami = make_person("lea"), make_person("sami")
    assert tell([lea.pk], "slot_taken", {"machine": "Ada"}, key="k", link="/objets/", at=MONDAY) == 1
    (notice,) = unread_of(lea)
    assert (notice.code, notice.params, notice.link) == ("slot_taken", {"machine": "Ada"}, "/objets/")
    assert not mark_seen(sami, notice.pk, at=MONDAY)
    assert mark_seen(lea, notice.pk, at=MONDAY)
    assert unread_of(lea) == []


def test_telling_twice_of_one_event_tells_once_even_when_it_was_read() -> None:
    lea, sami = make_person("lea"), make_person("sami")
    tell([lea.pk], "slot_taken", {}, key="k", at=MONDAY)
    mark_seen(lea, unread_of(lea)[0].pk, at=MONDAY)
    assert tell([lea.pk, sami.pk, sami.pk], "slot_taken", {}, key="k", at=MONDAY) == 1
    assert (unread_of(lea), len(unread_of(sami))) == ([], 1)


def test_what_is_no_longer_so_is_taken_back() -> None:
    lea = make_person("lea")
    tell([lea.pk], "slot_taken", {}, key="k", at=MONDAY)
    tell([lea.pk], "slot_taken", {}, key="other", at=MONDAY)
    assert withdraw("k") == 1
    assert [notice.key for notice in unread_of(lea)] == ["other"]
