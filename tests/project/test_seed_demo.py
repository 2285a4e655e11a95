"""The demonstration's lab: everything a visitor needs to try the journey at once, and nothing overwritten later."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from equipment.certifications.models import Certificate
from equipment.machines.models import Machine, MachineKind, MachineModel
from equipment.management.commands.seed_demo import fill
from equipment.management.demo_lab import KINDS, MODELS, MODELS_BEFORE
from equipment.sites.models import OpeningHours, Presence, Shift, Site, SiteRole
from equipment.sites.rota import duty_spans
from fablab.core.clock import Span
from fablab.people.models import User
from jobs.inspection.limits import ModelLimits

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 22, 3, 30, tzinfo=UTC)
PRINTERS = [
    {"name": "printer-1", "url": "http://127.0.0.1:5100", "api_key": "first-key"},
    {"name": "printer-2", "url": "http://127.0.0.1:5101", "api_key": "second-key"},
]


def counts() -> list[int]:
    return [
        model.objects.count()
        for model in (Site, OpeningHours, MachineModel, Machine, User, SiteRole, Certificate, Presence, Shift)
    ]


def test_saint_ouen_is_open_at_every_minute_of_the_week() -> None:
    fill("un mot de passe", PRINTERS, AT)
    hours = OpeningHours.objects.filter(site__slug="saint-ouen")
    assert sorted((one.weekday, one.opens, one.closes) for one in hours) == [
        (day, 0, 1440) for day in range(7)
    ]


def test_another_site_lies_overseas_and_has_ordinary_hours() -> None:
    fill("un mot de passe", PRINTERS, AT)
    site = Site.objects.get(slug="mayotte")
    assert site.time_zone == "Indian/Mayotte"
    assert {(one.opens, one.closes) for one in site.opening_hours.all()} == {(540, 1020)}


def test_there_are_machines_and_places_and_help_while_an_instructor_is_on_duty() -> None:
    fill("un mot de passe", PRINTERS, AT)
    there = Machine.objects.filter(site__slug="saint-ouen")
    kinds = Counter(there.values_list("model__kind__slug", flat=True))
    assert kinds == {
        "fdm": 2, "embroidery": 1, "cutter": 1, "sewing": 2, "computer": 3, "room": 1, "help": 1
    }  # fmt: skip
    places = MachineKind.objects.filter(takes_files=False)
    assert {kind.slug for kind in places if kind.is_place} == {"sewing", "computer", "room", "help"}
    monday = datetime(2026, 11, 23, tzinfo=UTC)
    site = Site.objects.get(slug="saint-ouen")
    (duty,) = duty_spans(site, monday, monday + timedelta(days=1)).values()
    assert duty == [Span(monday + timedelta(hours=8), monday + timedelta(hours=17))]  # 9 to 18 in Paris


def test_the_two_real_printers_are_connected_and_their_keys_are_sealed() -> None:
    fill("un mot de passe", PRINTERS, AT)
    connected = Machine.objects.filter(driver="octoprint").order_by("address")
    assert [machine.address for machine in connected] == ["http://127.0.0.1:5100", "http://127.0.0.1:5101"]
    assert all(machine.sealed_key and "key" not in machine.sealed_key for machine in connected)


def test_staff_and_instructor_are_present_and_one_member_may_hand_in_machine_files() -> None:
    fill("un mot de passe", PRINTERS, AT)
    here = Presence.objects.filter(since__lte=AT, until__gt=AT + timedelta(days=1), site__slug="saint-ouen")
    assert sorted(one.person.site_roles.get().role for one in here) == ["instructor", "staff"]
    allowed = Certificate.objects.filter(may_send_machine_files=True).values_list(
        "person__username", flat=True
    )
    assert set(allowed) == {"sami"}
    assert User.objects.get(username="lea").certificates.count() == 3
    assert User.objects.get(username="zoe").certificates.count() == 0


def test_a_second_start_adds_nothing_and_keeps_what_people_changed() -> None:
    fill("un mot de passe", PRINTERS, AT)
    before = counts()
    Machine.objects.filter(name="Ada").update(out_of_order_reason="buse bouchée", plate="clear")
    Certificate.objects.filter(person__username="lea").update(revoked_at=AT)
    numbers = list(Machine.objects.values_list("name", "connection_number"))
    fill("un autre", PRINTERS, AT + timedelta(days=2))
    assert counts() == before
    assert Machine.objects.get(name="Ada").out_of_order_reason == "buse bouchée"
    assert not Certificate.objects.filter(person__username="lea", revoked_at=None).exists()
    assert list(Machine.objects.values_list("name", "connection_number")) == numbers
    assert User.objects.get(username="lea").check_password("un mot de passe")


def test_a_printer_that_had_to_take_another_port_is_connected_anew() -> None:
    fill("un mot de passe", PRINTERS, AT)
    before = Machine.objects.get(name="Ada").connection_number
    fill("un mot de passe", [{**PRINTERS[0], "url": "http://127.0.0.1:5999"}, PRINTERS[1]], AT)
    machine = Machine.objects.get(name="Ada")
    assert (machine.address, machine.connection_number) == ("http://127.0.0.1:5999", before + 1)


def test_an_earlier_demonstration_learns_the_files_of_its_machines_but_keeps_what_people_changed() -> None:
    fill("un mot de passe", PRINTERS, AT)
    MachineKind.objects.filter(slug__in=["embroidery", "cutter"]).update(takes_files=False, guide={})
    for name, before in MODELS_BEFORE.items():
        MachineModel.objects.filter(name=name).update(**before[0])
    changed = {"bed_mm": [300, 300], "height_mm": 1, "formats": ["svg"]}
    MachineModel.objects.filter(name="Vinyle 600").update(limits=changed)
    fill("un mot de passe", PRINTERS, AT)
    kinds = MachineKind.objects.filter(slug__in=["embroidery", "cutter"])
    assert all(kind.takes_files and kind.guide for kind in kinds)
    assert MachineModel.objects.get(name="Broderie 180 x 130").limits["frames"]
    assert MachineModel.objects.get(name="Vinyle 600").limits == changed


def test_the_limits_of_every_model_are_what_the_file_check_reads() -> None:
    with_files = [model for model in MODELS.values() if KINDS[model["kind"]].get("takes_files", True)]
    assert len(with_files) == 3
    assert all(ModelLimits.from_json(model["limits"]).bed_mm[0] > 0 for model in with_files)


def test_the_command_refuses_to_fill_an_installation_that_is_no_demonstration() -> None:
    with pytest.raises(CommandError, match="FABLAB_DEMO=1"):
        call_command("seed_demo")


def test_the_command_names_every_account_with_its_role_and_site(settings: Any, monkeypatch: Any) -> None:
    settings.DEMO = True
    monkeypatch.setattr(
        "sys.stdin", StringIO(json.dumps({"password": "un mot de passe", "printers": PRINTERS}))
    )
    said = StringIO()
    call_command("seed_demo", stdout=said)
    accounts = json.loads(said.getvalue())["accounts"]
    assert {account["username"] for account in accounts} == set(
        User.objects.values_list("username", flat=True)
    )
    assert {account["role"] for account in accounts} == {"member", "instructor", "staff", "manager"}
    assert {account["site"] for account in accounts} == {"Saint-Ouen", "Mayotte"}
