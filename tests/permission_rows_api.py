"""The API's rows of the permission matrix: who gets what, everywhere (REQUIREMENTS 4.6)."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from jobs.lifecycle.states import State
from tests.permissions import Body, Row, World, a_file

# anonymous, owner, other_member, instructor, staff, manager, elsewhere
EVERYBODY = (200,) * 7
SIGNED_IN = (401, 200, 200, 200, 200, 200, 200)
AT_THE_SITE = (401, 200, 200, 200, 200, 200, 404)
OWN_OR_SITE = (401, 200, 404, 200, 200, 200, 404)
OWN = (401, 200, 404, 404, 404, 404, 404)
ON_DUTY = (401, 403, 403, 200, 200, 200, 404)
STAFF = (401, 403, 403, 403, 200, 200, 404)
SERIES = (401, 403, 404, 200, 200, 200, 404)
# For a job: another member does not see it.
JOB_OWNER = (401, 200, 404, 403, 403, 403, 404)
JOB_INSTRUCTOR = (401, 403, 404, 200, 403, 403, 404)
JOB_ON_DUTY = (401, 403, 404, 200, 200, 200, 404)
JOB_STAFF = (401, 403, 404, 403, 200, 200, 404)
JOB_COLLECT = (401, 200, 404, 403, 200, 200, 404)


def ordered(statuses: tuple[int, ...]) -> tuple[int, ...]:
    """Return the same with 202 for 200: a linked machine is asked."""
    return tuple(202 if status == 200 else status for status in statuses)


def made(statuses: tuple[int, ...], status: int = 201) -> tuple[int, ...]:
    return tuple(status if one == 200 else one for one in statuses)


def tomorrow(world: World) -> dict[str, str]:
    start = (timezone.now() + timedelta(days=1)).replace(hour=10, minute=0, second=0, microsecond=0)
    return {"start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat()}


def workshop(world: World) -> dict[str, Any]:
    day = (timezone.now() + timedelta(days=20)).date().isoformat()
    return {
        "machines": [world.cast.machine.pk],
        "first": day,
        "starts": "10:00",
        "ends": "11:00",
        "title": "Atelier",
    }


def wished(world: World) -> dict[str, Any]:
    times = tomorrow(world)
    return {"machine": world.spare.pk, "from": times["start"], "to": times["end"], "minutes": 60}


def reason(world: World) -> dict[str, str]:
    return {"reason": "other"}


def plate(world: World) -> dict[str, str]:
    return {"key": f"plate:{world.cast.machine.pk}"}


def now(world: World) -> dict[str, str]:
    return {"at": timezone.now().isoformat()}


def always(given: dict[str, Any]) -> Body:
    return lambda world: given


def new_machine(world: World) -> dict[str, Any]:
    return {"site": world.cast.site.pk, "model": world.cast.model.pk, "name": "Grace"}


def new_job(world: World) -> dict[str, Any]:
    return {"upload": world.upload.pk, "machine": world.cast.machine.pk}


S = State
PRESSES: list[tuple[str, State, tuple[int, ...], bool, dict[str, Any]]] = [
    ("submit", S.DRAFT, JOB_OWNER, True, {}),
    ("send-back", S.SUBMITTED, JOB_INSTRUCTOR, True, {"reason": "talk"}),
    ("approve", S.SUBMITTED, JOB_INSTRUCTOR, True, {}),
    ("reject", S.SUBMITTED, JOB_INSTRUCTOR, True, {"reason": "talk"}),
    ("void", S.QUEUED, OWN_OR_SITE, True, {}),
    ("release", S.LOADED, JOB_ON_DUTY, True, {}),
    ("load", S.SENDING, JOB_ON_DUTY, False, {}),
    ("start", S.LOADED, ordered(JOB_ON_DUTY), True, {"plate_clear": True}),
    ("start", S.LOADED, JOB_ON_DUTY, False, {"plate_clear": True}),
    ("pause", S.RUNNING, ordered(OWN_OR_SITE), True, {}),
    ("pause", S.RUNNING, JOB_ON_DUTY, False, {}),
    ("resume", S.PAUSED, ordered(JOB_ON_DUTY), True, {}),
    ("resume", S.PAUSED, JOB_ON_DUTY, False, {}),
    ("ask-stop", S.RUNNING, ordered(OWN_OR_SITE), True, {}),
    ("ask-stop", S.RUNNING, OWN_OR_SITE, False, {}),
    ("stopped", S.STOPPING, JOB_ON_DUTY, True, {"reason": "other"}),
    ("finish", S.RUNNING, JOB_ON_DUTY, True, {}),
    ("fail", S.RUNNING, JOB_ON_DUTY, True, {"reason": "other"}),
    ("requeue", S.FAILED, JOB_ON_DUTY, True, {}),
    ("collect", S.READY, JOB_COLLECT, True, {}),
    ("cancel", S.QUEUED, OWN_OR_SITE, True, {}),
]

ROWS: list[Row] = [
    Row("GET", "healthz", EVERYBODY),
    Row("GET", "readyz", (503,) * 7),  # nobody serves sockets here, nobody watches the machine
    Row("GET", "metrics", EVERYBODY),  # from this computer
    Row("GET", "api:schema", EVERYBODY),
    Row("GET", "api:docs", EVERYBODY),
    Row("GET", "api:unknown", (404,) * 7, "/api/v1/nothing/"),
    Row("GET", "api:me", SIGNED_IN),
    # One's own data, with one's own password; who alone keeps a site names another manager first.
    Row("POST", "api:me-erase", (401, 400, 400, 400, 400, 409, 409), body=lambda world: {"password": "faux"}),
    Row("POST", "api:token-make", (400,) * 7),  # asks for name and password, not for who is signed in
    Row("GET", "api:token-list", SIGNED_IN),
    Row("DELETE", "api:token", made(OWN, 204)),
    Row("GET", "api:site-list", SIGNED_IN),
    Row("GET", "api:site", AT_THE_SITE),
    Row("POST", "api:site-presence", ON_DUTY, body=lambda world: {"present": True}),
    Row("GET", "api:site-open-use", ON_DUTY),
    Row("POST", "api:site-open-use", ON_DUTY, body=lambda world: {"kind": world.cast.kind.pk}),
    Row("GET", "api:site-queue", AT_THE_SITE),
    # what needs a hand
    Row("GET", "api:site-worklist", ON_DUTY),
    Row("POST", "api:site-worklist-take", ON_DUTY, body=plate),
    # Nobody has said yet that they go.
    Row("POST", "api:site-worklist-leave", (401, 403, 403, 404, 404, 404, 404), body=plate),
    Row("GET", "api:site-power-cut-list", AT_THE_SITE),
    Row("POST", "api:site-power-cut-list", made(STAFF), body=tomorrow),
    Row("GET", "api:site-power-cut", AT_THE_SITE),
    Row("DELETE", "api:site-power-cut", made(STAFF, 204)),
    Row("GET", "api:site-closure-list", AT_THE_SITE),
    Row("POST", "api:site-closure-list", made(STAFF),
        body=lambda world: {"first_day": "2199-05-01", "last_day": "2199-05-02"}),
    Row("GET", "api:site-closure", AT_THE_SITE),
    Row("DELETE", "api:site-closure", made(STAFF, 204)),
    Row("GET", "api:machine-outage-list", AT_THE_SITE),
    Row("POST", "api:machine-outage-list", made(ON_DUTY),
        body=lambda world: {"reason": "Révision", **tomorrow(world)}),
    Row("GET", "api:outage", AT_THE_SITE),
    Row("POST", "api:outage-end", ON_DUTY),
    # It has an end of its own.
    Row("POST", "api:outage-expect", (401, 403, 403, 409, 409, 409, 404), body=lambda world: {"expected_end": None}),
    Row("GET", "api:outage-photo", AT_THE_SITE),
    # What is sent is no picture, which is found out only for who may send one.
    Row("POST", "api:outage-photo-send", (401, 403, 403, 400, 400, 400, 404), form=True,
        body=lambda world: {"file": a_file()}),
    Row("GET", "api:site-interruption", ON_DUTY),
    Row("POST", "api:site-interruption-settle", ON_DUTY, body=lambda world: {"outcomes": []}),
    Row("GET", "api:clock", SIGNED_IN),
    # Who is on duty elsewhere runs the same installation.
    Row("POST", "api:clock-confirm", (401, 403, 403, 200, 200, 200, 200), body=now),
    Row("GET", "api:notice-list", SIGNED_IN),
    Row("POST", "api:notice-seen", made(OWN, 204)),
    Row("GET", "api:machine-model-list", SIGNED_IN),
    Row("GET", "api:machine-list", SIGNED_IN),
    Row("POST", "api:machine-list", made(STAFF), body=new_machine),
    Row("GET", "api:machine", AT_THE_SITE),
    Row("PATCH", "api:machine", STAFF, body=lambda world: {"name": "Hedy"}),
    Row("PATCH", "api:machine", ON_DUTY, body=lambda world: {"material": "PETG"}, case="contents"),
    Row("PATCH", "api:machine", STAFF, body=lambda world: {"may_overrun": True}, case="freedom"),
    Row("DELETE", "api:machine", made(STAFF, 204), "/api/v1/machines/{spare_id}/"),
    Row("POST", "api:machine-test", STAFF, body=lambda world: {"address": "http://127.0.0.1:1"}),
    Row("POST", "api:machine-clear-plate", ON_DUTY),
    Row("POST", "api:machine-out-of-order", ON_DUTY, body=reason),
    Row("POST", "api:machine-back", ON_DUTY, "/api/v1/machines/{spare_id}/back-in-service/"),
    Row("GET", "api:machine-free", AT_THE_SITE),
    Row("GET", "api:machine-next", AT_THE_SITE),
    Row("POST", "api:machine-use-now", (401, 409, 409, 409, 409, 409, 404)),  # the owner has booked it just now
    Row("POST", "api:machine-fault", (204,) * 7),  # anybody, without an account (J17)
    Row("POST", "api:machine-in-use", ON_DUTY, linked=False),
    Row("POST", "api:machine-set-free", ON_DUTY),
    Row("POST", "api:machine-needs-help", ON_DUTY, body=lambda world: {"why": "bobine"}),
    Row("POST", "api:machine-helped", ON_DUTY),
    Row("POST", "api:machine-adopt", (401, 409, 409, 403, 403, 403, 404)),  # trained people; nothing foreign runs
    Row("POST", "api:machine-disown", (401, 404, 404, 404, 404, 404, 404), body=lambda world: {"print": "none"}),
    Row("POST", "api:job-move", JOB_STAFF, body=lambda world: {"place": "first", "reason": "urgent"},
        state=State.QUEUED),
    Row("POST", "api:job-take", JOB_ON_DUTY, body=lambda world: {"machine": world.cast.machine.pk},
        state=State.QUEUED, linked=False),
    Row("GET", "api:machine-maintenance", ON_DUTY),
    Row("POST", "api:machine-maintenance", made(STAFF), body=lambda world: {"what": "cleaning"}),
    Row("PATCH", "api:machine-maintenance", STAFF, body=lambda world: {"every_hours": 200}),
    Row("GET", "api:machine-terms", AT_THE_SITE),
    Row("PUT", "api:machine-terms", STAFF, body=lambda world: {"max_minutes": 180}),
    Row("GET", "api:site-terms", AT_THE_SITE),
    Row("PUT", "api:site-terms", STAFF,
        body=lambda world: {"weekly_minutes": 0}),
    Row("GET", "api:site-rota", AT_THE_SITE),
    Row("GET", "api:site-shift-list", ON_DUTY),
    Row("POST", "api:site-shift-list", made(STAFF), body=lambda world: {
        "person": world.cast.person("instructor").pk, "weekday": 1, "starts": "10:00", "ends": "11:00",
        "first": "2199-03-01"}),
    Row("DELETE", "api:site-shift", made(STAFF, 204)),
    Row("GET", "api:site-change-list", ON_DUTY),
    Row("POST", "api:site-change-list", made(STAFF), body=lambda world: {
        "person": world.cast.person("manager").pk, "away": True, "first": "2199-03-01"}),
    # It is the instructor's own day.
    Row("DELETE", "api:site-change", made(ON_DUTY, 204)),
    Row("GET", "api:booking-list", SIGNED_IN),
    # Instructors of this lab are not certified themselves, so the rules refuse them (409); nobody sees another
    # site's machine (400).
    Row("POST", "api:booking-list", (401, 201, 201, 409, 409, 409, 400),
        body=lambda world: {"machine": world.cast.machine.pk, **tomorrow(world)}),
    Row("GET", "api:booking", OWN_OR_SITE),
    Row("POST", "api:booking-move", OWN_OR_SITE, body=tomorrow),
    Row("POST", "api:booking-cancel", OWN_OR_SITE),
    Row("POST", "api:booking-check-in", OWN_OR_SITE),
    # It is seen, and has not begun (409).
    Row("POST", "api:booking-finish", (401, 409, 404, 409, 409, 409, 404)),
    # A series is made by those on duty; whose it is sees it. The machine is a field: unknown elsewhere.
    Row("GET", "api:series-list", SIGNED_IN),
    Row("POST", "api:series-list", (401, 403, 403, 201, 201, 201, 400), body=workshop),
    Row("GET", "api:series", OWN_OR_SITE),
    Row("POST", "api:series-change-following", SERIES, body=always({"starts": "14:00", "ends": "15:00"})),
    Row("POST", "api:series-end-following", SERIES),
    Row("POST", "api:booking-extend", (401, 409, 404, 409, 409, 409, 404), body=lambda world: {"minutes": 15}),
    # Its owner came, or may still come: there is nothing to excuse.
    Row("POST", "api:booking-excuse", (401, 403, 404, 409, 409, 409, 404)),
    Row("GET", "api:waiting-list", SIGNED_IN),
    # For the spare machine, which is out of order; instructors of this lab are not certified themselves.
    Row("POST", "api:waiting-list", (401, 201, 201, 409, 409, 409, 400), body=wished),
    Row("GET", "api:waiting", OWN),
    Row("POST", "api:waiting-leave", OWN),
    # Nothing is held for them.
    Row("POST", "api:waiting-take", (401, 409, 404, 404, 404, 404, 404)),
    Row("POST", "api:waiting-decline", (401, 409, 404, 404, 404, 404, 404)),
    Row("GET", "api:upload-list", SIGNED_IN),
    Row("POST", "api:upload-list", made(SIGNED_IN), body=lambda world: {"file": a_file()}, form=True),
    Row("GET", "api:upload", OWN_OR_SITE),
    Row("GET", "api:upload-file", OWN_OR_SITE),
    Row("GET", "api:upload-thumbnail", OWN_OR_SITE),
    # A file on its way is its person's alone, whatever their role.
    Row("POST", "api:arriving-list", made(SIGNED_IN), headers={"Upload-Length": "5"}),
    Row("HEAD", "api:arriving", OWN),
    Row("PATCH", "api:arriving", made(OWN, 204), headers={"Upload-Offset": "0"},
        content_type="application/offset+octet-stream"),
    Row("DELETE", "api:arriving", made(OWN, 204)),
    Row("POST", "api:arriving-finish", made(OWN, 409)),  # it is not whole yet
    Row("GET", "api:attempt-samples", OWN_OR_SITE, state=State.RUNNING),
    Row("GET", "api:job-list", SIGNED_IN),
    Row("POST", "api:job-list", (401, 201, 400, 400, 400, 400, 400), body=new_job),  # of one's own file only
    Row("GET", "api:job", OWN_OR_SITE),
    Row("PATCH", "api:job", OWN_OR_SITE, body=lambda world: {"title": "Autre"}),
    Row("GET", "api:job-events", OWN_OR_SITE),
    Row("GET", "api:job-machine-file", OWN_OR_SITE),
    Row("POST", "api:job-machine-file", JOB_INSTRUCTOR, body=lambda world: {"upload": world.machine_file.pk}),
    *(
        Row("POST", f"api:job-{name}", statuses, body=always(given), state=state, linked=linked,
            case="" if linked else "without a link")
        for name, state, statuses, linked, given in PRESSES
    ),
]  # fmt: skip

# The shape of a live topic that each part gets; None: refused, and nobody learns whether the thing exists.
TOPICS: dict[str, tuple[str, tuple[str | None, ...]]] = {
    # owner, other_member, instructor, staff, manager, elsewhere
    "job": ("job_id", ("public", None, "staff", "staff", "staff", None)),
    "machine": ("machine_id", ("public", "public", "staff", "staff", "staff", None)),
    "board": ("site_id", (None, None, "staff", "staff", "staff", None)),
    "queue": ("site_id", ("public", "public", "staff", "staff", "staff", None)),
    "me": ("owner_id", ("public", None, None, None, None, None)),
}
