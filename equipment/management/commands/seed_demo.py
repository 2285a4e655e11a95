"""Fill the demonstration's database, or bring it up to date. What people did there stays."""

import json
import sys
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from equipment.certifications.models import Certificate
from equipment.machines.locks import lock_machine
from equipment.machines.models import Machine, MachineKind, MachineModel
from equipment.machines.plate import clear_plate
from equipment.machines.states import Driver, Report
from equipment.management.demo_lab import (
    EMPTIED,
    EMPTIED_BY,
    KINDS,
    KINDS_BEFORE,
    MACHINES,
    MODELS,
    MODELS_BEFORE,
    PEOPLE,
    PRESENT,
    SHIFTS,
    SITES,
    DemoPerson,
    DemoShift,
)
from equipment.sites.models import OpeningHours, Presence, Shift, Site, SiteRole
from fablab.core.clock import local_day
from fablab.core.sealed import seal
from fablab.people.models import User

PRESENT_FOR = timedelta(days=7)


class Command(BaseCommand):
    help = (
        "Fill the demonstration (FABLAB_DEMO=1 only). Migrates, then reads from standard input "
        '{"password", "printers": [{"url", "api_key"}]} and writes {"accounts"}. May be repeated.'
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError(
                "This fills a demonstration with invented people. Set FABLAB_DEMO=1 to have one."
            )
        call_command("migrate", interactive=False, verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        given = json.load(sys.stdin)
        with transaction.atomic():
            fill(given["password"], given["printers"], timezone.now())
        names = {site.slug: site.name for site in SITES}
        accounts = [
            {"username": one.username, "role": one.role.value, "site": names[one.site], "about": one.about}
            for one in PEOPLE
        ]
        self.stdout.write(json.dumps({"accounts": accounts}))


def fill(password: str, printers: list[dict[str, str]], at: datetime) -> None:
    """Write the lab of ``demo_lab``; what exists is left as people changed it, except keys and presence.

    ``printers`` are connected to the machines with a link, in their order.
    """
    sites = {one.slug: make_site(one.slug) for one in SITES}
    kinds = {slug: MachineKind.objects.get_or_create(slug=slug, defaults=of)[0] for slug, of in KINDS.items()}
    models = {
        name: MachineModel.objects.get_or_create(name=name, defaults={**of, "kind": kinds[of["kind"]]})[0]
        for name, of in MODELS.items()
    }
    for slug, kind in kinds.items():
        bring_up(kind, {"takes_files": True, **KINDS[slug]}, KINDS_BEFORE.get(slug, []))
    for name, model in models.items():
        bring_up(model, {"prepares": [], **MODELS[name]}, MODELS_BEFORE.get(name, []))
    addresses = iter(printers)
    new_machines = []
    for one in MACHINES:
        machine, new = Machine.objects.get_or_create(
            site=sites[one.site], name=one.name, defaults={"model": models[one.model]}
        )
        if one.driver is Driver.OCTOPRINT and (printer := next(addresses, None)):
            connect(machine, printer["url"], printer["api_key"])
        if new:
            new_machines.append(machine.pk)
    for person in PEOPLE:
        make_person(person, password, sites[person.site], kinds, at)
    for shift in SHIFTS:
        make_shifts(shift, sites[shift.site], at)
    for username in PRESENT:
        present = User.objects.get(username=username)
        Presence.objects.filter(person=present, until__gt=at).delete()
        for role in present.site_roles.all():
            Presence.objects.create(person=present, site=role.site, since=at, until=at + PRESENT_FOR)
    for machine in Machine.objects.filter(pk__in=new_machines, name__in=EMPTIED):
        clear_plate(lock_machine(machine.pk), actor=User.objects.get(username=EMPTIED_BY), at=at)


def bring_up(row: MachineKind | MachineModel, now: dict[str, Any], before: list[dict[str, Any]]) -> None:
    """Give a row of an earlier demonstration what this one says, field by field, where nobody has changed it."""
    for written in before:
        if all(getattr(row, name) == value for name, value in written.items()):
            for name in written:
                setattr(row, name, now[name])
            row.save(update_fields=list(written))


def make_site(slug: str) -> Site:
    of = next(one for one in SITES if one.slug == slug)
    site, new = Site.objects.get_or_create(
        slug=slug, defaults={"name": of.name, "address": of.address, "time_zone": of.time_zone}
    )
    if new:
        for weekday, opens, closes in of.hours:
            OpeningHours.objects.create(site=site, weekday=weekday, opens=opens, closes=closes)
    return site


def make_person(
    of: DemoPerson, password: str, site: Site, kinds: dict[str, MachineKind], at: datetime
) -> None:
    """Make a person with role and certificates, once: later changes are people's own."""
    if User.objects.filter(username=of.username).exists():
        return
    person = User.objects.create_user(of.username, password, display_name=of.name)
    SiteRole.objects.create(person=person, site=site, role=of.role)
    for slug in of.certificates:
        Certificate.objects.create(
            person=person,
            kind=kinds[slug],
            site=site,
            may_send_machine_files=of.may_send_machine_files,
            granted_at=at,
        )


def make_shifts(of: DemoShift, site: Site, at: datetime) -> None:
    """Write who is on duty into the rota, once: later changes are people's own."""
    person = User.objects.get(username=of.username)
    if Shift.objects.filter(person=person, site=site).exists():
        return
    today = local_day(at, site.time_zone)
    for weekday in of.weekdays:
        Shift.objects.create(
            site=site, person=person, weekday=weekday, starts=of.starts, ends=of.ends, first_day=today
        )


def connect(machine: Machine, address: str, key: str) -> None:
    """Give a machine its real OctoPrint; a changed address or key is a new connection."""
    if machine.driver == Driver.OCTOPRINT and machine.address == address and machine.sealed_key:
        return
    machine.driver, machine.address, machine.sealed_key = Driver.OCTOPRINT, address, seal(key)
    machine.connection_number += 1
    machine.report = Report.NEVER
    machine.save(update_fields=["driver", "address", "sealed_key", "connection_number", "report"])
