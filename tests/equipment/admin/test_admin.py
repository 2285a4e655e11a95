"""The admin is one more door: it refuses what services refuse and shows nothing that must not be seen (REL-23)."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from equipment.bookings.models import Booking
from equipment.certifications.models import Certificate
from equipment.machines.models import Machine, MachineKind
from equipment.sites.models import SiteRole
from equipment.sites.queries import roles_of
from equipment.sites.states import Role
from fablab.core.clock import local_day, local_to_utc
from fablab.notices.models import Notice
from fablab.people.models import User
from tests.builders import (
    MONDAY,
    certify,
    hours,
    make_booking,
    make_kind,
    make_linked_machine,
    make_machine,
    make_model,
    make_person,
    make_site,
)

pytestmark = [pytest.mark.django_db, pytest.mark.urls("fablab.urls_private")]
CANARY = "canary-key-5f1c0de5"


@pytest.fixture
def root(client: Client) -> User:
    person = make_person("Root", is_staff=True, is_superuser=True)
    client.force_login(person)
    return person


def told(answer: Any) -> list[str]:
    """Return what the page says on top; ``answer`` is the test client's, which keeps what the page was made of."""
    return [str(message) for message in answer.context["messages"]]


def add(client: Client, model: str, /, **fields: Any) -> Any:
    return client.post(reverse(f"admin:equipment_{model}_add"), fields, follow=True)


def test_every_page_of_the_admin_opens_and_shows_no_key(client: Client, root: User) -> None:
    machine = make_linked_machine(key=CANARY)
    make_booking(machine, start=MONDAY)
    certify(make_person("Léa", site=machine.site), machine)
    opened = 0
    for model, handler in admin.site._registry.items():
        if model._meta.app_label not in {"equipment", "people"}:
            continue
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        addresses = [reverse(f"{name}_changelist")]
        addresses += [reverse(f"{name}_change", args=[row.pk]) for row in model._default_manager.all()[:2]]
        if handler.has_add_permission(_request(root)):
            addresses.append(reverse(f"{name}_add"))
        for address in addresses:
            page = client.get(address)
            assert page.status_code == 200, address
            assert CANARY not in page.text
            assert machine.sealed_key not in page.text
            opened += 1
    assert opened >= 20


def _request(person: User) -> Any:
    request = RequestFactory().get("/")
    request.user = person
    return request


def test_a_new_kind_of_machine_needs_neither_code_nor_migration(client: Client, root: User) -> None:
    given = {
        "slug": "heat-press",
        "names": '{"fr": "Presse à chaud"}',
        "icon": "press",
        "buffer_minutes": 5,
        "notice_minutes": 0,
        "horizon_days": 14,
        "min_minutes": 30,
        "max_minutes": 60,
        "grid_minutes": 30,
    }
    add(client, "machinekind", **given)
    assert str(MachineKind.objects.get()) == "Presse à chaud"
    wrong = {**given, "slug": "other", "names": '{"en": "Press"}', "max_minutes": 20, "grid_minutes": 0}
    page = add(client, "machinekind", **wrong)
    assert "Il manque le nom en français." in page.text
    assert "Au moins une minute." in page.text
    assert MachineKind.objects.count() == 1


def test_half_an_hour_of_help_is_a_kind_without_file_or_plate_for_which_somebody_must_be_there(
    client: Client, root: User
) -> None:
    given = {
        "slug": "help",
        "names": '{"fr": "Une demi-heure d’aide"}',
        "icon": "talk",
        "needs_instructor": "on",
        "buffer_minutes": 0,
        "notice_minutes": 0,
        "horizon_days": 14,
        "min_minutes": 30,
        "max_minutes": 30,
        "grid_minutes": 30,
        "weekly_minutes": 60,
        "open_bookings": 1,
    }
    add(client, "machinekind", **given)
    kind = MachineKind.objects.get()
    assert kind.is_place
    assert (kind.needs_instructor, kind.weekly_minutes, kind.open_bookings) == (True, 60, 1)
    page = add(client, "machinekind", **{**given, "slug": "other", "weekly_minutes": 15})
    assert "Moins que la réservation la plus courte." in page.text
    assert MachineKind.objects.count() == 1


