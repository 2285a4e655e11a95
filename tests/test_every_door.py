"""Every door asks every rule: each is tried on an occupied hour and with each rule failing alone (REL-23)."""

import ast
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.db import transaction
from django.urls import reverse
from time_machine import TimeMachineFixture

from equipment.bookings.models import Series
from equipment.bookings.rules import CODES
from tests.builders import make_person
from tests.doors import AT, DOORS, SITUATIONS, Door, Situation, World, rows, sentence_of
from tests.fablab.dashboard.lab import as_
from tests.test_one_place import trees

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.urls("fablab.urls_private"),
    pytest.mark.rules_alone,
]

ROOM = "equipment.bookings"
# Who asks for a time that is not theirs yet calls one of these.
SERVICES = {
    f"{ROOM}.services.book",
    f"{ROOM}.services.move",
    f"{ROOM}.places.book_place",
    f"{ROOM}.series.make_series",
    f"{ROOM}.following.change_following",
    f"{ROOM}.walk_up.walk_up",
    f"{ROOM}.importing.import_bookings",
    "jobs.lifecycle.handover.use_now",
    "jobs.lifecycle.services.use_now",
    "jobs.planning.services.take_other_time",
}
# Modules that write rows with times, or change them: behind ``SERVICES``, and three with tests of their own, which ask
# them the rules: a use that goes on (test_extend) or ends early (test_finish), a freed time that is held (test_wait).
WRITERS = {
    f"{ROOM}.{name}"
    for name in ("services", "series", "following", "importing", "extending", "use", "offering")
}


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda one: one.name)
def test_every_door_refuses_with_the_one_rule_that_fails_and_writes_nothing(
    situation: Situation, time_machine: TimeMachineFixture
) -> None:
    time_machine.move_to(AT, tick=False)
    world = situation.make()
    wrong = []
    for door in DOORS:
        cache.clear()  # nobody is slowed down for having tried the other doors
        with transaction.atomic():
            wrong += [f"{door.name}: {what}" for what in _tried(door, situation, world)]
            transaction.set_rollback(True)
    assert wrong == []


def _tried(door: Door, situation: Situation, world: World) -> list[str]:
    before, series = rows(), Series.objects.count()
    answer = door.knock(world)
    written = rows() != before or Series.objects.count() != series
    if situation.code in door.lets_in:
        return [] if answer.let_in and written else [f"did not let in: {answer}"]
    code = door.says.get(situation.name, situation.code)
    found = ["it let in"] if answer.let_in else []
    found += ["something was written"] if written else []
    found += [f"it says {answer.codes}"] if answer.codes not in ([], [code]) else []
    if not answer.codes and not sentence_of(code).search(answer.text):
        found.append(f"it does not say why: {answer.text[-3000:]}")
    return found + [f"{one} is lost" for one in answer.kept if one not in answer.text]


def test_every_rule_has_a_world_in_which_it_fails_and_doors_name_no_rule_that_is_none() -> None:
    assert {one.code for one in SITUATIONS} == CODES
    assert {code for door in DOORS for code in door.lets_in} <= CODES
    names = {one.name for one in SITUATIONS}
    assert {name for door in DOORS for name in door.says} <= names


def test_the_admin_reads_bookings_and_is_no_door(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(AT, tick=False)
    world = World()
    before = rows()
    root = as_(make_person("Root", is_staff=True, is_superuser=True))
    form = {"machine": world.machine.pk, "person": world.person.pk, "state": "confirmed", **world.span}
    one = world.booked.pk
    for address in (
        reverse("admin:equipment_booking_add"),
        reverse("admin:equipment_booking_change", args=[one]),
        reverse("admin:equipment_booking_delete", args=[one]),
    ):
        assert root.post(address, {**form, "post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": one, "post": "yes"}
    root.post(reverse("admin:equipment_booking_changelist"), chosen)
    assert rows() == before


# --- no door is forgotten -----------------------------------------------------------------------------------------


def test_whoever_leads_to_the_services_is_one_of_the_doors() -> None:
    outside = {
        module
        for module, tree in _modules()
        if module.startswith("fablab.") or ".management." in module
        for called in _named(tree)
        if called in SERVICES
    }
    assert outside == {door.calls for door in DOORS}


def test_only_the_services_write_times_of_bookings() -> None:
    assert {module for module, tree in _modules() if any(map(_writes_times, ast.walk(tree)))} == WRITERS


def test_the_reader_of_sources_sees_what_it_looks_for() -> None:
    code = "from equipment.bookings import services as all_of_it\nall_of_it.book(x)\n"
    assert f"{ROOM}.services.book" in _named(ast.parse(code))
    for line in (
        "Booking(start=x)",
        "Booking.objects.create()",
        "Booking.objects.filter(pk=x).update(end=y)",
    ):
        assert any(map(_writes_times, ast.walk(ast.parse(line)))), line
    assert not any(map(_writes_times, ast.walk(ast.parse("Booking.objects.update(state=x, **newer(at))"))))


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for path, tree in trees():
        yield path.removesuffix(".py").replace("/", "."), tree


def _named(tree: ast.Module) -> set[str]:
    """Return the whole names of all that a module imports, and of what it takes from there."""
    whole = {
        name.asname or name.name: f"{node.module}.{name.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }
    taken = {
        f"{whole.get(node.value.id, '')}.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    return taken | set(whole.values())


def _writes_times(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    called = ast.unparse(node.func)
    if called.startswith("Booking.objects.") and called.endswith(".update"):
        times = {"start", "end", "held_start", "held_end", "machine"}
        return any(
            one.arg in times or (one.arg is None and not ast.unparse(one.value).startswith("newer("))
            for one in node.keywords
        )
    made = ("create", "bulk_create", "bulk_update", "get_or_create", "update_or_create")
    return called == "Booking" or called in {f"Booking.objects.{verb}" for verb in made}
