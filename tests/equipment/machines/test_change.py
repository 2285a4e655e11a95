"""Adding, changing, retiring machines; their keys; and who may (REQUIREMENTS 4.3)."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from asgiref.sync import async_to_sync
from pytest_django.fixtures import Settings

from equipment.bookings.services import cancel
from equipment.drivers.base import Code, DriverError
from equipment.machines.connection import driver_for, try_machine
from equipment.machines.models import Machine
from equipment.machines.queries import machine_for, visible_kinds, visible_machines, visible_models
from equipment.machines.services import (
    add_machine,
    back_in_service,
    change_machine,
    put_out_of_order,
    retire_machine,
)
from equipment.machines.states import Driver, Plate, Report
from equipment.sites.states import Role
from fablab.core.errors import DomainError, Malformed, NotAllowed, NotFound, Refused
from fablab.core.sealed import unseal
from fablab.people.models import User
from tests.builders import (
    MONDAY,
    hours,
    make_booking,
    make_kind,
    make_linked_machine,
    make_machine,
    make_model,
    make_person,
    make_site,
)

pytestmark = pytest.mark.django_db
CANARY = "canary-key-5f1c0de5"


def staff_of(machine: Machine, role: Role = Role.STAFF) -> User:
    return make_person("Karim", role, site=machine.site)


def test_a_linked_machine_is_added_with_a_sealed_key_that_nothing_shows() -> None:
    site = make_site()
    machine = add_machine(
        site_id=site.pk,
        model_id=make_model().pk,
        name=" Ada ",
        driver=Driver.OCTOPRINT,
        address="http://192.168.1.20:5000",
        key=CANARY,
        actor=make_person("Karim", Role.STAFF, site=site),
        at=MONDAY,
    )
    machine.refresh_from_db()
    assert (machine.name, machine.driver, machine.connection_number) == ("Ada", "octoprint", 1)
    assert unseal(machine.sealed_key) == CANARY
    stored = Machine.objects.filter(pk=machine.pk).values().get()
    events = list(machine.events.values("action", "details"))
    assert CANARY not in str(stored) + str(events) + repr(machine)
    assert CANARY not in repr(driver_for(machine))


def test_everything_that_is_wrong_with_a_machine_is_said_at_once() -> None:
    site = make_site()
    staff = make_person("Karim", Role.STAFF, site=site)
    with pytest.raises(Malformed) as refusal:
        add_machine(
            site_id=site.pk,
            model_id="nothing",
            name=" ",
            driver=Driver.OCTOPRINT,
            address="ftp://192.168.1.20",
            key="a key",
            actor=staff,
            at=MONDAY,
        )
    assert [(problem.code, problem.field) for problem in refusal.value.problems] == [
        ("machine_name_missing", "name"),
        ("machine_model_unknown", "model"),
        ("address_invalid", "address"),
        ("key_unusable", "key"),
    ]


@pytest.mark.parametrize(
    ("driver", "address", "key", "code"),
    [
        ("teleport", "", "", "driver_unknown"),
        ("octoprint", "", "", "address_missing"),
        ("octoprint", "http://169.254.169.254", "", "address_forbidden"),
        ("octoprint", "http://127.0.0.1:5000", "", "address_forbidden"),
        ("octoprint", "http://8.8.8.8:80", "", "address_forbidden"),
        ("octoprint", "http://user:pw@192.168.1.20", "", "address_invalid"),
        ("handover", "http://192.168.1.20", "", "address_without_link"),
        ("handover", "", CANARY, "key_without_link"),
    ],
)
def test_a_connection_that_can_never_be_right_is_refused_before_anybody_is_asked(
    driver: str, address: str, key: str, code: str
) -> None:
    machine = make_machine()
    with pytest.raises(Malformed) as refusal:
        change_machine(
            machine.pk, driver=driver, address=address, key=key or None, actor=staff_of(machine), at=MONDAY
        )
    assert refusal.value.codes == [code]
    assert CANARY not in str(refusal.value.problems)


def test_a_name_is_unique_at_a_site_and_free_again_when_its_machine_is_gone() -> None:
    site = make_site()
    machine = make_machine(site, "Ada")
    make_machine(make_site(), "Blaise")
    staff = staff_of(machine)
    other = make_machine(site, "Colette")
    with pytest.raises(Refused) as refusal:
        change_machine(other.pk, name="Ada", actor=staff, at=MONDAY)
    assert (refusal.value.codes, refusal.value.problems[0].field) == (["machine_name_taken"], "name")
    retire_machine(machine.pk, actor=staff, at=MONDAY)
    assert change_machine(other.pk, name="Ada", actor=staff, at=MONDAY).name == "Ada"


@pytest.mark.parametrize(
    "address",
    ["http://10.0.0.9:5000", "http://10.0.0.8:5001", "https://10.0.0.8:5000", "http://10.0.0.8:5000/behind"],
)
def test_another_host_port_scheme_or_path_erases_the_key_and_all_that_the_old_connection_said(
    address: str,
) -> None:
    machine = make_linked_machine(address="http://10.0.0.8:5000", key=CANARY)
    changed = change_machine(machine.pk, address=address, actor=staff_of(machine), at=MONDAY)
    changed.refresh_from_db()
    assert (changed.sealed_key, changed.connection_number) == ("", 2)
    assert (changed.report, changed.seen_at) == (Report.NEVER, None)
    assert (changed.plate, changed.plate_token) == (Plate.TO_CLEAR, "")


def test_the_same_place_written_otherwise_keeps_the_key() -> None:
    machine = make_linked_machine(address="http://10.0.0.8:80", key=CANARY)
    changed = change_machine(machine.pk, address="http://10.0.0.8/", actor=staff_of(machine), at=MONDAY)
    assert unseal(changed.sealed_key) == CANARY
    assert changed.connection_number == 1


def test_a_new_key_is_a_new_connection_and_an_empty_one_removes_it() -> None:
    machine = make_linked_machine(key=CANARY)
    staff = staff_of(machine)
    assert (
        unseal(change_machine(machine.pk, key="another-key", actor=staff, at=MONDAY).sealed_key)
        == "another-key"
    )
    changed = change_machine(machine.pk, key="", actor=staff, at=MONDAY)
    assert (changed.sealed_key, changed.connection_number) == ("", 3)


def test_a_machine_that_loses_its_link_keeps_neither_address_nor_key() -> None:
    machine = make_linked_machine(key=CANARY)
    changed = change_machine(machine.pk, driver=Driver.HANDOVER, actor=staff_of(machine), at=MONDAY)
    assert (changed.address, changed.sealed_key) == ("", "")
    with pytest.raises(DriverError) as refused:
        async_to_sync(driver_for(changed).observe)()
    assert refused.value.code is Code.NOT_SUPPORTED


def test_a_name_alone_changes_nothing_of_the_connection() -> None:
    machine = make_linked_machine(key=CANARY)
    changed = change_machine(machine.pk, name="Ada", actor=staff_of(machine), at=MONDAY)
    changed.refresh_from_db()
    assert (changed.name, changed.connection_number, changed.plate) == ("Ada", 1, Plate.CLEAR)
    assert unseal(changed.sealed_key) == CANARY


class Thief(BaseHTTPRequestHandler):
    """Another computer, which keeps all that is sent to it."""

    heard: list[str]

    def do_GET(self) -> None:
        self.heard.append(f"{self.requestline}\n{self.headers}")
        self.send_error(404)

    def log_message(self, *args: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def thief() -> Iterator[HTTPServer]:
    Thief.heard = []
    server = HTTPServer(("127.0.0.1", 0), Thief)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join(10)
    server.server_close()


def test_after_another_address_no_key_reaches_the_new_host(thief: HTTPServer, settings: Settings) -> None:
    settings.MACHINE_NETWORKS = [f"127.0.0.1:{thief.server_port}", "10.0.0.0/8:80-65535"]
    machine = make_linked_machine(key=CANARY)
    elsewhere = f"http://127.0.0.1:{thief.server_port}"
    moved = change_machine(machine.pk, address=elsewhere, actor=staff_of(machine), at=MONDAY)
    tried = async_to_sync(try_machine)(moved)
    assert (tried.ok, tried.code) == (False, "not_octoprint")
    assert Thief.heard
    assert CANARY not in "".join(Thief.heard)


def test_a_retired_machine_is_gone_for_everybody_and_its_key_with_it() -> None:
    machine = make_linked_machine(key=CANARY)
    manager = staff_of(machine, Role.MANAGER)
    retired = retire_machine(machine.pk, actor=manager, at=MONDAY)
    assert (retired.retired_at, retired.sealed_key, retired.plate_token) == (MONDAY, "", "")
    with pytest.raises(NotFound):
        machine_for(manager, machine.pk)
    with pytest.raises(NotFound):
        change_machine(machine.pk, name="Ada", actor=manager, at=MONDAY)


def test_a_machine_that_works_or_is_booked_is_not_retired() -> None:
    machine = make_linked_machine(report=Report.PRINTING)
    staff = staff_of(machine)
    booking = make_booking(machine, start=MONDAY + hours(1))
    with pytest.raises(Refused) as refusal:
        retire_machine(machine.pk, actor=staff, at=MONDAY)
    assert refusal.value.codes == ["machine_working", "machine_has_bookings"]
    cancel(booking.pk, actor=staff, at=MONDAY)
    Machine.objects.update(report=Report.READY)
    assert retire_machine(machine.pk, actor=staff, at=MONDAY).retired_at == MONDAY


def test_a_person_sees_the_machines_models_and_kinds_of_their_sites() -> None:
    site, kind = make_site(), make_kind("heat-press")
    one, other = make_machine(site, "A"), make_machine(site, "B", kind=kind)
    make_machine(make_site(), "C", kind=kind)
    member = make_person(site=site)
    assert list(visible_machines(member)) == [one, other]
    assert list(visible_machines(member, kind="heat-press")) == [other]
    assert list(visible_machines(member, kind=kind.pk, site_id=site.pk)) == [other]
    assert set(visible_models(member)) == {one.model, other.model}
    assert kind in visible_kinds(member)
    assert list(visible_machines(make_person())) == []


# --- who may ----------------------------------------------------------------------------------------------


def verbs(machine: Machine, actor: User) -> dict[str, Callable[[], object]]:
    return {
        "add": lambda: add_machine(
            site_id=machine.site_id, model_id=machine.model_id, name="Nouvelle", actor=actor, at=MONDAY
        ),
        "change": lambda: change_machine(machine.pk, name="Autre", actor=actor, at=MONDAY),
        "retire": lambda: retire_machine(machine.pk, actor=actor, at=MONDAY),
        "out_of_order": lambda: put_out_of_order(machine.pk, actor=actor, reason="Bruit", at=MONDAY),
    }


@pytest.mark.parametrize("verb", ["add", "change", "retire", "out_of_order"])
@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("here", [True, False])
def test_staff_and_managers_manage_machines_and_instructors_put_them_out_of_order(
    verb: str, role: Role, here: bool
) -> None:
    machine = make_machine()
    actor = make_person("P", role, site=machine.site if here else make_site())
    enough = {Role.STAFF, Role.MANAGER} | ({Role.INSTRUCTOR} if verb == "out_of_order" else set())
    ask = verbs(machine, actor)[verb]
    if here and role in enough:
        ask()
        return
    expected: type[DomainError] = NotAllowed if here else NotFound
    with pytest.raises(expected):
        ask()
    machine.refresh_from_db()
    assert (machine.retired_at, machine.out_of_order_since) == (None, None)
    assert Machine.objects.count() == 1


# --- out of order -----------------------------------------------------------------------------------------


def test_a_machine_is_out_of_order_with_a_reason_until_somebody_brings_it_back() -> None:
    machine = make_machine()
    instructor = staff_of(machine, Role.INSTRUCTOR)
    broken = put_out_of_order(machine.pk, actor=instructor, reason=" La buse est bouchée ", at=MONDAY)
    assert (broken.out_of_order_since, broken.out_of_order_reason) == (MONDAY, "La buse est bouchée")
    with pytest.raises(Refused) as refusal:
        put_out_of_order(machine.pk, actor=instructor, reason="Encore", at=MONDAY)
    assert refusal.value.codes == ["already_out_of_order"]
    back = back_in_service(machine.pk, actor=instructor, at=MONDAY + hours(3))
    assert (back.out_of_order_since, back.out_of_order_reason) == (None, "")
    outage = machine.outages.get()
    assert (outage.start, outage.end, outage.created_by) == (MONDAY, MONDAY + hours(3), instructor)
    with pytest.raises(Refused) as refusal:
        back_in_service(machine.pk, actor=instructor, at=MONDAY + hours(3))
    assert refusal.value.codes == ["not_out_of_order"]
    assert list(machine.events.values_list("action", flat=True)) == ["out_of_order", "back_in_service"]


def test_a_machine_that_reports_its_own_fault_again_and_again_has_one_outage() -> None:
    machine = make_machine()
    for minute in range(3):
        put_out_of_order(machine.pk, actor=None, reason="MAXTEMP", at=MONDAY + hours(minute))
    assert machine.outages.count() == 1
    assert machine.events.get().source == "system"


def test_an_outage_without_a_reason_is_refused() -> None:
    machine = make_machine()
    for reason, code in (("  ", "reason_missing"), ("x" * 201, "reason_too_long")):
        with pytest.raises(Malformed) as refusal:
            put_out_of_order(machine.pk, actor=staff_of(machine), reason=reason, at=MONDAY)
        assert refusal.value.codes == [code]
