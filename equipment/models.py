"""Gathers the rooms' tables for Django; nothing else imports this."""

from equipment.bookings.models import (
    Booking,
    BookingTerms,
    CalendarFeed,
    OpenUse,
    Series,
    WaitingEntry,
)
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
from equipment.sites.models import (
    Closure,
    OpeningHours,
    PowerCut,
    Presence,
    Shift,
    ShiftChange,
    Site,
    SiteRole,
)

__all__ = [
    "Booking",
    "BookingTerms",
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
    "OpenUse",
    "OpeningHours",
    "Outage",
    "PowerCut",
    "Presence",
    "Series",
    "Shift",
    "ShiftChange",
    "Site",
    "SiteRole",
    "WaitingEntry",
]
