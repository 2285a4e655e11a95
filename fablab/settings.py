"""All settings, read from the environment; a secret NAME may also stand in the file named by NAME_FILE.

Embedded (the default): SQLite, one process, no other server. Scaled: ``DATABASE_URL`` and ``REDIS_URL``.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from fablab.core.logs import not_a_probe, without_a_trace, without_feed_addresses
from fablab.core.zones import believe_the_newest

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

TESTING = "pytest" in sys.modules


def secret(name: str, default: str = "") -> str:
    """Return a secret from ``name``, or from the file that ``name_FILE`` names."""
    path = os.environ.get(f"{name}_FILE")
    if path:
        return Path(path).read_text().strip()
    return os.environ.get(name, default)


def one_per_installation(path: Path) -> str:
    """Return the installation's own secret, made at the first call and kept in ``path`` (mode 0600)."""
    import secrets

    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as handle:
        value = secrets.token_urlsafe(48)
        handle.write(value)
        return value


# --- where things are -------------------------------------------------------------------------------------

VAR_DIR = Path(env.str("FABLAB_VAR", default=str(BASE_DIR / "var"))).resolve()
if TESTING:  # never the data of an installation that lives here; tests/conftest.py removes it at the end
    VAR_DIR = Path(tempfile.mkdtemp(prefix="fablab-tests-"))
MEDIA_ROOT = VAR_DIR / "files"  # never served by address: jobs.uploads.pages checks who asks
DEBUG = env.bool("DEBUG", default=False)
DEMO = env.bool("FABLAB_DEMO", default=False)
# Tests of power cuts: the process kills itself at the point that FABLAB_FAILPOINT names. Never on a real installation.
DEBUG_FAILPOINTS = env.bool("DEBUG_FAILPOINTS", default=False)

# --- secrets: never a default one. Without one in the environment the installation makes its own ----------

SECRET_KEY = secret("SECRET_KEY") or one_per_installation(VAR_DIR / "secrets" / "secret_key")
# Encrypts machine keys at rest: newest first, older ones after it, separated by commas.
MACHINE_KEY_SECRETS = [
    part
    for part in (
        secret("MACHINE_KEY_SECRETS") or one_per_installation(VAR_DIR / "secrets" / "machine_keys")
    ).split(",")
    if part
]
if SECRET_KEY in {"changeme", "secret", "insecure"}:
    raise ImproperlyConfigured("SECRET_KEY is a placeholder. Set one of your own, or none at all.")

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
# Names under which this computer itself may open the installation's admin, at /installation/.
ADMIN_HOSTS = env.list("ADMIN_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# Networks and ports that machines may live in, e.g. "192.168.1.0/24:80,192.168.1.0/24:5000".
# Loopback is refused unless an exact address and port is listed (REQUIREMENTS 4.4).
MACHINE_NETWORKS = env.list(
    "MACHINE_NETWORKS",
    default=[
        "10.0.0.0/8:80-65535",
        "172.16.0.0/12:80-65535",
        "192.168.0.0/16:80-65535",
        "[fd00::/8]:80-65535",
    ],
)
# Folders of this computer below which files may be laid for machines to read: shares are mounted there. Nothing else
# of this computer's disks can be written to by a machine's connection.
MACHINE_FOLDERS = env.list("MACHINE_FOLDERS", default=[str(VAR_DIR / "machines")])

# --- applications -----------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "fablab.core",
    "fablab.live",
    "fablab.people",
    "fablab.notices",
    "equipment",
    "jobs",
    "fablab.api",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]
AUTH_USER_MODEL = "people.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "fablab.core.nul.no_nul_in_addresses",
    "fablab.core.private.private_addresses",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "fablab.core.csp.content_security_policy",
    "fablab.dashboard.unavailable.Unavailable",
]
ROOT_URLCONF = "fablab.urls"
ASGI_APPLICATION = "fablab.asgi.application"
WSGI_APPLICATION = "fablab.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "fablab" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "fablab.dashboard.context.around",
            ]
        },
    }
]

# --- database ---------------------------------------------------------------------------------------------

