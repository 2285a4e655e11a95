"""The gallery as a site of its own: every component on one page, the board, and the pages of refusal."""

from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import engines
from django.urls import URLPattern, URLResolver, include, path

from fablab.core.drawings import DRAWINGS, ICONS
from tests.gallery.content import everything

HERE = Path(__file__).parent


def answer(text: str) -> HttpResponse:
    response = HttpResponse(text)
    response["Content-Security-Policy"] = "default-src 'self'"
    return response


def gallery(request: HttpRequest) -> HttpResponse:
    template = engines["django"].from_string((HERE / "gallery.html").read_text())
    return answer(template.render({**everything(), "drawings": DRAWINGS, "icons": ICONS}, request))


def board(request: HttpRequest) -> HttpResponse:
    template = engines["django"].from_string((HERE / "board.html").read_text())
    shown = everything()
    # Twelve tiles, each as full as a tile can be: that many must fit without scrolling (UX-13).
    full = {
        **shown["machines"][1],
        "state": "busy_elsewhere",
        "state_label": "Occupée hors file",
        "ticket": "Renard 27",
    }
    shown["machines"] = [{**full, "id": f"b{number}"} for number in range(12)]
    return answer(template.render(shown, request))


def refused(request: HttpRequest, code: str) -> HttpResponse:
    return answer(render(request, f"errors/{code}.html", {"site_name": "Fab lab"}).content.decode())


urlpatterns: list[URLPattern | URLResolver] = [
    path("", gallery, name="home"),
    path("board/", board, name="board"),
    path("refused/<str:code>/", refused),
    path("help/", gallery, name="ask-for-help"),
    path("privacy/", gallery, name="privacy"),
    path("i18n/", include("django.conf.urls.i18n")),
]
