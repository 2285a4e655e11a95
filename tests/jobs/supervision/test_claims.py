"""Which machines a supervisor takes: the free, its own, and those whose owner it saw silent for a lease's length."""

from datetime import UTC, datetime, timedelta

from equipment.machines.services import Lease
from jobs.supervision.bench import LEASE_S
from jobs.supervision.claims import SHARED_S, Claims

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
FREE = Lease("", 3, None)


def written(owner: str, renewed: int = 0) -> Lease:
    return Lease(owner, 1, NOON + timedelta(seconds=renewed))


def test_what_is_free_or_our_own_is_taken_at_once() -> None:
    claims = Claims("me")
    assert claims.wanted({"a": FREE, "b": written("me")}, set(), 0.0) == {"a": None, "b": None}


def test_another_s_machine_is_taken_only_when_its_lease_was_seen_unchanged_for_its_whole_length() -> None:
    claims = Claims("me")
    theirs = {"a": written("other")}
    assert claims.wanted(theirs, set(), 100.0) == {}
    assert claims.wanted(theirs, set(), 100.0 + LEASE_S - 0.1) == {}
    assert claims.wanted(theirs, set(), 100.0 + LEASE_S) == theirs


def test_each_renewal_is_a_sign_of_life() -> None:
    claims = Claims("me")
    for step in range(10):
        now = 5.0 * step
        assert claims.wanted({"a": written("other", renewed=step)}, set(), now) == {}


def test_case_20_a_lease_written_for_next_year_counts_no_longer_than_any_other() -> None:
    claims = Claims("me")
    theirs = {"a": Lease("other", 1, NOON + timedelta(days=365))}
    assert claims.wanted(theirs, set(), 0.0) == {}
    assert claims.wanted(theirs, set(), LEASE_S) == theirs


def test_beside_another_one_takes_half_and_the_rest_only_when_nobody_else_did() -> None:
    claims = Claims("me")
    hall = {"a": written("other"), **dict.fromkeys("bcdef", FREE)}
    taken = set(claims.wanted(hall, set(), 0.0))
    assert len(taken) == 3
    hall["a"] = written("other", renewed=1)
    assert claims.wanted(hall, taken, SHARED_S - 0.1) == {}
    assert set(claims.wanted(hall, taken, SHARED_S)) == set("bcdef") - taken


def test_the_machines_of_the_dead_are_all_taken_by_the_only_one_left() -> None:
    claims = Claims("me")
    hall = {name: written("dead") for name in "abcdef"}
    claims.wanted(hall, set(), 0.0)
    assert claims.wanted(hall, set(), LEASE_S) == hall
