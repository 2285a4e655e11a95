"""A lab for the benchmark: machines, idle or each printing a job of ours.

    python -m bench.fleet.seed PRINTING PORT[=KEY[=SHA1]]...

The first PRINTING machines have a job under way, the others (the dead) none. Works on the database of ``FABLAB_VAR``;
says ``{"machines": N}``.
"""

import json
import sys

import django

from bench.live.printers import SHA1, SIZE, path_of


def seed(printing: int, places: list[str]) -> int:
    from django.core.management import call_command
    from django.utils import timezone

    from equipment.machines.models import Machine, MachineKind, MachineModel
    from equipment.sites.models import OpeningHours, Site
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
    person = User.objects.create(username="bench", display_name="Bench", password="!bench")
    kind = MachineKind.objects.create(slug="bench", names={"fr": "Banc"}, needs_certificate=False)
    model = MachineModel.objects.create(kind=kind, name="Banc", formats=["gcode"])
    for number, place in enumerate(places):
        port, key, sha1 = [*place.split("="), "", ""][:3]
        machine = Machine.objects.create(
            site=site,
            model=model,
            name=f"Machine {number}",
            driver="octoprint",
            address=f"http://127.0.0.1:{port}",
            sealed_key=seal(key or "bench"),
        )
        if number >= printing:
            continue
        file = Upload.objects.create(
            owner=person,
            name=f"{number}.gcode",
            sha256="0" * 64,
            size=SIZE,
            format="gcode",
            state="ready",
            created_at=at,
        )
        job = Job.objects.create(
            number=number + 1,
            owner=person,
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
            remote_sha1=sha1 or SHA1,
            sent_bytes=SIZE,
            claimed_at=at,
            loaded_at=at,
            start_sent_at=at,
            started_at=at,
        )
        AttemptJob.objects.create(attempt=attempt, job=job, number=1)
    return len(places)


if __name__ == "__main__":
    django.setup()
    print(json.dumps({"machines": seed(int(sys.argv[1]), sys.argv[2:])}), flush=True)
