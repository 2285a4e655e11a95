"""The form of an object that hands help to make: the kind's own fields, and nothing changed that nobody changed."""

import re

import pytest
from django.utils import timezone

from equipment.management.demo_guides import CUTTER
from jobs.lifecycle.models import Job
from jobs.lifecycle.states import State
from tests.builders_jobs import Cast
from tests.fablab.dashboard.embroidery import embroider, make_embroidery
from tests.fablab.dashboard.lab import as_, text_of

pytestmark = pytest.mark.django_db


def form_of(page: str) -> dict[str, str]:
    """Return what a browser would send of the settings' form as it is shown."""
    form = page[page.index('id="settings"') :]
    form = form[: form.index("</form>")]
    found = dict(re.findall(r'<input[^>]*name="(\w+)"[^>]*value="([^"]*)"', form))
    for name, options in re.findall(r'<select[^>]*name="(\w+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        assert chosen, f"{name}: something is chosen"
        assert 'value=""' not in options, f"{name}: a browser would not send an empty choice"
        found[name] = chosen.group(1)
    return {name: value for name, value in found.items() if not name.startswith(("csrf", "idempotency"))}


def cutter(cast: Cast) -> None:
    embroider(cast)
    cast.kind.guide = CUTTER
    cast.kind.save()


def test_each_field_of_the_guide_is_asked_in_the_labs_words(cast: Cast) -> None:
    embroider(cast)
    job = make_embroidery(cast, state=State.DRAFT, at=timezone.now())
    page = text_of(as_(cast.person("owner")).get(f"/objets/{job.pk}/"))
    for label in ("Sur quoi ?", "Qui l’apporte ?", "À quel endroit ?", "Cadre", "Stabilisateur"):
        assert f">{label}<" in page or f">{label} " in page, label
    assert "Supports" not in page, "nothing is printed here"
    assert form_of(page)["hand_workpiece"] == "cap"


def test_a_form_that_is_sent_as_it_was_shown_changes_nothing(cast: Cast) -> None:
    cutter(cast)
    job = make_embroidery(cast, state=State.DRAFT, at=timezone.now())
    settings = {
        "copies": 1,
        "supports": "auto",
        "material": "Fil polyester",
        "quality": "",
        "workpiece": "transfer",
    }
    settings |= {"workpiece_from": "lab", "fabric": "", "frame": "mat-30", "mirror": True}
    Job.objects.filter(pk=job.pk).update(settings=settings)
    owner = as_(cast.person("owner"))
    form = form_of(text_of(owner.get(f"/objets/{job.pk}/")))
    assert form["hand_mirror"] == "usual", "what is ironed on is mirrored anyway"
    owner.post(f"/objets/{job.pk}/reglages/", form)
    job.refresh_from_db()
    assert job.settings == settings
    events = [event.details["changed"] for event in job.events.filter(action="change")]
    assert events == [["note", "title"]], "the settings were not touched, so an approval would stand"


def test_the_mirror_follows_the_workpiece_until_somebody_says_otherwise(cast: Cast) -> None:
    cutter(cast)
    job = make_embroidery(cast, state=State.DRAFT, at=timezone.now())
    settings = {
        "copies": 1,
        "supports": "auto",
        "material": "Fil polyester",
        "quality": "",
        "workpiece": "sticker",
    }
    settings |= {"workpiece_from": "lab", "fabric": "", "frame": "mat-30", "mirror": False}
    Job.objects.filter(pk=job.pk).update(settings=settings)
    owner = as_(cast.person("owner"))
    form = form_of(text_of(owner.get(f"/objets/{job.pk}/")))
    for given, mirrored in (
        ({"hand_workpiece": "transfer"}, True),
        ({"hand_workpiece": "transfer", "hand_mirror": "no"}, False),
        ({"hand_workpiece": "sticker", "hand_mirror": "usual"}, False),
    ):
        owner.post(f"/objets/{job.pk}/reglages/", {**form, **given})
        job.refresh_from_db()
        assert job.settings["mirror"] is mirrored, given
