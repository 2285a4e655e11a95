"""Serves the gallery on loopback in a thread, without a database, with the translations compiled for it."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.handlers.wsgi import WSGIHandler
from django.test.utils import override_settings
from django.utils import translation
from django.utils.translation import trans_real

LOCALE = Path(settings.BASE_DIR) / "fablab" / "locale"
STORAGES = {
    **settings.STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
MIDDLEWARE = [name for name in settings.MIDDLEWARE if "Security" not in name and "WhiteNoise" not in name]
AROUND = "fablab.dashboard.context.around"  # navigation of the real pages, whose addresses are not here


def _templates() -> list[dict[str, Any]]:
    """Return the templates' settings without what speaks of the real pages."""
    (engine,) = settings.TEMPLATES
    kept = [name for name in engine["OPTIONS"]["context_processors"] if name != AROUND]
    return [{**engine, "OPTIONS": {**engine["OPTIONS"], "context_processors": kept}}]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Say nothing: pytest shows what fails."""


def _forget_translations() -> None:
    trans_real._translations = {}  # type: ignore[attr-defined]  # Django keeps catalogues for the process's life
    translation.trans_real._default = None  # type: ignore[attr-defined]


@contextmanager
def gallery_server() -> Iterator[str]:
    """Yield the gallery's address, e.g. http://127.0.0.1:41234."""
    with tempfile.TemporaryDirectory() as folder:
        for source in LOCALE.glob("*/LC_MESSAGES/django.po"):
            compiled = Path(folder) / source.relative_to(LOCALE).with_suffix(".mo")
            compiled.parent.mkdir(parents=True)
            subprocess.run(["msgfmt", "-o", compiled, source], check=True)
        with override_settings(
            ROOT_URLCONF="tests.gallery.urls",
            LOCALE_PATHS=[folder],
            MIDDLEWARE=MIDDLEWARE,
            TEMPLATES=_templates(),
            STORAGES=STORAGES,
            ALLOWED_HOSTS=["127.0.0.1"],
        ):
            _forget_translations()
            server = make_server(
                "127.0.0.1", 0, StaticFilesHandler(WSGIHandler()), server_class=_Server, handler_class=_Quiet
            )
            thread = Thread(target=server.serve_forever, daemon=True)
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_port}"
            finally:
                server.shutdown()
                server.server_close()
                thread.join(timeout=5)
        _forget_translations()
