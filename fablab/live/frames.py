"""JSON text frames, as the API names them. Each is encoded once, however many sockets it goes to."""

import json
from typing import Any, Literal, TypedDict

from django.core.serializers.json import DjangoJSONEncoder


class Frame(TypedDict):
    """An ASGI event, ready to be sent to any number of sockets."""

    type: Literal["websocket.send"]
    text: str


def encoded(value: Any) -> str:
    """Return compact JSON; times as RFC 3339."""
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False, separators=(",", ":"))


def frame(**fields: Any) -> Frame:
    return {"type": "websocket.send", "text": encoded(fields)}


PONG = frame(type="pong")


def refused(topic: str | None, code: str) -> Frame:
    return frame(type="refused", topic=topic, code=code)
