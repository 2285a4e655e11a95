"""System checks that explain a bad installation. An error keeps every command of manage.py from starting."""

import ipaddress
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Caution

PLACEHOLDER = re.compile(
    r"(django-insecure|change.?me|secret|insecure|password|placeholder|example)", re.IGNORECASE
)
SHORTEST_SECRET = 32  # characters
SECRET_FILE_NAMES = ("SECRET_KEY_FILE", "MACHINE_KEY_SECRETS_FILE", "DATABASE_URL_FILE")


def public_hosts(hosts: Sequence[str]) -> list[str]:
    """Return those of ``hosts`` that are not this machine alone."""

    def is_loopback(host: str) -> bool:
        if host in {"localhost", "testserver"} or host.endswith(".localhost"):
            return True
        try:
            return ipaddress.ip_address(host.strip("[]")).is_loopback
        except ValueError:
            return False

    return [host for host in hosts if not is_loopback(host)]


def sqlite_problems(database: dict[str, Any]) -> list[CheckMessage]:
    """Return what makes SQLite lose writes or wait for ever; nothing for another engine."""
    if not database["ENGINE"].endswith("sqlite3"):
        return []
    options = database.get("OPTIONS", {})
    found: list[CheckMessage] = []
    if options.get("transaction_mode") != "IMMEDIATE":
        found.append(
            Error(
                "SQLite does not take its write lock at the start of a transaction.",
                hint='Set OPTIONS["transaction_mode"] = "IMMEDIATE": row locks do nothing on SQLite.',
                id="fablab.E003",
            )
        )
    if not re.search(r"journal_mode\s*=\s*WAL", options.get("init_command") or "", re.IGNORECASE):
        found.append(
            Error(
                "SQLite does not keep a write-ahead log: one writer would stop every reader.",
                hint='Add "PRAGMA journal_mode=WAL;" to OPTIONS["init_command"].',
                id="fablab.E004",
            )
        )
    return found


def readable_by_others(paths: Sequence[Path]) -> list[Path]:
    """Return those files that the group or everybody may read or write."""
    return [path for path in paths if path.is_file() and path.stat().st_mode & 0o077]


@register(Tags.security)
def secrets_are_our_own(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for name, values in (
        ("SECRET_KEY", [settings.SECRET_KEY]),
        ("MACHINE_KEY_SECRETS", settings.MACHINE_KEY_SECRETS),
    ):
        if not values or any(len(value) < SHORTEST_SECRET or PLACEHOLDER.match(value) for value in values):
            found.append(
                Error(
                    f"{name} is a placeholder or shorter than {SHORTEST_SECRET} characters.",
                    hint=f"Set none, and the installation makes its own; or set {name} or {name}_FILE.",
                    id="fablab.E001",
                )
            )
    return found


@register(Tags.files)
def secrets_are_private(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    named = [Path(os.environ[name]) for name in SECRET_FILE_NAMES if os.environ.get(name)]
    own = [*sorted((settings.VAR_DIR / "secrets").glob("*")), settings.VAR_DIR / "demo.json"]
    return [
        Error(f"Others on this machine can read {path}.", hint=f"chmod 600 {path}", id="fablab.E006")
        for path in readable_by_others([*named, *own])
    ]


@register(Tags.security)
def debug_stays_at_home(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    hosts = public_hosts(settings.ALLOWED_HOSTS)
    if not (settings.DEBUG and hosts):
        return []
    return [
        Error(
            f"DEBUG shows the inside of the site to everybody who reaches {', '.join(hosts)}.",
            hint="Unset DEBUG, or leave only loopback in ALLOWED_HOSTS.",
            id="fablab.E002",
        )
    ]


@register(Tags.database)
def sqlite_is_set_up(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    return sqlite_problems(settings.DATABASES["default"])


@register(Tags.compatibility)
def processes_hear_each_other(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    in_memory = settings.CHANNEL_LAYERS["default"]["BACKEND"].endswith("InMemoryChannelLayer")
    several = int(os.environ.get("WEB_CONCURRENCY") or 1) > 1
    if not (in_memory and several):
        return []
    return [
        Error(
            "Several web processes would not hear each other: pages would miss changes without a word.",
            hint="Set REDIS_URL, or leave WEB_CONCURRENCY at 1.",
            id="fablab.E005",
        )
    ]


@register(Tags.security, deploy=True)
def passwords_travel_encrypted(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    hosts = public_hosts(settings.ALLOWED_HOSTS)
    if settings.HTTPS or not hosts:
        return []
    return [
        Caution(
            f"People who open {', '.join(hosts)} send their password in the clear.",
            hint="Put the site behind HTTPS and set HTTPS=1.",
            id="fablab.W007",
        )
    ]
