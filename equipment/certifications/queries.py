"""Who may use what, and until when."""

from collections.abc import Iterable
from datetime import date

from django.db.models import Q, QuerySet

from equipment.certifications.models import Certificate
from equipment.sites.queries import site_ids_with_role
from equipment.sites.states import ON_DUTY_ROLES
from fablab.core.errors import NotFound
from fablab.core.prepared import Prepared
from fablab.people.models import User


def valid_on(day: date) -> QuerySet[Certificate]:
    """Return the certificates that hold on a local day; the last day is included."""
    return Certificate.objects.filter(Q(until__isnull=True) | Q(until__gte=day), revoked_at__isnull=True)


def is_certified(person: User, kind_id: str, site_id: str, day: date) -> bool:
    """Say whether the person may use this kind of machine at this site on this local day."""
    return bool(_VALID(person.pk, kind_id, site_id, day))


_VALID = Prepared(
    lambda person_id, kind_id, site_id, day: (
        valid_on(day).filter(person_id=person_id, kind_id=kind_id, site_id=site_id).values_list("pk")
    )
)


def certified_until(person: User, kind_id: str, site_id: str, day: date) -> date | None:
    """Return the last day on which the person may use this kind here, of those on from ``day``.

    ``date.max`` for good, None when they may not on that day.
    """
    untils = list(
        valid_on(day).filter(person=person, kind_id=kind_id, site_id=site_id).values_list("until", flat=True)
    )
    return max((until or date.max for until in untils), default=None)


def may_send_machine_files(person: User, kind_id: str, site_id: str, day: date) -> bool:
    """Say whether the person may hand in files that go to the machine as they are (SEC-1)."""
    held = valid_on(day).filter(person=person, kind_id=kind_id, site_id=site_id)
    return held.filter(may_send_machine_files=True).exists()


def kinds_for_machine_files(person: User, day: date) -> set[tuple[str, str]]:
    """Return (kind, site) of all kinds whose machine files the person may hand in on this day, in one query."""
    held = valid_on(day).filter(person=person, may_send_machine_files=True)
    return set(held.values_list("kind_id", "site_id"))


def kinds_certified(person: User, site_id: str, day: date) -> set[str]:
    """Return the ids of all kinds that the person may use at this site on this local day, in one query."""
    return set(valid_on(day).filter(person=person, site_id=site_id).values_list("kind_id", flat=True))


def certificates_of(person: User) -> QuerySet[Certificate]:
    """Return a person's own certificates that were not revoked, those that lapsed included."""
    return (
        Certificate.objects.filter(person=person, revoked_at__isnull=True)
        .select_related("kind", "site", "granted_by")
        .order_by("site__name", "kind__slug")
    )


def visible_certificates(viewer: User) -> QuerySet[Certificate]:
    """Return one's own certificates, and all of the sites where one is instructor, staff or manager."""
    sites: Iterable[str] = site_ids_with_role(viewer, ON_DUTY_ROLES)
    return Certificate.objects.filter(Q(person=viewer) | Q(site_id__in=sites)).select_related(
        "kind", "site", "person", "granted_by"
    )


def certificate_for(viewer: User, certificate_id: str) -> Certificate:
    """Return a certificate. Raises ``NotFound`` when unknown or not visible."""
    found = visible_certificates(viewer).filter(pk=certificate_id).first()
    if found is None:
        raise NotFound
    return found
