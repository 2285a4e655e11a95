"""Reads about machines."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet

from equipment.machines.models import Machine, MachineEvent, MachineKind, MachineModel
from equipment.machines.states import STALE_AFTER_S, WATCHED, Driver
from equipment.sites.models import SiteRole
from fablab.core.errors import NotFound
from fablab.core.prepared import Prepared
from fablab.people.models import User


def visible_machines(
    viewer: User, *, site_id: str | None = None, kind: str | None = None
) -> QuerySet[Machine]:
    """Return the machines in use at the person's sites, with site, model and kind, by name.

    ``kind`` is a kind's id or slug.
    """
    sites = SiteRole.objects.filter(person=viewer).values("site_id")
    found = in_use().filter(site_id__in=sites)
    if site_id is not None:
        found = found.filter(site_id=site_id)
    if kind is not None:
        found = found.filter(Q(model__kind_id=kind) | Q(model__kind__slug=kind))
    return found


def machine_for(viewer: User, machine_id: str) -> Machine:
    """Return a machine in use. Raises ``NotFound`` when unknown, retired, or at a site where one has no role."""
    found = _VISIBLE(viewer.pk, machine_id)
    if not found:
        raise NotFound
    return found[0]


_VISIBLE = Prepared(
    lambda person_id, machine_id: in_use().filter(
        pk=machine_id, site_id__in=SiteRole.objects.filter(person_id=person_id).values("site_id")
    )
)


def in_use() -> QuerySet[Machine]:
    """Return every machine that is not retired. Asks nobody who is looking: for the system itself."""
    return Machine.objects.filter(retired_at__isnull=True).select_related("site", "model__kind")


def only_named(machines: Iterable[Machine]) -> frozenset[str]:
    """Return the ids of those simulations beside which a real machine of the same model stands at the same site.

    They make nothing: an object that somebody waits for goes there only when it names them. Where every machine of a
    model is a simulation, a teaching lab, they take what comes. ``machines``: all in use at their sites.
    """
    known = list(machines)
    real = {(one.site_id, one.model_id) for one in known if one.driver != Driver.SIMULATED}
    return frozenset(
        one.pk for one in known if one.driver == Driver.SIMULATED and (one.site_id, one.model_id) in real
    )


def watched_machines() -> QuerySet[Machine]:
    """Return the machines that supervision holds a line to: linked, and in use."""
    return in_use().filter(driver__in=WATCHED).order_by("pk")


def events_of(machine: Machine, *, limit: int = 50) -> list[MachineEvent]:
    """Return the newest lines of a machine's log. For the site's staff: the caller asks who may see it."""
    return list(machine.events.select_related("actor").order_by("-at", "-pk")[:limit])


def visible_models(viewer: User, *, site_id: str | None = None) -> QuerySet[MachineModel]:
    """Return the models of which a machine is in use at the person's sites."""
    machines = visible_machines(viewer, site_id=site_id)
    return MachineModel.objects.filter(pk__in=machines.values("model_id")).select_related("kind")


def all_models() -> QuerySet[MachineModel]:
    """Return every model that this installation knows: what staff choose from for a new machine."""
    return MachineModel.objects.select_related("kind").order_by("kind__slug", "name")


def all_kinds() -> QuerySet[MachineKind]:
    """Return every kind that this installation knows."""
    return MachineKind.objects.order_by("slug")


def visible_kinds(viewer: User, *, site_id: str | None = None) -> QuerySet[MachineKind]:
    """Return the kinds of which a machine is in use at the person's sites."""
    machines = visible_machines(viewer, site_id=site_id)
    return MachineKind.objects.filter(pk__in=machines.values("model__kind_id"))


def is_stale(machine: Machine, at: datetime, *, heard_at: datetime | None = None) -> bool:
    """Say whether the last sign of life of a linked machine is too old to be shown as now (UX-16).

    ``heard_at`` is a fresher one than the row's, which is written every 30 seconds.
    """
    signs = [sign for sign in (machine.seen_at, heard_at) if sign is not None]
    return not signs or (at - max(signs)).total_seconds() > STALE_AFTER_S


def localized(names: dict[str, str], language: str) -> str:
    """Return a kind's name in a language; French, or any, when it has none."""
    return names.get(language) or names.get("fr") or next(iter(names.values()), "")
