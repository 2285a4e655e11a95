"""A connection is tried before it is saved, and the exact reason is said when it fails."""

import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from pytest_django.fixtures import Settings

from equipment.drivers.base import Code
from equipment.drivers.registry import KINDS
from equipment.machines.connection import (
    ConnectionTest,
    KeyState,
    abilities,
    address_problem,
    example,
    try_connection,
    try_machine,
)
from equipment.machines.keys import poll_key, request_key
from equipment.machines.models import Machine
from equipment.machines.services import change_machine
from equipment.machines.words import CONNECTION
from equipment.sites.states import Role
from fablab.core.errors import NotAllowed, NotFound, Refused
from fablab.core.sealed import unseal
from fablab.core.words import SENTENCES, say
from tests.builders import MONDAY, make_linked_machine, make_machine, make_person, make_site
from tests.fakes import hostile_machine as hostile
from tests.fakes.cutter import Cutter
from tests.fakes.hostile_machine import HostileMachine
from tests.fixtures.octoprint import OctoPrint, StartServers, running


def tried(address: str, key: str = "a-key-for-tests") -> ConnectionTest:
    return async_to_sync(try_connection)("octoprint", address, key)


@pytest.fixture
def nobody(settings: Settings) -> str:
    """An allowed address on this computer where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings.MACHINE_NETWORKS = [f"127.0.0.1:{port}"]
    return f"http://127.0.0.1:{port}"


@pytest.fixture
def machine_there(settings: Settings) -> Iterator[HostileMachine]:
    with HostileMachine() as machine:
        settings.MACHINE_NETWORKS = [f"127.0.0.1:{machine.port}"]
        yield machine


def test_every_reason_of_a_driver_has_a_sentence_and_every_sentence_is_registered() -> None:
    assert {code.value for code in Code} <= set(CONNECTION)
    assert all(SENTENCES[f"connection_{code}"] is sentence for code, sentence in CONNECTION.items())
    assert say("connection_not_allowed", {"missing": "PRINT"}) == (
        "La clé marche, mais il manque des droits : PRINT."
    )


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("http://127.0.0.1:22", "loopback"),
        ("http://169.254.169.254", "metadata"),
        ("http://8.8.8.8", "not_listed"),
        ("http://[::ffff:10.0.0.1]:80", "embedded_ipv4"),
    ],
)
def test_an_address_outside_the_allowed_networks_is_address_forbidden(address: str, reason: str) -> None:
    found = tried(address)
    assert (found.ok, found.code, found.params["reason"]) == (False, "address_forbidden", reason)


def test_an_address_that_is_none_is_address_invalid() -> None:
    assert tried("192.168.1.20").code == "address_invalid"


def test_a_name_that_nobody_knows_is_name_unknown() -> None:
    assert tried("http://octopi.invalid:5000").code == "name_unknown"


def test_a_port_where_nobody_listens_is_connection_refused(nobody: str) -> None:
    assert tried(nobody).code == "connection_refused"


@pytest.mark.parametrize(
    ("behaviour", "codes"),
    [
        (hostile.html, {"not_octoprint"}),
        (hostile.html_error, {"server_failed", "not_octoprint"}),
        (hostile.hang_up, {"answer_lost"}),
        (hostile.no_http, {"answer_unreadable", "not_octoprint", "answer_lost"}),
    ],
)
def test_what_is_no_octoprint_is_told_apart_from_silence(
    behaviour: Callable[[], Iterator[bytes]], codes: set[str], machine_there: HostileMachine
) -> None:
    found = tried(machine_there.behaves(behaviour).url)
    assert found.code in codes
    assert not found.ok


def test_a_machine_without_a_link_has_nothing_to_try() -> None:
    assert async_to_sync(try_connection)("handover", "", "").code == "no_link"


@pytest.mark.django_db
def test_a_key_that_was_sealed_elsewhere_is_said_to_be_unreadable(settings: Settings) -> None:
    machine = make_linked_machine(key="a-key-for-tests")
    settings.MACHINE_KEY_SECRETS = ["another installation's secret, long enough to be one"]
    assert async_to_sync(try_machine)(machine).code == "key_unreadable"


# --- machines that are reached in other ways --------------------------------------------------------------


def test_a_folder_is_tried_by_looking_and_nothing_is_written(tmp_path: Path, settings: Settings) -> None:
    settings.MACHINE_FOLDERS = [str(tmp_path)]
    watched = tmp_path / "colette"
    missing = async_to_sync(try_connection)("folder", str(watched), "")
    assert (missing.ok, missing.code) == (False, "folder_missing")
    watched.mkdir()
    before = watched.stat().st_mtime_ns
    assert async_to_sync(try_connection)("folder", str(watched), "") == ConnectionTest(True, "ok", {}, "")
    assert watched.stat().st_mtime_ns == before
    outside = async_to_sync(try_connection)("folder", "/etc", "")
    assert (outside.code, outside.params["allowed"]) == ("folder_forbidden", str(tmp_path))


def test_a_cutter_is_tried_by_connecting_and_not_a_byte_is_sent(settings: Settings) -> None:
    with Cutter() as cutter:
        settings.MACHINE_NETWORKS = [f"127.0.0.1:{cutter.port}"]
        assert async_to_sync(try_connection)("rawtcp", cutter.address, "").ok
        cutter.wait_until_met()
        assert (bytes(cutter.received), cutter.connections) == (b"", 1)
    assert async_to_sync(try_connection)("rawtcp", cutter.address, "").code == "connection_refused"
    assert async_to_sync(try_connection)("rawtcp", "tcp://10.0.0.7", "").code == "address_forbidden"


def test_a_simulation_answers_and_says_what_it_is() -> None:
    found = async_to_sync(try_connection)("simulated", "simulated://quick", "")
    assert (found.ok, found.version) == (True, "simulation x60")
    other = async_to_sync(try_connection)("simulated", "http://10.0.0.7", "")
    assert (other.code, other.params["example"]) == ("address_invalid", "simulated://quick")


@pytest.mark.parametrize(
    ("networks", "kind", "shown"),
    [
        (["192.168.0.0/16:80-65535"], "octoprint", "http://192.168.1.20:5000"),
        (["10.20.0.0/16:80-65535"], "octoprint", "http://10.20.0.20:5000"),
        (["10.20.0.0/16:80", "10.30.0.0/16:9100"], "rawtcp", "tcp://10.30.0.20:9100"),
        (["10.20.0.7:8000"], "rawtcp", "tcp://10.20.0.7:8000"),
        (["10.20.0.8/31:5000"], "octoprint", "http://10.20.0.8:5000"),
        (["[fd12::/64]:80-9999"], "octoprint", "http://[fd12::14]:5000"),
        ([], "octoprint", "http://192.168.1.20:5000"),
    ],
)
def test_the_example_of_an_address_is_one_that_this_installation_takes(
    networks: list[str], kind: str, shown: str, settings: Settings
) -> None:
    settings.MACHINE_NETWORKS = networks
    assert example(kind) == shown
    assert (address_problem(shown, kind) is None) == bool(networks)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_an_example_that_is_an_address_of_its_own(kind: str) -> None:
    assert address_problem(example(kind), kind) is None
    assert bool(example(kind)) == abilities(kind).address


# --- the real OctoPrint -----------------------------------------------------------------------------------


@pytest.mark.octoprint
def test_an_octoprint_with_a_good_key_is_ok_and_says_its_version(
    octoprint: OctoPrint, settings: Settings
) -> None:
    settings.MACHINE_NETWORKS = [f"127.0.0.1:{octoprint.port}"]
    assert tried(octoprint.url, octoprint.operator_key) == ConnectionTest(True, "ok", {}, octoprint.version)


@pytest.mark.octoprint
def test_a_wrong_key_and_an_account_with_too_few_rights_are_told_apart(
    octoprint: OctoPrint, settings: Settings
) -> None:
    settings.MACHINE_NETWORKS = [f"127.0.0.1:{octoprint.port}"]
    assert tried(octoprint.url, "wrong-key").code == "bad_key"
    weak = tried(octoprint.url, octoprint.viewer_key)
    assert (weak.code, weak.version) == ("not_allowed", octoprint.version)
    assert say("connection_not_allowed", weak.params) == (
        "La clé marche, mais il manque des droits : FILES_DELETE, FILES_SELECT, FILES_UPLOAD, PRINT."
    )


@pytest.mark.octoprint
def test_an_octoprint_without_its_printer_is_printer_disconnected(
    octoprint_servers: StartServers, settings: Settings
) -> None:
    (server,) = octoprint_servers(no_connect=True)
    settings.MACHINE_NETWORKS = [f"127.0.0.1:{server.port}"]
    found = tried(server.url, server.operator_key)
    assert (found.ok, found.code, found.version) == (False, "printer_disconnected", server.version)


# --- a key without copying secrets ------------------------------------------------------------------------


@pytest.fixture
def server(settings: Settings) -> Iterator[OctoPrint]:
    """A server of its own: it allows three requests a minute."""
    with running() as (servers, _):
        settings.MACHINE_NETWORKS = [f"127.0.0.1:{servers[0].port}", "10.0.0.0/8:80-65535"]
        yield servers[0]


@pytest.fixture
def without_key(server: OctoPrint, db: None) -> Machine:
    return make_linked_machine(address=server.url, key="")


def decide(server: OctoPrint, yes: bool) -> None:
    """What the person's click in OctoPrint's dialog does."""
    (dialog,) = server.ask("/api/plugin/appkeys", key=server.operator_key)["pending"]
    server.ask(f"/plugin/appkeys/decision/{dialog}", {"decision": yes}, key=server.operator_key)


@pytest.mark.octoprint
def test_a_person_says_yes_in_octoprint_and_the_key_lies_sealed_in_the_machine(
    server: OctoPrint, without_key: Machine
) -> None:
    staff = make_person("Karim", Role.STAFF, site=without_key.site)
    at = datetime.now(UTC)
    dialog = async_to_sync(request_key)(without_key.pk, actor=staff, at=at)
    assert dialog.startswith(f"{server.url}/plugin/appkeys/auth/")
    assert async_to_sync(poll_key)(without_key.pk, actor=staff, at=at) is KeyState.WAITING
    decide(server, True)
    assert async_to_sync(poll_key)(without_key.pk, actor=staff, at=at) is KeyState.GRANTED
    machine = Machine.objects.get(pk=without_key.pk)
    assert (machine.connection_number, machine.sealed_key_request) == (2, "")
    assert async_to_sync(try_machine)(machine).ok
    assert unseal(machine.sealed_key) not in str(list(machine.events.values()))
    with pytest.raises(Refused) as refusal:
        async_to_sync(poll_key)(without_key.pk, actor=staff, at=at)
    assert refusal.value.codes == ["no_key_request"]


@pytest.mark.octoprint
def test_a_person_who_says_no_leaves_the_machine_without_a_key(
    server: OctoPrint, without_key: Machine
) -> None:
    staff = make_person("Karim", Role.STAFF, site=without_key.site)
    async_to_sync(request_key)(without_key.pk, actor=staff, at=MONDAY)
    decide(server, False)
    assert async_to_sync(poll_key)(without_key.pk, actor=staff, at=MONDAY) is KeyState.REFUSED
    assert Machine.objects.get(pk=without_key.pk).sealed_key == ""


@pytest.mark.octoprint
def test_a_request_for_one_address_gives_no_key_to_another(server: OctoPrint, without_key: Machine) -> None:
    staff = make_person("Karim", Role.STAFF, site=without_key.site)
    async_to_sync(request_key)(without_key.pk, actor=staff, at=MONDAY)
    change_machine(without_key.pk, address="http://10.9.9.9:5000", actor=staff, at=MONDAY)
    with pytest.raises(Refused) as refusal:
        async_to_sync(poll_key)(without_key.pk, actor=staff, at=MONDAY)
    assert refusal.value.codes == ["no_key_request"]


@pytest.mark.django_db
def test_a_machine_that_does_not_answer_gives_its_reason_instead_of_a_dialog(nobody: str) -> None:
    machine = make_linked_machine(address=nobody)
    staff = make_person("Karim", Role.STAFF, site=machine.site)
    with pytest.raises(Refused) as refusal:
        async_to_sync(request_key)(machine.pk, actor=staff, at=MONDAY)
    assert refusal.value.codes == ["connection_connection_refused"]
    with pytest.raises(Refused) as refusal:
        async_to_sync(request_key)(make_machine(machine.site).pk, actor=staff, at=MONDAY)
    assert refusal.value.codes == ["connection_no_link"]


@pytest.mark.django_db
@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("here", [True, False])
def test_only_staff_of_the_site_ask_for_keys(nobody: str, role: Role, here: bool) -> None:
    machine = make_linked_machine(address=nobody)
    actor = make_person("P", role, site=machine.site if here else make_site())
    staff = role in {Role.STAFF, Role.MANAGER}
    expected = NotFound if not here else Refused if staff else NotAllowed
    for verb in (request_key, poll_key):
        with pytest.raises(expected):
            async_to_sync(verb)(machine.pk, actor=actor, at=MONDAY)
