"""A patch is the difference, and laying it over the earlier state gives the later one."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fablab.live.merge import difference, merged

scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["a", "b"])
values = st.recursive(
    scalars | st.lists(st.integers(0, 2), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=8,
)
states = st.dictionaries(st.sampled_from("mnop"), values, max_size=4)


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_nulls(inner) for name, inner in value.items() if inner is not None}
    return value


@given(states, states)
def test_the_difference_laid_over_the_earlier_state_is_the_later_one(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    patch = difference(before, after)
    assert without_nulls(merged(before, patch)) == without_nulls(after)


@given(states)
def test_a_state_does_not_differ_from_itself_and_null_is_the_same_as_missing(state: dict[str, Any]) -> None:
    assert difference(state, dict(state)) == {}
    assert difference({name: value for name, value in state.items() if value is not None}, state) == {}


@given(states, states)
def test_neither_side_is_changed(before: dict[str, Any], after: dict[str, Any]) -> None:
    copies = repr(before), repr(after)
    merged(before, difference(before, after))
    assert (repr(before), repr(after)) == copies


def test_only_what_differs_is_in_the_patch_however_deep() -> None:
    before = {"machines": {"a": {"state": "free", "seen": 1}, "b": {"state": "free"}}, "name": "Lab"}
    after = {"machines": {"a": {"state": "busy", "seen": 1}, "c": {"state": "free"}}, "name": "Lab"}
    assert difference(before, after) == {
        "machines": {"a": {"state": "busy"}, "b": None, "c": {"state": "free"}}
    }
