"""Where others speak of a person who is erased: the name goes, the text stays, above all what warns of a machine.

Only at the sites where the person was known: elsewhere the same word is another one.
"""

import re
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from equipment.bookings.models import Booking, Series
from equipment.certifications.models import Certificate
from equipment.machines import record
from equipment.machines.live import machine_changed
from equipment.machines.locks import lock_machine
from equipment.machines.models import ForeignPrint, HelpRequest, Machine, MachineEvent, Maintenance, Outage
from equipment.sites.models import Closure, PowerCut, Presence, SiteRole
from fablab.notices.models import Notice
from fablab.people import erasing
from fablab.people.models import User
from jobs.erasure.rules import SOMEBODY, TYPED, called, without_names
from jobs.lifecycle import live
from jobs.lifecycle.models import Approval, Job, JobEvent
from jobs.worklist.models import Handling

ON_A_MACHINE = ("out_of_order_reason", "needs_help_why")


def sites_of(person: User) -> frozenset[str]:
    """Return the ids of the sites where the person has a role, or has left anything: roles may be gone for long."""
    found: set[str] = set()
    for rows, site in (
        (SiteRole.objects.filter(person=person), "site"),
        (Presence.objects.filter(person=person), "site"),
        (Certificate.objects.filter(Q(person=person) | Q(granted_by=person)), "site"),
        (HelpRequest.objects.filter(person=person), "site"),
        (Handling.objects.filter(person=person), "site"),
        (PowerCut.objects.filter(announced_by=person), "site"),
        (Job.objects.filter(owner=person), "site"),
        (JobEvent.objects.filter(actor=person), "job__site"),
        (Approval.objects.filter(by=person), "job__site"),
        (Booking.objects.filter(Q(person=person) | Q(created_by=person)), "machine__site"),
        (Series.objects.filter(Q(person=person) | Q(created_by=person)), "site"),
        (MachineEvent.objects.filter(actor=person), "machine__site"),
        (Maintenance.objects.filter(by=person), "machine__site"),
        (Outage.objects.filter(created_by=person), "machine__site"),
        (ForeignPrint.objects.filter(person=person), "machine__site"),
    ):
        found.update(rows.order_by().values_list(site, flat=True).distinct())
    return frozenset(found)


def forget(person: User) -> None:
    """Take the person's names out of texts.

    To be done before roles, certificates and names go: later nobody knows where to search, and for what.
    """
    if person.username.startswith(erasing.NAMELESS):
        return
    who = called(person.__dict__["display_name"], person.username)
    if who is None:
        return
    sites = sites_of(person)
    here = Q(machine__site__in=sites)
    _on_machines(Machine.objects.filter(site__in=sites), who)
    _in_texts(Outage.objects.filter(here), "reason", who)
    _in_texts(Maintenance.objects.filter(here), "note", who)
    _in_texts(PowerCut.objects.filter(site__in=sites), "reason", who)
    _in_texts(Closure.objects.filter(site__in=sites), "reason", who)
    _in_texts(Series.objects.filter(site__in=sites), "title", who)
    _in_texts(Booking.objects.filter(here), "title", who)
    _in_overrides(Booking.objects.filter(here), who)
    _in_lines(MachineEvent.objects.filter(here), who)
    jobs = Job.objects.filter(site__in=sites).exclude(owner=person)
    for job in Job.objects.filter(pk__in=_in_texts(jobs, "note", who) + _in_texts(jobs, "reason", who)):
        live.job_changed(job)
    _in_lines(JobEvent.objects.filter(job__in=jobs), who)
    _in_messages(person, sites, who)


def _on_machines(machines: QuerySet[Machine], who: re.Pattern[str]) -> None:
    told = machines.exclude(**dict.fromkeys(ON_A_MACHINE, ""))
    for machine_id in list(told.values_list("pk", flat=True)):
        with transaction.atomic():
            machine = lock_machine(machine_id)
            plain = {
                field: without_names(text, who)
                for field in ON_A_MACHINE
                if who.search(text := getattr(machine, field))
            }
            if plain:
                record.write(machine, **plain)
                machine_changed(machine)


def _in_texts(rows: QuerySet[Any], field: str, who: re.Pattern[str]) -> list[Any]:
    """Return the keys of the rows that were written."""
    written = []
    for pk, text in list(rows.exclude(**{field: ""}).order_by().values_list("pk", field)):
        if who.search(text):
            # Not over what somebody has written meanwhile.
            rows.model.objects.filter(pk=pk, **{field: text}).update(**{field: without_names(text, who)})
            written.append(pk)
    return written


def _in_overrides(bookings: QuerySet[Booking], who: re.Pattern[str]) -> None:
    """Why others set a rule aside, for anybody's time."""
    told = bookings.exclude(overrides=[]).order_by()
    for pk, machine_id, overrides in list(told.values_list("pk", "machine_id", "overrides")):
        if not any(who.search(one.get("reason", "")) for one in overrides):
            continue
        with transaction.atomic():
            lock_machine(machine_id)  # somebody who moves it adds a line
            booking = Booking.objects.get(pk=pk)
            plain = [
                {**one, "reason": without_names(one.get("reason", ""), who)} for one in booking.overrides
            ]
            Booking.objects.filter(pk=pk).update(overrides=plain)


def _in_lines(rows: QuerySet[Any], who: re.Pattern[str]) -> None:
    for pk, details in rows.filter(details__has_any_keys=TYPED).order_by().values_list("pk", "details"):
        plain = {
            key: without_names(value, who) if key in TYPED and isinstance(value, str) else value
            for key, value in details.items()
        }
        if plain != details:
            rows.model.objects.filter(pk=pk).update(details=plain)


def _in_messages(person: User, sites: frozenset[str], who: re.Pattern[str]) -> None:
    """Messages to others: "Léa arrive" names the person as they are called, a reason as it was typed."""
    name = person.__dict__["display_name"]
    people = SiteRole.objects.filter(site__in=sites).values("person")
    told = Notice.objects.filter(person__in=people, params__has_any_keys=("person", *TYPED))
    for pk, params in list(told.order_by().values_list("pk", "params")):
        plain = {
            key: SOMEBODY
            if key == "person" and value == name
            else without_names(value, who)
            if key in TYPED and isinstance(value, str)
            else value
            for key, value in params.items()
        }
        if plain != params:
            Notice.objects.filter(pk=pk).update(params=plain)
