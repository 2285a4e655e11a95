""" "Je suis arrivé": the six characters of a booking, typed by who stands at a machine, with or without an account.

Codes are short, so guesses are counted for each machine, and the wait grows (SEC-15); a tap on one's own booking, or by
somebody on duty, is never held up by that.
"""

from datetime import datetime

from equipment.bookings.models import Booking
from equipment.bookings.states import LIVE
from equipment.bookings.use import EARLIEST_CHECK_IN, came
from equipment.machines.queries import in_use
from fablab.core.errors import Malformed, NotFound, Problem
from fablab.people.services import count_guess, forget_guesses


def arrive(machine_id: str, *, code: str, at: datetime) -> Booking:
    """Check in whoever booked any machine of this place with this code, from 15 minutes before the start to the end.

    ``code`` as people type it: small letters, spaces and a dash do not matter. May be repeated. Raises ``NotFound`` for
    an unknown machine, ``Malformed``: ``code_unknown`` (also for one that is early, over, or of another place), and
    ``SignInLocked`` after too many guesses.
    """
    machine = in_use().filter(pk=machine_id).first()
    if machine is None:
        raise NotFound
    guessed = f"code:{machine.pk}"
    count_guess(guessed, at=at)
    typed = "".join(sign for sign in code.upper() if sign.isalnum())
    found = Booking.objects.filter(
        code=typed,
        machine__site_id=machine.site_id,
        state__in=list(LIVE),
        ended_at__isnull=True,
        start__lte=at + EARLIEST_CHECK_IN,
        end__gt=at,
    )
    booking = found.order_by("start", "pk").first()
    if booking is None:
        raise Malformed(Problem("code_unknown", field="code"))
    forget_guesses(guessed)
    return came(booking, at=at)
