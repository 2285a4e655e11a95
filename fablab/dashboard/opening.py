"""Whether a place is open, in one sentence."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from equipment.sites.queries import open_until, power_cut_now
from equipment.sites.rota import next_on_duty
from fablab.core.clock import local_day
from fablab.dashboard import formats
from fablab.people.queries import names_of


def open_label(site: Any, at: datetime) -> str:
    """Return the sentence for a place (None: none) now; for who belongs nowhere yet, where to go."""
    if site is None:
        return _("Passe à l’accueil : on t’inscrit dans un lieu.")
    zone = site.time_zone
    cut = power_cut_now(site.pk, at)
    if cut is not None:
        return _("Coupure de courant jusqu’à {time}.").format(time=formats.until(cut.end, zone))
    closing = open_until(site, at)
    if closing is None:
        return _("Le fab lab est fermé en ce moment.")
    if local_day(closing, zone) != local_day(at, zone):
        return _("Le fab lab est ouvert.")
    return _("Le fab lab est ouvert jusqu’à {time}.").format(time=formats.until(closing, zone))


def instructor_label(site: Any, at: datetime) -> str:
    """Return when an instructor is there, by the rota or because they say so; "" when nobody knows."""
    found = next_on_duty(site, at)
    if found is None:
        return ""
    start, people = found
    who = formats.listed(sorted(names_of(people).values()))
    if start <= at:
        return _("Un animateur est là maintenant.")
    when = formats.day_and_time(start, site.time_zone)
    if who:
        return _("Un animateur est là {when} ({who}).").format(when=when, who=who)
    return _("Un animateur est là {when}.").format(when=when)
