"""Gathers the rooms' tables for Django; nothing else imports this."""

from equipment.bookings.models import Booking
from equipment.certifications.models import Certificate
from equipment.machines.models import Machine, MachineEvent, MachineKind, MachineModel, Outage
from equipment.sites.models import Closure, OpeningHours, Presence, Site, SiteRole

__all__ = [
    "Booking",
    "Certificate",
    "Closure",
    "Machine",
    "MachineEvent",
    "MachineKind",
    "MachineModel",
    "OpeningHours",
    "Outage",
    "Presence",
    "Site",
    "SiteRole",
]