def test_a_booking_is_read_and_neither_added_changed_nor_deleted(client: Client, root: User) -> None:
    booking = make_booking(start=MONDAY)
    addresses = [
        reverse("admin:equipment_booking_add"),
        reverse("admin:equipment_booking_change", args=[booking.pk]),
        reverse("admin:equipment_booking_delete", args=[booking.pk]),
    ]
    for address in addresses:
        assert client.post(address, {"state": "cancelled", "post": "yes"}).status_code == 403
    assert Booking.objects.get().state == "confirmed"


def test_another_address_erases_the_key_here_too(client: Client, root: User) -> None:
    machine = make_linked_machine(address="http://10.0.0.8:5000", key=CANARY)
    address = reverse("admin:equipment_machine_change", args=[machine.pk])
    fields = {"model": machine.model_id, "name": "Ada", "driver": "octoprint"}
    client.post(address, {**fields, "address": "http://10.0.0.8:5000"}, follow=True)
    machine.refresh_from_db()
    assert machine.name == "Ada"
    assert machine.sealed_key != ""
    client.post(address, {**fields, "address": "http://10.0.0.9:5000"}, follow=True)
    machine.refresh_from_db()
    assert (machine.address, machine.sealed_key) == ("http://10.0.0.9:5000", "")


def test_what_the_service_refuses_is_a_sentence_on_the_page(client: Client, root: User) -> None:
    site, model = make_site(), make_model()
    answer = add(
        client,
        "machine",
        site=site.pk,
        model=model.pk,
        name="Ada",
        driver="octoprint",
        address="http://8.8.8.8",
    )
    assert told(answer) == [
        "Cette adresse est hors des réseaux autorisés : "
        "10.0.0.0/8:80-65535, 172.16.0.0/12:80-65535, 192.168.0.0/16:80-65535, [fd00::/8]:80-65535."
    ]
    assert not Machine.objects.exists()
    add(client, "machine", site=site.pk, model=model.pk, name="Ada", driver="handover", address="")
    assert Machine.objects.get().plate == "to_clear"


def test_machines_are_retired_and_never_deleted(client: Client, root: User) -> None:
    machine, booked = make_machine(), make_machine()
    make_booking(booked, start=MONDAY + hours(24 * 365 * 50))
    chosen = {"action": "retire", "_selected_action": [machine.pk, booked.pk]}
    answer = client.post(reverse("admin:equipment_machine_changelist"), chosen, follow=True)
    assert told(answer) == ["Il reste 1 réservations. Annule-les d’abord."]
    assert Machine.objects.get(pk=machine.pk).retired_at is not None
    assert Machine.objects.get(pk=booked.pk).retired_at is None
    assert (
        client.post(reverse("admin:equipment_machine_delete", args=[booked.pk]), {"post": "yes"}).status_code
        == 403
    )


def test_roles_are_given_and_taken_by_the_same_rules(client: Client, root: User) -> None:
    site, person = make_site(), make_person("Nadia")
    add(client, "siterole", person=person.pk, site=site.pk, role="manager")
    role = SiteRole.objects.get()
    answer = client.post(
        reverse("admin:equipment_siterole_delete", args=[role.pk]), {"post": "yes"}, follow=True
    )
    assert told(answer) == ["Il reste un seul responsable. Nommes-en un autre d’abord."]
    assert roles_of(person, site.pk) == {Role.MANAGER}


def test_a_certificate_is_granted_by_name_and_taken_back(client: Client, root: User) -> None:
    site, kind = make_site(), make_kind()
    person = make_person("Léa", site=site)
    add(client, "certificate", person=person.pk, kind=kind.pk, site=site.pk, until="")
    certificate = Certificate.objects.get()
    assert certificate.granted_by == root
    chosen = {"action": "take_back", "_selected_action": [certificate.pk]}
    client.post(reverse("admin:equipment_certificate_changelist"), chosen, follow=True)
    certificate.refresh_from_db()
    assert certificate.revoked_at is not None