LOCK_SECONDS = env.int("DATABASE_LOCK_SECONDS", default=20)  # that a request waits for others' writes
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'fablab.sqlite3'}")
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    VAR_DIR.mkdir(parents=True, exist_ok=True)
    DATABASES["default"]["ENGINE"] = "fablab.core.sqlite3"  # Django's own, with a line for those who write
    DATABASES["default"]["OPTIONS"] = {
        # Row locks do nothing on SQLite: a transaction takes the write lock at its first statement instead.
        "transaction_mode": "IMMEDIATE",
        "timeout": LOCK_SECONDS,
        # FULL: what was acknowledged survives a power cut. NORMAL would be quicker and may forget the last commits.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
    }
    # A fixed pool of threads serves pages; each keeps its connection.
    DATABASES["default"]["CONN_MAX_AGE"] = None
    # A file in the tests too: several connections and threads, WAL and IMMEDIATE as in an installation.
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}
else:
    DATABASES["default"]["OPTIONS"] = {
        # Threads keep a connection between two calls: pages, live layer, supervision and workers need one each.
        "pool": {"min_size": 4, "max_size": 48, "timeout": 5},
        # Like SQLite's: nobody waits longer than this for a row or a table, and reads why (fault case 11).
        # A process that was frozen within a transaction keeps no row from the one that takes its machines over (REL-5);
        # no transaction of ours is idle that long. Not in tests, each of which may be one transaction from end to end.
        "options": f"-c lock_timeout={LOCK_SECONDS}s"
        + ("" if TESTING else f" -c idle_in_transaction_session_timeout={LOCK_SECONDS}s"),
        "connect_timeout": 5,
        # What is asked all day long (core/prepared.py) is planned once for each connection. A pooler that gives a
        # connection to others between two transactions has to know of that, or DATABASE_PREPARES be 0.
        "prepare_threshold": 0 if env.bool("DATABASE_PREPARES", default=True) else None,
    }
    # A connection from before the server's restart is replaced before it is used.
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

REDIS_URL = env.str("REDIS_URL", default="")
CHANNEL_LAYERS: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL]},
    }
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
}

# --- people -----------------------------------------------------------------------------------------------

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
HTTPS = env.bool("HTTPS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
if HTTPS:
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
    SECURE_HSTS_SECONDS = 31536000
    SECURE_SSL_REDIRECT = True
    # A lab's page often lives under a town's domain: what its other pages speak is not ours to decide.
    SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"

# --- words ------------------------------------------------------------------------------------------------

LANGUAGE_CODE = "fr"
LANGUAGES = [("fr", "Français"), ("en", "English"), ("ar", "العربية")]
LOCALE_PATHS = [BASE_DIR / "fablab" / "locale"]
USE_I18N = True
TIME_ZONE_TABLES = believe_the_newest()
USE_TZ = True
TIME_ZONE = "UTC"

# --- files ------------------------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
WHITENOISE_USE_FINDERS = DEBUG or TESTING  # an installation serves what collectstatic gathered
STATICFILES_DIRS = [BASE_DIR / "fablab" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or TESTING
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
UPLOAD_LIMIT_BYTES = env.int("UPLOAD_LIMIT_BYTES", default=100_000_000)
# Less room than this on a disk that holds files or the database, and those on duty read that it is nearly full; at a
# fifth of it nothing more is taken from people, so that the database can go on.
DISK_LOW_BYTES = env.int("DISK_LOW_BYTES", default=1_000_000_000)
# Bodies above this are spooled to disk by the ASGI front before a page worker is taken.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
FILE_UPLOAD_HANDLERS = ["fablab.front.forms.SpooledFiles"]
# People's files lie nowhere but below VAR_DIR, where what a killed process leaves of them is swept away.
FILE_UPLOAD_TEMP_DIR = VAR_DIR / "spool"
FILE_UPLOAD_TEMP_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)

# --- the programs beside us -------------------------------------------------------------------------------

SLICER = env.str("SLICER", default="prusa-slicer")  # a name on PATH or a path; nothing there: "needs slicing"

# --- API --------------------------------------------------------------------------------------------------

# Who may ask and how stands on fablab.api.views.Endpoint: named here, it would be imported in a circle.
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "EXCEPTION_HANDLER": "fablab.api.errors.handle",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Fab lab",
    "VERSION": "1",
    "DESCRIPTION": "Machines, bookings and jobs of free fab labs. Errors are RFC 9457 problems.",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "COMPONENT_SPLIT_REQUEST": True,
    "COMPONENT_NO_READ_ONLY_REQUIRED": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "JobState": "jobs.lifecycle.states.State",
        "OrderState": "jobs.lifecycle.states.OrderState",
        "BookingState": "equipment.bookings.states.BookingState",
        "UploadState": "jobs.uploads.states.UploadState",
        "MachineCondition": "equipment.machines.states.Condition",
        "InterruptionOutcome": "jobs.recovery.states.Outcome",
        "TermsSource": "equipment.bookings.terms.Source",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}
# Requests a minute: of one person, and of everybody together who asks from one address without signing in.
API_PER_MINUTE = {
    "reads": env.int("API_READS_PER_MINUTE", default=3000),
    "writes": env.int("API_WRITES_PER_MINUTE", default=600),
    "anonymous": env.int("API_ANONYMOUS_PER_MINUTE", default=600),
}
METRICS_TOKEN = secret(
    "METRICS_TOKEN"
)  # lets /metrics be read from another computer; without it only from this one


LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "filters": {
        "probes": {"()": "django.utils.log.CallbackFilter", "callback": not_a_probe},
        "refusals": {"()": "django.utils.log.CallbackFilter", "callback": without_a_trace},
        "feeds": {"()": "django.utils.log.CallbackFilter", "callback": without_feed_addresses},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "plain",
            "filters": ["probes", "refusals", "feeds"],
        },
    },
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
}
