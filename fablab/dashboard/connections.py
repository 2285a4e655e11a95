"""A machine's connection: added, changed, tried before it is kept, its key asked for; taken out of use."""

from collections.abc import Mapping
from typing import Any

from asgiref.sync import async_to_sync
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from equipment.machines import connection, keys, services
from equipment.machines.connection import ConnectionTest, KeyState
from equipment.machines.queries import all_models, machine_for
from equipment.machines.states import Driver
from equipment.machines.words import CONNECTION, said_of_test
from equipment.sites.queries import require_role
from equipment.sites.states import STAFF_ROLES
from fablab.core.errors import DomainError, NotAllowed, NotFound
from fablab.core.words import say_problem
from fablab.dashboard import present
from fablab.dashboard.requests import Here, here, refuse, see_other, sentences, signed_in, writes

Card = present.Card
DRIVERS: Mapping[str, Any] = {
    Driver.HANDOVER: gettext_lazy("Sans connexion : une personne la lance"),
    Driver.OCTOPRINT: gettext_lazy("OctoPrint"),
    Driver.FOLDER: gettext_lazy("Dossier que la machine lit"),
    Driver.RAWTCP: gettext_lazy("Port d’une découpeuse (HPGL)"),
    Driver.SIMULATED: gettext_lazy("Simulation, pour apprendre"),
}
FIELD_IDS: Mapping[str, str] = {
    name: f"machine-{name}" for name in ("name", "model", "driver", "address", "key")
}


def new(request: HttpRequest) -> HttpResponseBase:
    """Add a machine to the place."""
    return _add(request) if request.method == "POST" else _new(request)


@signed_in
def _new(request: HttpRequest) -> HttpResponseBase:
    _keeper(here(request))
    return _form(request, None, {"driver": Driver.OCTOPRINT})


@writes
def _add(request: HttpRequest) -> HttpResponseBase:
    asked = here(request)
    site_id = _keeper(asked)
    given = _given(request)
    try:
        added = services.add_machine(
            site_id=site_id,
            model_id=given["model"],
            name=given["name"],
            driver=given["driver"],
            address=given["address"] if _takes(given, "address") else "",
            key=_key(request) if _takes(given, "key") else "",
            actor=asked.person,
            at=asked.at,
        )
    except (NotFound, NotAllowed):
        raise
    except DomainError as error:
        return _form(request, None, given, error=error)
    messages.success(request, _("{machine} est ajoutée.").format(machine=added.name))
    return see_other(reverse("machine", args=[added.pk]))


def edit(request: HttpRequest, machine_id: str) -> HttpResponseBase:
    """Name, model and connection of a machine."""
    return _change(request, machine_id) if request.method == "POST" else _edit(request, machine_id)


@signed_in
def _edit(request: HttpRequest, machine_id: str) -> HttpResponseBase:
    found = _for_keepers(here(request), machine_id)
    return _form(request, found, _stored(found))


@writes
def _change(request: HttpRequest, machine_id: str) -> HttpResponseBase:
    asked = here(request)
    found = _for_keepers(asked, machine_id)
    given = _given(request)
    had_key = bool(found.sealed_key)
    key = _key(request) if _takes(given, "key") else ""
    try:
        changed = services.change_machine(
            machine_id,
            name=given["name"],
            model_id=given["model"],
            driver=given["driver"],
            address=given["address"] if _takes(given, "address") else "",
            key=key or None,  # an empty field leaves the key that is kept
            actor=asked.person,
            at=asked.at,
        )
    except (NotFound, NotAllowed):
        raise
    except DomainError as error:
        return _form(request, found, given, error=error)
    messages.success(request, _("C’est noté."))
    if had_key and not changed.sealed_key and _takes(given, "key"):
        messages.warning(request, _("L’adresse a changé : la clé est effacée. Donnes-en une autre."))
        return see_other(reverse("machine-edit", args=[machine_id]))
    return see_other(reverse("machine", args=[machine_id]))


def test(request: HttpRequest, machine_id: str = "") -> HttpResponseBase:
    """Try the connection that stands in the form before it is saved; the form stays as it was typed."""
    if request.method != "POST":
        return see_other(reverse("machine-edit", args=[machine_id]) if machine_id else reverse("machine-new"))
    return _test(request, machine_id)


