"""Gathers the rooms' tables for Django; nothing else imports this."""

from equipment.bookings.models import Booking, CalendarFeed
from equipment.certifications.models import Certificate
from equipment.machines.models import (
    ForeignPrint,
    HelpRequest,
    Machine,
    MachineEvent,
    MachineKind,
    MachineModel,
    Maintenance,
    Outage,
)
from equipment.sites.models import Closure, OpeningHours, PowerCut, Presence, Site, SiteRole

__all__ = [
    "Booking",
    "CalendarFeed",
    "Certificate",
    "Closure",
    "ForeignPrint",
    "HelpRequest",
    "Machine",
    "MachineEvent",
    "MachineKind",
    "MachineModel",
    "Maintenance",
    "OpeningHours",
    "Outage",
    "PowerCut",
    "Presence",
    "Site",
    "SiteRole",
]
