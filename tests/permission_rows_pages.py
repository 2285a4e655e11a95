"""The pages' rows of the permission matrix. Who is not signed in is led to the sign-in page (302).

A form is answered with 303 whether it did something or says why not, so these rows say DONE or REFUSED.
"""

from datetime import timedelta
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from jobs.lifecycle.states import State
from tests.permission_rows_api import tomorrow, workshop
from tests.permissions import DONE, REFUSED, Row, Told, World, a_file

Statuses = tuple[Told, ...]

# anonymous, owner, other_member, instructor, staff, manager, elsewhere
EVERYBODY: Statuses = (200,) * 7
SIGNED_IN: Statuses = (302, 200, 200, 200, 200, 200, 200)
OWN_OR_SITE: Statuses = (302, 200, 404, 200, 200, 200, 404)
AT_THE_SITE: Statuses = (302, 200, 200, 200, 200, 200, 404)
# Who helps elsewhere has a desk and a board of their own there.
ON_DUTY: Statuses = (302, 403, 403, 200, 200, 200, 200)
ON_DUTY_HERE: Statuses = (302, 403, 403, 200, 200, 200, 404)
INSTRUCTORS: Statuses = (302, 403, 403, 200, 403, 403, 200)
STAFF: Statuses = (302, 403, 403, 403, 200, 200, 200)
STAFF_HERE: Statuses = (302, 403, 403, 403, 200, 200, 404)
ONLY_FORMS: Statuses = (405,) * 7

MAY_OWN_OR_SITE: Statuses = (302, DONE, 404, DONE, DONE, DONE, 404)
MAY_ON_DUTY: Statuses = (302, REFUSED, REFUSED, DONE, DONE, DONE, 404)
MAY_STAFF: Statuses = (302, REFUSED, REFUSED, REFUSED, DONE, DONE, 404)
# Of a job: another member does not see it.
JOB_INSTRUCTOR: Statuses = (302, REFUSED, 404, DONE, REFUSED, REFUSED, 404)
NOBODY_BUT_SEEN: Statuses = (302, REFUSED, 404, REFUSED, REFUSED, REFUSED, 404)
JOB_ON_DUTY: Statuses = (302, REFUSED, 404, DONE, DONE, DONE, 404)


def a_table(world: World) -> dict[str, Any]:
    """Return a file with one booking of the owner's, on a machine that is nobody's elsewhere."""
    day = (timezone.now() + timedelta(days=5)).date()
    row = f"{world.cast.machine.name},{world.cast.person('owner').username},{day} 10:00,{day} 11:00"
    return {"file": SimpleUploadedFile("table.csv", f"machine,person,start,end\n{row}\n".encode())}


def another_hour(world: World) -> dict[str, str]:
    return {"first": timezone.now().date().isoformat(), "starts": "14:00", "ends": "15:00"}


def slot(world: World) -> dict[str, str]:
    times = tomorrow(world)
    return {"slot": f"{world.cast.machine.pk}|{times['start']}|{times['end']}"}


def plate(world: World) -> dict[str, str]:
    return {"key": f"plate:{world.cast.machine.pk}"}


def machine(world: World) -> dict[str, str]:
    return {"name": "Hedy", "driver": "handover", "model": world.cast.model.pk, "site": world.cast.site.pk}


def form(
    name: str, statuses: Statuses, address: str = "", state: State = State.SUBMITTED, case: str = ""
) -> Row:
    return Row("POST", name, statuses, address, state=state, form=True, case=case)