@writes
def _test(request: HttpRequest, machine_id: str) -> HttpResponseBase:
    asked = here(request)
    found = _for_keepers(asked, machine_id) if machine_id else None
    if found is None:
        _keeper(asked)
    given = _given(request)
    return _form(request, found, given, tried=_try(found, given, _key(request)))


def _try(found: Any, given: Mapping[str, str], key: str) -> ConnectionTest:
    """Reach for what the form says. A kept key goes to its own address only."""
    driver, address = given["driver"], given["address"]
    if not _takes(given, "address"):
        return ConnectionTest(False, "no_link")
    if not _takes(given, "key"):
        key = ""
    problem = connection.address_problem(address, driver)
    if problem is not None:
        return ConnectionTest(False, problem.code, problem.params)
    stays = (
        found is not None and driver == found.driver and connection.same_place(address, found.address, driver)
    )
    if stays and not key:
        return async_to_sync(connection.try_machine)(found)
    return async_to_sync(connection.try_connection)(driver, address, key)


def _takes(given: Mapping[str, str], field: str) -> bool:
    """Say whether a connection has an address, or a key. One that nobody knows is for the service to refuse."""
    driver = given["driver"]
    return driver in DRIVERS and bool(getattr(connection.abilities(driver), field))


def _keeper(asked: Here) -> str:
    """Return the place's id, when the person may change machines there."""
    if asked.site is None or not asked.keeps_machines:
        raise NotAllowed("not_allowed")
    return str(asked.site.pk)


def _for_keepers(asked: Here, machine_id: str) -> Any:
    found = machine_for(asked.person, machine_id)
    require_role(asked.person, found.site_id, STAFF_ROLES)
    return found


def _given(request: HttpRequest) -> dict[str, str]:
    return {
        **{name: request.POST.get(name, "").strip() for name in ("name", "model", "driver", "address")},
        "kept": connection.keep_typed(_key(request)),
    }


def _key(request: HttpRequest) -> str:
    """Return the key that was typed now, or typed before the form came back; it is never shown again."""
    typed = request.POST.get("key", "").strip()
    return typed or connection.typed_key(request.POST.get("kept", ""))


def _stored(found: Any) -> dict[str, str]:
    return {
        "name": found.name,
        "model": found.model_id,
        "driver": found.driver,
        "address": found.address,
        "kept": "",
    }


def _form(
    request: HttpRequest,
    found: Any,
    given: Mapping[str, str],
    *,
    error: DomainError | None = None,
    tried: ConnectionTest | None = None,
) -> HttpResponseBase:
    problems = [
        {"sentence": say_problem(problem), "field_id": FIELD_IDS.get(problem.field or "", "")}
        for problem in (error.problems if error else ())
    ]
    said = {row["field_id"]: row["sentence"] for row in problems}
    context = {
        "name": found.name if found else "",
        "machine_id": found.pk if found else "",
        "fields": [{**field, "error": said.get(field["id"], "")} for field in _fields(found, given)],
        "kept": given.get("kept", ""),
        "problems": problems,
        "tried": _tried(tried, given["driver"]) if tried else None,
        "test_url": reverse("machine-test", args=[found.pk]) if found else reverse("machine-new-test"),
        "may_ask_key": found is not None and found.driver == Driver.OCTOPRINT,
    }
    return render(request, "dashboard/machine_form.html", context, status=error.status if error else 200)


