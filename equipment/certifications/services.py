"""Giving and taking back the right to use a kind of machine."""

from datetime import date, datetime

from django.db import transaction

from equipment.certifications.models import Certificate
from equipment.certifications.queries import certificate_for
from equipment.machines.models import MachineKind
from equipment.sites.models import Site
from equipment.sites.queries import people_at, require_role
from equipment.sites.states import ON_DUTY_ROLES
from fablab.core.clock import local_day
from fablab.core.errors import Malformed, NotFound, Problem, Refused
from fablab.people.models import User


def grant(
    *,
    person_id: str,
    kind_id: str,
    site_id: str,
    until: date | None = None,
    may_send_machine_files: bool = False,
    actor: User,
    at: datetime,
) -> Certificate:
    """Certify a person of the site for a kind of machine; an earlier certificate is replaced (that is renewing).

    ``until`` is the last day, included. Raises ``NotFound``, ``NotAllowed`` (instructors and staff),
    ``Malformed``: ``until_in_the_past``.
    """
    require_role(actor, site_id, ON_DUTY_ROLES, installation_admin=True)
    person = people_at(site_id).filter(pk=person_id).first()
    if person is None or not MachineKind.objects.filter(pk=kind_id).exists():
        raise NotFound
    with transaction.atomic():
        # The site's row stands for its certificates: two instructors at once give one.
        site = Site.objects.select_for_update().get(pk=site_id)
        if until is not None and until < local_day(at, site.time_zone):
            raise Malformed(Problem("until_in_the_past", field="until"))
        Certificate.objects.filter(
            person=person, kind_id=kind_id, site_id=site_id, revoked_at__isnull=True
        ).update(revoked_at=at)
        return Certificate.objects.create(
            person=person,
            kind_id=kind_id,
            site_id=site_id,
            until=until,
            may_send_machine_files=may_send_machine_files,
            granted_by=actor,
            granted_at=at,
        )


def revoke(certificate_id: str, *, actor: User, at: datetime) -> Certificate:
    """Take a certificate back; queued jobs that rest on it lose their approval when they are looked at next.

    Raises ``NotFound``, ``NotAllowed``, ``Refused``: ``certificate_already_ended``.
    """
    if actor.is_superuser:
        certificate = Certificate.objects.filter(pk=certificate_id).first()
        if certificate is None:
            raise NotFound
    else:
        certificate = certificate_for(actor, certificate_id)
        require_role(actor, certificate.site_id, ON_DUTY_ROLES)
    if not Certificate.objects.filter(pk=certificate.pk, revoked_at__isnull=True).update(revoked_at=at):
        raise Refused("certificate_already_ended")
    certificate.revoked_at = at
    return certificate