ROWS: list[Row] = [
    Row("GET", "home", EVERYBODY),
    Row("GET", "privacy", EVERYBODY),
    Row("GET", "ask-for-help", EVERYBODY),
    # The owner has called already; who is of another place calls there.
    form("help-call", (302, REFUSED, DONE, DONE, DONE, DONE, DONE)),
    form("help-take-back", (302, DONE, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED)),
    form("help-given", MAY_ON_DUTY),
    form("set_language", (302,) * 7),  # for everybody, back to where they were
    Row("GET", "sign-in", (200, 303, 303, 303, 303, 303, 303)),
    # Who is on duty leaves with the session.
    Row("POST", "sign-out", (302, REFUSED, REFUSED, DONE, DONE, DONE, DONE), form=True),
    Row("GET", "account", SIGNED_IN),
    Row("GET", "erase-me", SIGNED_IN),
    # Each of them their own data alone; without the password nothing is erased, and the page says so.
    Row("POST", "erase-me", (302, 400, 400, 400, 400, 409, 409), body=lambda world: {"password": "faux"}, form=True),
    Row("POST", "site-choose", (302, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, 404), form=True,
        body=lambda world: {"site": world.cast.site.pk}),  # kept in the session, so no table changes
    # booking
    Row("GET", "book", SIGNED_IN),
    Row("GET", "book-kind", AT_THE_SITE),
    # The rules refuse instructors who are not certified themselves; the form is shown again with the reasons.
    Row("POST", "book-confirm", (302, DONE, DONE, 409, 409, 409, 404), body=slot, form=True),
    Row("GET", "when", SIGNED_IN),
    Row("POST", "when-confirm", (302, DONE, DONE, 409, 409, 409, 404), body=slot, form=True),
    Row("GET", "counting", ON_DUTY),
    form("count", MAY_ON_DUTY),
    Row("GET", "bookings", SIGNED_IN),
    Row("GET", "booking", OWN_OR_SITE),
    Row("GET", "booking-agenda", OWN_OR_SITE),
    Row("GET", "agenda", SIGNED_IN),
    form("agenda-open", (302, DONE, DONE, DONE, DONE, DONE, DONE)),  # each their own
    form("agenda-close", (302, DONE, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED)),  # the owner alone has one
    Row("GET", "feed", EVERYBODY),  # who knows the owner's address; any other is 404 (test_agenda)
    Row("GET", "machine-agenda", ON_DUTY_HERE),
    form("machine-agenda-open", (302, REFUSED, REFUSED, DONE, DONE, DONE, 404)),
    form("machine-agenda-close", (302, REFUSED, REFUSED, REFUSED, DONE, REFUSED, 404)),  # the staff alone has one
    Row("GET", "calendar-day", ON_DUTY),
    Row("GET", "calendar-week", ON_DUTY),
    Row("GET", "calendar-sheet", ON_DUTY),
    Row("GET", "booking-late", OWN_OR_SITE),
    Row("GET", "booking-stopped", OWN_OR_SITE),
    Row("POST", "booking-other-time", MAY_OWN_OR_SITE, body=slot, form=True),
    form("booking-cancel", MAY_OWN_OR_SITE),
    # Nobody gave it back, it is offered to nobody, and nobody has checked in.
    *(
        form(name, (302, REFUSED, 404, 404, 404, 404, 404))
        for name in ("booking-take", "booking-decline")
    ),
    *(
        form(name, (302, REFUSED, 404, REFUSED, REFUSED, REFUSED, 404))
        for name in ("booking-take-back", "booking-done", "booking-extend", "booking-excuse")
    ),
    form("booking-here", MAY_OWN_OR_SITE),
    Row("GET", "absences", ON_DUTY),
    Row("POST", "waiting-start", (302, DONE, DONE, REFUSED, REFUSED, REFUSED, 404), form=True,
        body=lambda world: {"slot": f"{world.spare.pk}|{tomorrow(world)['start']}|{tomorrow(world)['end']}"}),
    form("waiting-leave", (302, DONE, 404, 404, 404, 404, 404)),
    # Who has the code stands there, with or without an account.
    Row("POST", "at-machine-arrived", (DONE,) * 7, body=lambda world: {"code": world.booking.code}, form=True),
    # objects
    Row("GET", "jobs", SIGNED_IN),
    Row("GET", "job-new", SIGNED_IN),
    # Elsewhere there is no machine that takes files.
    Row("POST", "job-upload", (302, DONE, DONE, DONE, DONE, DONE, 400), body=lambda world: {"file": a_file()},
        form=True),
    Row("GET", "job", OWN_OR_SITE),
    Row("POST", "job-settings", MAY_OWN_OR_SITE, body=lambda world: {
        "title": "Autre", "material": "PLA", "quality": "normal", "copies": "2", "supports": "auto",
        "machine": world.cast.machine.pk, "note": "",
    }, form=True),
    # Another file is one's own: nobody puts theirs into somebody's job.
    Row("POST", "job-file", (302, DONE, 404, 400, 400, 400, 404), body=lambda world: {"file": a_file()}, form=True),
    form("job-act", MAY_OWN_OR_SITE, "/objets/{job_id}/faire/cancel/", case="cancel"),
    form("job-act", JOB_INSTRUCTOR, "/objets/{job_id}/faire/approve/", case="approve"),
    form("job-act", NOBODY_BUT_SEEN, "/objets/{job_id}/faire/claim/", case="claim"),
    Row("POST", "job-move", (302, REFUSED, 404, REFUSED, DONE, DONE, 404), form=True, state=State.QUEUED,
        body=lambda world: {"place": "first", "reason": "urgent"}),
    Row("GET", "job-source", OWN_OR_SITE),
    Row("GET", "job-machine-file", OWN_OR_SITE),
    Row("GET", "upload-picture", OWN_OR_SITE),
    # tries
    Row("GET", "attempt", OWN_OR_SITE, state=State.RUNNING),
    form("attempt-still-ask", MAY_OWN_OR_SITE, state=State.RUNNING),
    Row("GET", "attempt-still", OWN_OR_SITE, state=State.RUNNING),
    # deciding
    form("presence", (302, REFUSED, REFUSED, DONE, DONE, DONE, DONE)),
    Row("GET", "desk", INSTRUCTORS),
    Row("GET", "desk-job", (302, 403, 404, 200, 403, 403, 404)),
    Row("POST", "desk-decide", JOB_INSTRUCTOR, body=lambda world: {"action": "approve"}, form=True),
    form("desk-undo", (302, REFUSED, 404, REFUSED, REFUSED, REFUSED, 404)),  # nobody approved it just now
    Row("POST", "desk-settings", MAY_OWN_OR_SITE, body=lambda world: {"copies": "3"}, form=True),
    Row("POST", "desk-file", JOB_INSTRUCTOR, body=lambda world: {"file": a_file()}, form=True),
    Row("POST", "desk-attach", JOB_INSTRUCTOR, body=lambda world: {"upload": world.machine_file.pk}, form=True),
    # a table of bookings
    Row("GET", "importing", STAFF),
    Row("POST", "importing-send", (302, REFUSED, REFUSED, REFUSED, DONE, DONE, 400), form=True, body=a_table),
    # what comes back each week
    Row("GET", "series-list", ON_DUTY),
    Row("GET", "series-new", ON_DUTY),
    Row("POST", "series-new", (302, REFUSED, REFUSED, DONE, DONE, DONE, 400), form=True, body=workshop),
    Row("GET", "series", (302, 403, 403, 200, 200, 200, 404)),
    Row("GET", "series-change", (302, 403, 403, 200, 200, 200, 404)),
    Row("POST", "series-change", MAY_ON_DUTY, form=True, body=another_hour),
    Row("POST", "series-end", MAY_ON_DUTY, form=True),
    # machines
    Row("GET", "board", ON_DUTY),
    Row("GET", "board-screen", ON_DUTY),
    Row("GET", "machine", AT_THE_SITE),
    form("machine-act", MAY_ON_DUTY, "/machines/{machine_id}/faire/clear-plate/", case="clear-plate"),
    form("machine-act", MAY_STAFF, "/machines/{spare_id}/faire/retire/", case="retire"),
    Row("POST", "machine-care", MAY_STAFF, "/machines/{machine_id}/carnet/entretien/",
        body=lambda world: {"what": "cleaning"}, form=True, case="note"),
    Row("POST", "machine-care", MAY_STAFF, "/machines/{machine_id}/carnet/rythme/",
        body=lambda world: {"every_hours": "200"}, form=True, case="interval"),
    Row("POST", "machine-care", MAY_STAFF, "/machines/{machine_id}/carnet/camera/",
        body=lambda world: {"remove": "1"}, form=True, case="camera"),
    Row("POST", "machine-settings", MAY_ON_DUTY, "/machines/{machine_id}/reglages/contenu/",
        body=lambda world: {"material": "PETG"}, form=True, case="contents"),
    Row("POST", "machine-settings", MAY_STAFF, "/machines/{machine_id}/reglages/seule/",
        body=lambda world: {"may_overrun": "yes"}, form=True, case="freedom"),
    Row("GET", "machine-settle", ON_DUTY_HERE, state=State.RUNNING, linked=False),
    Row("POST", "machine-settled", JOB_ON_DUTY, body=lambda world: {"action": "fail", "reason": "spaghetti"},
        state=State.RUNNING, form=True),
    Row("GET", "machine-new", STAFF),
    Row("POST", "machine-new", (302, REFUSED, REFUSED, REFUSED, DONE, DONE, DONE), body=machine, form=True),
    form("machine-new-test", (302, REFUSED, REFUSED, REFUSED, 200, 200, 200)),
    Row("GET", "machine-edit", STAFF_HERE),
    Row("POST", "machine-edit", MAY_STAFF, body=machine, form=True),
    form("machine-test", (302, REFUSED, REFUSED, REFUSED, 200, 200, 404)),
    # Nobody has asked this machine for a key, and it does not answer: staff are led back to the form.
    Row("GET", "machine-key", (302, 403, 403, 403, 303, 303, 404)),
    form("machine-key-request", (302, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, 404)),
    form("machine-key-poll", (302, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, 404)),
    Row("GET", "machine-sheet", STAFF_HERE),
    Row("GET", "outages", ON_DUTY_HERE),
    Row("POST", "outage-make", MAY_ON_DUTY, body=lambda world: {"reason": "Bruit"}, form=True),
    form("outage-end", MAY_ON_DUTY),
    # It has an end of its own.
    form("outage-expect", (302, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, 404)),
    # Nothing is sent along.
    form("outage-photo-add", (302, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, 404)),
    Row("GET", "outage-photo", AT_THE_SITE),
    # at the machine: who stands there needs no account to read and to tell a fault
    Row("GET", "machine-qr", EVERYBODY),
    Row("GET", "at-machine", EVERYBODY),
    form("at-machine-fault", (DONE,) * 7),
    Row("GET", "at-machine-use", AT_THE_SITE),
    # The owner has booked it just now: nobody else walks up to it.
    form("at-machine-use", (302, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, 404)),
    form("at-machine-act", MAY_ON_DUTY, "/m/{machine_id}/faire/needs-help/", case="needs-help"),
    Row("POST", "at-machine-act", JOB_ON_DUTY, "/m/{machine_id}/faire/take/", state=State.QUEUED, linked=False,
        body=lambda world: {"job": world.job.pk}, form=True, case="take"),
    # what needs a hand, power and clock
    Row("GET", "queue", ON_DUTY),
    Row("GET", "worklist", ON_DUTY),
    # Elsewhere nothing of this place needs a hand.
    Row("POST", "worklist-take", (302, REFUSED, REFUSED, DONE, DONE, DONE, REFUSED), body=plate, form=True),
    Row("POST", "worklist-leave", (302, REFUSED, REFUSED, 404, 404, 404, 404), body=plate, form=True),
    Row("GET", "recovery", ON_DUTY),
    Row("POST", "recovery-settle", (302, REFUSED, REFUSED, DONE, DONE, DONE, REFUSED), form=True),
    Row("GET", "clock", ON_DUTY),
    Row("POST", "clock-right", (302, REFUSED, REFUSED, DONE, DONE, DONE, DONE), form=True,
        body=lambda world: {"shown": timezone.now().isoformat()}),
    Row("GET", "power-cuts", ON_DUTY),
    Row("POST", "power-cut-announce", (302, REFUSED, REFUSED, REFUSED, DONE, DONE, DONE), form=True,
        body=lambda world: {"start": "2199-03-01T10:00", "end": "2199-03-01T11:00"}),
    form("power-cut-cancel", MAY_STAFF),
    Row("POST", "start-gap", (302, REFUSED, REFUSED, REFUSED, REFUSED, DONE, DONE), form=True,
        body=lambda world: {"start_gap_s": "20"}),
    Row("GET", "closures", ON_DUTY),
    Row("POST", "closure-make", (302, REFUSED, REFUSED, REFUSED, DONE, DONE, DONE), form=True,
        body=lambda world: {"first_day": "2199-05-01"}),
    form("closure-open", MAY_STAFF),
    form("notice-seen", (302, DONE, 404, 404, 404, 404, 404)),
    Row("GET", "place", ON_DUTY),
    # who is there when
    Row("GET", "rota", ON_DUTY),
    # Everybody on duty for themselves; for somebody else, staff.
    Row("POST", "rota-away", (302, REFUSED, REFUSED, DONE, DONE, DONE, DONE), form=True,
        body=lambda world: {"first_day": "2199-03-01"}),
    Row("POST", "rota-away", (302, REFUSED, REFUSED, REFUSED, DONE, DONE, 400), form=True, case="somebody else",
        body=lambda world: {"first_day": "2199-03-01", "person": world.cast.person("manager").pk}),
    Row("POST", "rota-extra", (302, REFUSED, REFUSED, REFUSED, DONE, DONE, 400), form=True,
        body=lambda world: {"first_day": "2199-03-01", "starts": "10:00", "ends": "11:00",
                            "person": world.cast.person("instructor").pk}),
    Row("POST", "rota-shift", (302, REFUSED, REFUSED, REFUSED, DONE, DONE, 400), form=True,
        body=lambda world: {"first_day": "2199-03-01", "starts": "10:00", "ends": "11:00", "weekday": "0",
                            "person": world.cast.person("instructor").pk}),
    form("rota-shift-end", MAY_STAFF),
    # It is the instructor's own day.
    form("rota-change-back", (302, REFUSED, REFUSED, DONE, DONE, DONE, 404)),
    # on what terms machines are booked
    Row("GET", "terms", STAFF),
    Row("POST", "terms-day", (302, REFUSED, REFUSED, REFUSED, DONE, DONE, DONE), form=True,
        body=lambda world: {"grace_minutes": "12", "hold_minutes": "30", "no_shows_before_pause": "3"}),
    Row("GET", "terms-kind", STAFF_HERE),
    form("terms-kind-save", MAY_STAFF),
    Row("GET", "terms-machine", STAFF_HERE),
    form("terms-machine-save", MAY_STAFF),
    # who may use what
    Row("GET", "certificates", ON_DUTY),
    Row("GET", "certificate-grant", ON_DUTY_HERE),
    Row("POST", "certificate-grant", MAY_ON_DUTY, body=lambda world: {"kind": world.cast.kind.pk}, form=True),
    Row("GET", "book-for", ON_DUTY_HERE),
    Row("POST", "book-for", (302, REFUSED, REFUSED, 400, 400, 400, 404), form=True),
    form("certificate-revoke", (302, REFUSED, 404, DONE, DONE, DONE, 404)),
    Row("GET", "at-machine-act", ONLY_FORMS, "/m/{machine_id}/faire/take/"),
    # Who comes back to these by the browser's history is led home.
    *(Row("GET", name, (303,) * 7) for name in ("sign-out", "site-choose")),
    # Addresses of forms say so to who only looks.
    *(
        Row("GET", name, ONLY_FORMS)
        for name in ("presence", "booking-cancel", "machine-settled", "certificate-revoke",
                     "at-machine-fault")
    ),
]  # fmt: skip
