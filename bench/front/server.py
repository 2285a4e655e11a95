"""The whole site without machines, with one file to send, for the benchmark of pages.

    python -m bench.front.server      works on ``FABLAB_VAR``; says {"port": N, "token": a person's}

A page asks the database and passes through everything that stands around a page: session, language, security.
"""

import json
import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django
import uvicorn
import uvloop

FILE_MB = 20


async def main() -> None:
    from django.conf import settings
    from django.core.management import call_command
    from django.http import HttpRequest, HttpResponse
    from django.urls import path
    from django.views.decorators.csrf import csrf_exempt

    from fablab import urls
    from fablab.people.models import User
    from fablab.people.services import make_token

    def page(request: HttpRequest) -> HttpResponse:
        """Ask the database and fill 20 kB: what an ordinary page costs at least."""
        people = User.objects.count()
        return HttpResponse(f"<p>{people}</p>" + "<li>machine</li>" * 1000)

    @csrf_exempt
    def upload(request: HttpRequest) -> HttpResponse:
        return HttpResponse(str(len(request.FILES)))

    def download(request: HttpRequest) -> HttpResponse:
        return HttpResponse(headers={"X-Send-File": str(big), "Content-Type": "application/octet-stream"})

    big = Path(settings.MEDIA_ROOT) / "bench.bin"
    big.parent.mkdir(parents=True, exist_ok=True)
    big.write_bytes(os.urandom(1_000_000) * FILE_MB)
    urls.urlpatterns += [
        path("bench/page/", page),
        path("bench/upload/", upload),
        path("bench/download/", download),
    ]
    call_command("migrate", verbosity=0, interactive=False)
    _, token = make_token(person=User.objects.create_user("bench"), at=datetime.now(UTC))
    from fablab.asgi import application

    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    print(json.dumps({"port": listening.getsockname()[1], "token": token}), flush=True)
    config: Any = uvicorn.Config(application, log_level="warning", access_log=False)
    await uvicorn.Server(config).serve(sockets=[listening])


if __name__ == "__main__":
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # it prepares its database before it serves
    django.setup()
    uvloop.run(main())
