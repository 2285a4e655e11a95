"""Open use: how many people used a kind today without booking. A number for each local day, nobody's name (PRIV-2)."""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from equipment.bookings.models import OpenUse
from equipment.machines.models import MachineKind
from equipment.machines.queries import in_use
from equipment.sites.live import board_changed
from equipment.sites.queries import require_role, site_for
from equipment.sites.states import ON_DUTY_ROLES
from fablab.core.clock import local_day
from fablab.core.errors import NotFound
from fablab.people.models import User


def count_open_use(*, site_id: str, kind_id: str, by: int, actor: User, at: datetime) -> int:
    """Count one person more (``by`` 1), or take the last one back (-1, never below none); return today's number.

    Counts of several people at once all stay. Raises ``NotFound`` for a place or a kind that is not there,
    ``NotAllowed`` for who is not on duty there.
    """
    require_role(actor, site_id, ON_DUTY_ROLES)
    site = site_for(actor, site_id)
    if not in_use().filter(site_id=site.pk, model__kind_id=kind_id).exists():
        raise NotFound
    day = local_day(at, site.time_zone)
    with transaction.atomic():
        row, _new = OpenUse.objects.get_or_create(site=site, kind_id=kind_id, day=day)
        known = OpenUse.objects.filter(pk=row.pk)
        (known if by > 0 else known.filter(count__gt=0)).update(count=F("count") + (1 if by > 0 else -1))
        row.refresh_from_db(fields=["count"])
    board_changed(site.pk)
    return row.count


def open_use_today(viewer: User, site_id: str, at: datetime) -> list[tuple[MachineKind, int]]:
    """Return each kind of the place with today's number, in order of their names: three queries.

    Raises ``NotFound``, ``NotAllowed`` as ``count_open_use``.
    """
    require_role(viewer, site_id, ON_DUTY_ROLES)
    site = site_for(viewer, site_id)
    there = in_use().filter(site_id=site.pk).values("model__kind_id")
    rows = OpenUse.objects.filter(site=site, day=local_day(at, site.time_zone))
    counts = dict(rows.values_list("kind_id", "count"))
    kinds = sorted(MachineKind.objects.filter(pk__in=there), key=lambda kind: kind.name)
    return [(kind, counts.get(kind.pk, 0)) for kind in kinds]