def test_hours_that_make_no_sense_and_a_second_instructors_switch_are_refused(
    client: Client, root: User
) -> None:
    site = make_site(weekdays=[])
    for _ in range(2):
        make_person("I", Role.INSTRUCTOR, site=site)
    fields = {
        "name": "Metz",
        "slug": "metz",
        "time_zone": "Europe/Paris",
        "shelves": '["A1"]',
        "start_gap_s": 20,
        "opening_hours-TOTAL_FORMS": 1,
        "opening_hours-INITIAL_FORMS": 0,
        "closures-TOTAL_FORMS": 0,
        "closures-INITIAL_FORMS": 0,
        "opening_hours-0-weekday": 0,
        "opening_hours-0-opens": 600,
        "opening_hours-0-closes": 500,
    }
    address = reverse("admin:equipment_site_change", args=[site.pk])
    assert client.post(address, fields).status_code == 200  # the form again, with what is wrong
    assert client.post(address, {**fields, "time_zone": "Europe/Metz"}).status_code == 200
    assert (
        "Choisis entre 0 et 600 secondes."
        in client.post(address, {**fields, "start_gap_s": 601}).content.decode()
    )
    fields["opening_hours-0-closes"] = 1080
    answer = client.post(address, {**fields, "self_approval": "on"}, follow=True)
    assert told(answer) == ["Il y a plusieurs animateurs ici : un autre regarde."]
    site.refresh_from_db()
    assert (site.self_approval, site.opening_hours.count()) == (False, 0)
    client.post(address, fields, follow=True)
    assert site.opening_hours.count() == 1
    site.refresh_from_db()
    assert site.start_gap_s == 20


def test_whom_closed_days_hit_is_told_of_them_also_when_they_are_closed_opened_or_moved_here(
    client: Client, root: User
) -> None:
    site = make_site()
    day = local_day(timezone.now(), site.time_zone) + timedelta(days=3)
    booking = make_booking(
        make_machine(site), start=local_to_utc(datetime.combine(day, time(10)), site.time_zone)
    )
    address = reverse("admin:equipment_site_change", args=[site.pk])
    fields = {
        "name": "Metz", "slug": "metz", "time_zone": "Europe/Paris", "shelves": '["A1"]', "start_gap_s": 20,
        "opening_hours-TOTAL_FORMS": 0, "opening_hours-INITIAL_FORMS": 0,
        "closures-TOTAL_FORMS": 1, "closures-INITIAL_FORMS": 0,
        "closures-0-first_day": day, "closures-0-last_day": day,
    }  # fmt: skip

    def saved(**more: Any) -> list[str]:
        client.post(address, {**fields, **more}, follow=True)
        return list(Notice.objects.filter(person=booking.person).values_list("code", flat=True))

    assert saved() == ["booking_closed"]
    there = {"closures-INITIAL_FORMS": 1, "closures-0-site": site.pk}
    moved = {"closures-0-first_day": day + timedelta(days=1), "closures-0-last_day": day + timedelta(days=1)}
    assert (
        saved(**there, **moved, **{"closures-0-id": site.closures.get().pk}) == []
    )  # taken back before it was read
    assert site.closures.get().first_day == day + timedelta(days=1)
    saved(**there, **moved, **{"closures-0-id": site.closures.get().pk, "closures-0-DELETE": "on"})
    assert not site.closures.exists()


def test_a_person_is_seen_and_deactivated_without_a_password_on_the_page(client: Client, root: User) -> None:
    person = make_person("Léa", password="un long mot de passe")
    address = reverse("admin:people_user_change", args=[person.pk])
    assert person.password not in client.get(address).text
    client.post(address, {"display_name": "Léa", "age_band": "unknown", "language": "fr"}, follow=True)
    person.refresh_from_db()
    assert not person.is_active
    assert person.check_password("un long mot de passe")


@pytest.mark.parametrize("role", list(Role))
def test_no_role_at_a_site_opens_the_admin(client: Client, role: Role) -> None:
    client.force_login(make_person("P", role, site=make_site()))
    assert client.get(reverse("admin:index")).status_code == 302
