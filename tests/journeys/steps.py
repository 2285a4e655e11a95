"""What people do in the journeys, by API."""

from typing import Any

from tests.journeys.lab import Api, Lab, eventually


def hand_in(lab: Lab, member: Api, name: str, content: bytes, **fields: Any) -> dict[str, Any]:
    """Upload a file, make a job of it for the site's printers (or ``machine``), wait until it is prepared."""
    upload = member.upload(name, content)
    assert upload.status == 201, upload
    upload_id = upload["id"]
    eventually(
        "the file is judged",
        lambda: member.get(f"/api/v1/uploads/{upload_id}/")["state"] != "inspecting",
        60,
    )
    if "machine" not in fields:
        site = lab.site_id(member)
        models = member.get(f"/api/v1/machine-models/?site={site}")["results"]
        model = next(model for model in models if model["name"] == "Atelier 200")
        fields |= {"site": site, "machine_model": model["id"]}
    job = member.post("/api/v1/jobs/", {"upload": upload_id, **fields})
    assert job.status == 201, job
    eventually(
        "the file is prepared",
        lambda: member.get(f"/api/v1/jobs/{job['id']}/")["preparation"]["state"] != "running",
        90,
    )
    return member.get(f"/api/v1/jobs/{job['id']}/")


def approved(lab: Lab, job_id: str) -> None:
    """Submit as its owner has done, approve as Inès."""
    answer = lab.api("ines").post(f"/api/v1/jobs/{job_id}/approve/")
    assert answer.status == 200, answer


def wait_state(api: Api, job_id: str, *states: str, seconds: float = 40) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        job = api.get(f"/api/v1/jobs/{job_id}/")
        return job if job["state"] in states else None

    return eventually(f"the job is {states}", look, seconds)


def wait_machine(api: Api, machine_id: str, *states: str, seconds: float = 40) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        machine = api.get(f"/api/v1/machines/{machine_id}/")
        return machine if machine["state"] in states else None

    return eventually(f"the machine is {states}", look, seconds)


def press_start(lab: Lab, job_id: str) -> dict[str, Any]:
    """ "Plateau vide, lancer", as Karim."""
    answer = lab.api("karim").post(f"/api/v1/jobs/{job_id}/start/", {"plate_clear": True})
    assert answer.status == 202, answer
    return answer