def _fields(found: Any, given: Mapping[str, str]) -> list[Card]:
    models = [
        {
            "value": model.pk,
            "label": f"{model.kind.name} · {model.name}",
            "selected": model.pk == given.get("model"),
        }
        for model in all_models()
    ]
    drivers = [
        {"value": code, "label": label, "selected": code == given.get("driver")}
        for code, label in DRIVERS.items()
    ]
    if given.get("kept"):
        key_help = _("La clé que tu as tapée est gardée.")
    elif found is not None and found.sealed_key:
        key_help = _("Une clé est gardée. Laisse vide pour la garder.")
    else:
        key_help = _("Elle est chiffrée. Personne ne peut la relire.")
    return [
        {
            "id": FIELD_IDS["name"],
            "name": "name",
            "label": _("Nom"),
            "value": given.get("name", ""),
            "attributes": {"maxlength": 60, "autocomplete": "off"},
        },
        {"id": FIELD_IDS["model"], "name": "model", "label": _("Modèle"), "options": models},
        {"id": FIELD_IDS["driver"], "name": "driver", "label": _("Connexion"), "options": drivers},
        {
            "id": FIELD_IDS["address"],
            "name": "address",
            "type": "text",
            "label": _("Adresse"),
            "value": given.get("address", ""),
            "helps": _address_helps(),
            "autocomplete": "off",
            "of_link": True,
            "kinds": " ".join(code for code in DRIVERS if connection.abilities(code).address),
        },
        {
            "id": FIELD_IDS["key"],
            "name": "key",
            "type": "password",
            "label": _("Clé"),
            "value": "",
            "helps": [{"label": "", "sentence": key_help}],
            "autocomplete": "new-password",
            "of_link": True,
            "kinds": " ".join(code for code in DRIVERS if connection.abilities(code).key),
        },
    ]


def _address_helps() -> list[Card]:
    """For each connection an address that would do here, and what this installation allows."""
    return [
        {
            "kind": code,
            "label": label,
            "example": connection.example(code),
            "allowed": connection.allowed_places(code),
            "sentence": _("La changer efface la clé.") if connection.abilities(code).key else "",
        }
        for code, label in DRIVERS.items()
        if connection.abilities(code).address
    ]


def _tried(tried: ConnectionTest, driver: str) -> Card:
    version = tried.version
    if version and driver == Driver.OCTOPRINT:
        version = _("OctoPrint {version}").format(version=version)
    return {"ok": tried.ok, "sentence": said_of_test(tried.code, tried.params), "version": version}


# --- a key from OctoPrint -----------------------------------------------------------------------------------------


@writes
def key_request(request: HttpRequest, machine_id: str) -> HttpResponseBase:
    """Ask the machine's OctoPrint for a key; a person says yes on its own page."""
    asked = here(request)
    found = _for_keepers(asked, machine_id)
    try:
        url = async_to_sync(keys.request_key)(machine_id, actor=asked.person, at=asked.at)
    except (NotFound, NotAllowed):
        raise
    except DomainError as error:
        refuse(request, error)
        return see_other(reverse("machine-edit", args=[machine_id]))
    request.session[_dialog(found)] = url
    return see_other(reverse("machine-key", args=[machine_id]))


@signed_in
def key_page(request: HttpRequest, machine_id: str) -> HttpResponseBase:
    """The link to OctoPrint's page; meanwhile the page asks each second whether somebody said yes."""
    found = _for_keepers(here(request), machine_id)
    url = request.session.get(_dialog(found))
    if not url:
        return see_other(reverse("machine-edit", args=[machine_id]))
    return render(
        request, "dashboard/machine_key.html", {"name": found.name, "machine_id": found.pk, "dialog_url": url}
    )


@writes
def key_poll(request: HttpRequest, machine_id: str) -> HttpResponseBase:
    """Ask once. Answers JSON to the page's script, else leads on."""
    asked = here(request)
    found = _for_keepers(asked, machine_id)
    to = reverse("machine-edit", args=[machine_id])
    try:
        state = async_to_sync(keys.poll_key)(machine_id, actor=asked.person, at=asked.at)
        sentence = _KEY_WORDS[state]
    except (NotFound, NotAllowed):
        raise
    except DomainError as error:
        state, sentence = KeyState.REFUSED, " ".join(sentences(error))
    if state is KeyState.WAITING:
        to = reverse("machine-key", args=[machine_id])
    else:
        request.session.pop(_dialog(found), None)
        (messages.success if state is KeyState.GRANTED else messages.error)(request, str(sentence))
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"state": state, "sentence": str(sentence), "url": to})
    return see_other(to)


_KEY_WORDS: Mapping[KeyState, Any] = {
    KeyState.WAITING: gettext_lazy("On attend ton oui dans OctoPrint."),
    KeyState.GRANTED: gettext_lazy("La clé est là, et bien gardée."),
    KeyState.REFUSED: CONNECTION["key_refused"],
}


def _dialog(found: Any) -> str:
    """Return the session's name for the page of OctoPrint that waits for a yes, at this very address."""
    return f"key-dialog:{found.pk}:{found.connection_number}"
