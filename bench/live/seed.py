"""A lab for the benchmark: machines that print a job each, staff who watch.

    python -m bench.live.seed VIEWERS PRINTER_PORT...

Works on the database of ``FABLAB_VAR``; says ``{"site", "machines": [...], "jobs": [...], "cookies": [...]}``.
"""

import importlib
import json
import sys
from typing import Any

import django
from django.conf import settings

from bench.live.printers import SHA1, SIZE, path_of


def seed(viewers: int, ports: list[int]) -> dict[str, Any]:
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.core.management import call_command
    from django.utils import timezone

    from equipment.machines.models import Machine, MachineKind, MachineModel
    from equipment.sites.models import OpeningHours, Site, SiteRole
    from fablab.core.sealed import seal
    from fablab.people.models import User
    from jobs.lifecycle.models import Attempt, AttemptJob, Job
    from jobs.uploads.models import Upload

    call_command("migrate", verbosity=0, interactive=False)
    at = timezone.now()
    site = Site.objects.create(name="Banc", slug="banc", time_zone="Europe/Paris")
    OpeningHours.objects.bulk_create(
        OpeningHours(site=site, weekday=weekday, opens=0, closes=1440) for weekday in range(7)
    )
    people = User.objects.bulk_create(
        User(username=f"viewer-{number}", display_name=f"Viewer {number}", password="!bench")
        for number in range(viewers)
    )
    SiteRole.objects.bulk_create(
        SiteRole(person=person, site=site, role=role) for person in people for role in ("staff", "manager")
    )
    kind = MachineKind.objects.create(slug="fdm", names={"fr": "Imprimante 3D"}, needs_certificate=False)
    model = MachineModel.objects.create(kind=kind, name="Banc", formats=["gcode"], prepares=["stl"])
    found: dict[str, Any] = {"site": site.pk, "machines": [], "jobs": [], "cookies": []}
    for number, port in enumerate(ports):
        machine = Machine.objects.create(
            site=site,
            model=model,
            name=f"Machine {number}",
            driver="octoprint",
            address=f"http://127.0.0.1:{port}",
            sealed_key=seal("bench"),
        )
        file = Upload.objects.create(
            owner=people[0],
            name=f"{number}.gcode",
            sha256="0" * 64,
            size=SIZE,
            format="gcode",
            state="ready",
            created_at=at,
        )
        job = Job.objects.create(
            number=number + 1,
            owner=people[0],
            site=site,
            title=f"Objet {number}",
            upload=file,
            machine_file=file,
            machine_model=model,
            machine=machine,
            state="running",
            state_at=at,
            attempts_made=1,
            created_at=at,
        )
        attempt = Attempt.objects.create(
            machine=machine,
            machine_file=file,
            file_sha256="0" * 64,
            remote_path=path_of(number),
            remote_sha1=SHA1,
            sent_bytes=SIZE,
            claimed_at=at,
            loaded_at=at,
            start_sent_at=at,
            started_at=at,
        )
        AttemptJob.objects.create(attempt=attempt, job=job, number=1)
        found["machines"].append(machine.pk)
        found["jobs"].append(job.pk)
    store = importlib.import_module(settings.SESSION_ENGINE).SessionStore
    for person in people:
        session = store()
        session[SESSION_KEY] = str(person.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = person.get_session_auth_hash()
        session.create()
        found["cookies"].append(session.session_key)
    return found


if __name__ == "__main__":
    django.setup()
    print(json.dumps(seed(int(sys.argv[1]), [int(port) for port in sys.argv[2:]])), flush=True)
