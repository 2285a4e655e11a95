"""Programs that call the API as somebody."""

import json
from dataclasses import dataclass
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from fablab.people.models import User
from fablab.people.services import make_token
from tests.fablab.api.truth import check_answer


@dataclass
class Answer:
    status: int
    body: Any
    headers: Any

    @property
    def codes(self) -> list[str]:
        """Return the codes of all problems."""
        return [problem["code"] for problem in self.body["problems"]]

    @property
    def fields(self) -> list[str | None]:
        return [problem.get("field") for problem in self.body["problems"]]


class Caller:
    """Somebody's program with a token of its own; without a person, nobody's. Addresses are under ``/api/v1/``.

    Every answer is held against the published schema.
    """

    def __init__(self, person: User | None = None, scope: str = "all", **headers: str) -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = headers
        if person is not None:
            _, token = make_token(person=person, scope=scope, at=timezone.now())
            self.headers["Authorization"] = f"Bearer {token}"

    def get(self, address: str, **query: Any) -> Answer:
        return self._answer("GET", self.client.get(self._whole(address), query, headers=self.headers))

    def post(self, address: str, body: Any = None, **headers: str) -> Answer:
        return self.send("POST", address, json.dumps({} if body is None else body), **headers)

    def patch(self, address: str, body: Any) -> Answer:
        return self.send("PATCH", address, json.dumps(body))

    def delete(self, address: str) -> Answer:
        return self.send("DELETE", address, "")

    def send(
        self,
        method: str,
        address: str,
        body: str | bytes,
        content_type: str = "application/json",
        **headers: str,
    ) -> Answer:
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        response = self.client.generic(
            method, self._whole(address), body, content_type=content_type, headers={**self.headers, **told}
        )
        return self._answer(method, response)

    def upload(self, content: bytes, name: str = "cube.stl", **more: Any) -> Answer:
        headers = {**self.headers, **more.pop("headers", {})}
        form = {"file": SimpleUploadedFile(name, content), **more}
        return self._answer("POST", self.client.post("/api/v1/uploads/", form, headers=headers))

    def _whole(self, address: str) -> str:
        return address if address.startswith("/") or "://" in address else f"/api/v1/{address}"

    def _answer(self, method: str, response: Any) -> Answer:
        told = response.headers.get("Content-Type", "")
        body: Any = response.content if not response.streaming else b"".join(response.streaming_content)
        if "json" in told:
            body = json.loads(body)
        check_answer(method, response.request["PATH_INFO"], response.status_code, told, body)
        return Answer(response.status_code, body, response.headers)
