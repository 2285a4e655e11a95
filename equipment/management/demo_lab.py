"""The demonstration's lab as plain tables: places, kinds, models, machines, people. Names of people are invented."""

from typing import Any, NamedTuple

from equipment.machines.states import Driver
from equipment.management.demo_guides import CUTTER, EMBROIDERY, PRINTER
from equipment.sites.states import Role


class DemoSite(NamedTuple):
    slug: str
    name: str
    address: str
    time_zone: str
    hours: list[tuple[int, int, int]]  # weekday (Monday is 0), opens, closes, in minutes of the day


class DemoMachine(NamedTuple):
    site: str
    model: str
    name: str
    driver: Driver = Driver.HANDOVER


class DemoShift(NamedTuple):
    username: str
    site: str
    weekdays: tuple[int, ...]  # Monday is 0
    starts: int  # in minutes of the day
    ends: int


class DemoPerson(NamedTuple):
    username: str
    name: str
    site: str
    role: Role
    certificates: tuple[str, ...] = ()  # slugs of machine kinds
    may_send_machine_files: bool = False
    about: str = ""


SITES = [
    DemoSite(
        "saint-ouen",
        "Saint-Ouen",
        "12 rue des Ateliers, 93400 Saint-Ouen",
        "Europe/Paris",
        # A demonstration happens at any hour of any day.
        [(weekday, 0, 1440) for weekday in range(7)],
    ),
    DemoSite(
        "mayotte",
        "Mayotte",
        "3 place du Marché, 97600 Mamoudzou",
        "Indian/Mayotte",
        [(weekday, 9 * 60, 17 * 60) for weekday in range(1, 6)],
    ),
]

# Booked without file or plate: nobody needs a certificate, and of several places nobody chooses one.
PLACE: dict[str, Any] = {
    "takes_files": False,
    "needs_plate": False,
    "remote_start": False,
    "needs_certificate": False,
}

KINDS: dict[str, dict[str, Any]] = {
    "fdm": {
        "names": {"fr": "Imprimante 3D", "en": "3D printer", "ar": "طابعة ثلاثية الأبعاد"},
        "icon": "printer",
        "guide": PRINTER,
        "buffer_minutes": 10,
        "max_minutes": 240,
    },
    "embroidery": {
        "names": {"fr": "Brodeuse", "en": "Embroidery machine", "ar": "آلة تطريز"},
        "icon": "hoop",
        "guide": EMBROIDERY,
        "buffer_minutes": 10,
        "max_minutes": 180,
    },
    "cutter": {
        "names": {"fr": "Découpeuse vinyle", "en": "Vinyl cutter", "ar": "آلة تقطيع الفينيل"},
        "icon": "cutter",
        "guide": CUTTER,
        "max_minutes": 120,
    },
    "sewing": {
        **PLACE,
        "names": {"fr": "Table de couture", "en": "Sewing table", "ar": "طاولة خياطة"},
        "icon": "sewing",
        "max_minutes": 180,
    },
    "computer": {
        **PLACE,
        "names": {"fr": "Poste informatique", "en": "Computer", "ar": "حاسوب"},
        "icon": "computer",
        "max_minutes": 120,
    },
    "room": {
        **PLACE,
        "names": {"fr": "Salle", "en": "Room", "ar": "قاعة"},
        "icon": "room",
        "max_minutes": 240,
        "horizon_days": 30,
        "open_bookings": 2,
    },
    "help": {
        **PLACE,
        "names": {"fr": "Une demi-heure d’aide", "en": "Half an hour of help", "ar": "نصف ساعة من المساعدة"},
        "icon": "talk",
        "needs_instructor": True,
        "max_minutes": 30,
        "open_bookings": 1,
    },
}

MODELS: dict[str, dict[str, Any]] = {
    "Atelier 200": {
        "kind": "fdm",
        "limits": {
            "bed_mm": [200, 200],
            "height_mm": 200,
            "nozzle_mm": 0.4,
            "nozzle_max_c": 260,
            "bed_max_c": 100,
            "materials": ["PLA", "PETG"],
            "formats": ["gcode"],
        },
        "formats": ["gcode"],
        "prepares": ["stl"],
        "materials": ["PLA", "PETG"],
        "qualities": ["draft", "normal", "fine"],
    },
    "Broderie 180 x 130": {
        "kind": "embroidery",
        "limits": {
            "bed_mm": [180, 130],
            "height_mm": 1,
            "frames": [
                {"name": "180x130", "w_mm": 180, "h_mm": 130},
                {"name": "100x100", "w_mm": 100, "h_mm": 100},
            ],
            "max_stitches": 120_000,
            "rpm": 700,
            "change_s": 90,
            "formats": ["dst", "pes"],
        },
        "formats": ["dst", "pes"],
        "prepares": ["svg", "png", "jpeg"],  # by hand: an instructor digitises them
        "materials": ["Fil polyester", "Fil coton"],
    },
    "Vinyle 600": {
        "kind": "cutter",
        "limits": {"bed_mm": [600, 1000], "height_mm": 1, "cut_mm_s": 200, "formats": ["hpgl"]},
        "formats": ["hpgl"],
        "prepares": ["svg", "png", "jpeg"],
        "materials": ["Vinyle", "Flex"],
    },
    "Table et machine à coudre": {"kind": "sewing"},
    "Ordinateur avec écran": {"kind": "computer"},
    "Salle pour dix personnes": {"kind": "room"},
    "Avec un animateur": {"kind": "help"},
}

# What earlier demonstrations wrote. A row that still says so, nobody has changed: it is brought up to date.
KINDS_BEFORE: dict[str, list[dict[str, Any]]] = {
    "fdm": [{"guide": {}}],
    "embroidery": [{"guide": {}}, {"takes_files": False}],
    "cutter": [{"guide": {}}, {"takes_files": False}],
}
MODELS_BEFORE: dict[str, list[dict[str, Any]]] = {
    "Broderie 180 x 130": [
        {
            "limits": {"bed_mm": [180, 130], "height_mm": 1, "formats": ["dst", "pes"]},
            "formats": ["dst", "pes"],
            "prepares": [],
        }
    ],
    "Vinyle 600": [
        {
            "limits": {"bed_mm": [600, 1000], "height_mm": 1, "formats": ["svg"]},
            "formats": ["svg"],
            "prepares": [],
        }
    ],
}

MACHINES = [
    DemoMachine("saint-ouen", "Atelier 200", "Ada", Driver.OCTOPRINT),
    DemoMachine("saint-ouen", "Atelier 200", "Blaise", Driver.OCTOPRINT),
    DemoMachine("saint-ouen", "Broderie 180 x 130", "Colette"),
    DemoMachine("saint-ouen", "Vinyle 600", "Django"),
    DemoMachine("saint-ouen", "Table et machine à coudre", "Table 1"),
    DemoMachine("saint-ouen", "Table et machine à coudre", "Table 2"),
    DemoMachine("saint-ouen", "Ordinateur avec écran", "Poste 1"),
    DemoMachine("saint-ouen", "Ordinateur avec écran", "Poste 2"),
    DemoMachine("saint-ouen", "Ordinateur avec écran", "Poste 3"),
    DemoMachine("saint-ouen", "Salle pour dix personnes", "Salle bleue"),
    DemoMachine("saint-ouen", "Avec un animateur", "Coin aide"),
    DemoMachine("mayotte", "Atelier 200", "Maki"),
]

EVERYTHING = ("fdm", "embroidery", "cutter")

PEOPLE = [
    DemoPerson("lea", "Léa", "saint-ouen", Role.MEMBER, EVERYTHING, about="trained, hands in models"),
    DemoPerson(
        "sami", "Sami", "saint-ouen", Role.MEMBER, EVERYTHING, True, "trained, may also hand in G-code"
    ),
    DemoPerson("zoe", "Zoé", "saint-ouen", Role.MEMBER, about="not trained yet"),
    DemoPerson("ines", "Inès", "saint-ouen", Role.INSTRUCTOR, EVERYTHING, about="present, decides on jobs"),
    DemoPerson(
        "karim", "Karim", "saint-ouen", Role.STAFF, EVERYTHING, about="present, keeps machines running"
    ),
    DemoPerson("nadia", "Nadia", "saint-ouen", Role.MANAGER, about="runs the place"),
    DemoPerson("moussa", "Moussa", "mayotte", Role.MEMBER, ("fdm",), about="trained"),
    DemoPerson("anfia", "Anfia", "mayotte", Role.INSTRUCTOR, ("fdm",)),
    DemoPerson("houria", "Houria", "mayotte", Role.MANAGER, about="runs the place"),
]
# Who is on duty when: then minors can book too, and half an hour of help can be had.
SHIFTS = [
    DemoShift("ines", "saint-ouen", (0, 1, 2, 3, 4, 5), 9 * 60, 18 * 60),
    DemoShift("anfia", "mayotte", (1, 2, 3, 4, 5), 9 * 60, 17 * 60),
]
# They said "Je suis là", so that printing can be tried at once.
PRESENT = ("ines", "karim")
# Karim has emptied these on his morning round; Ada's plate is left to whoever tries the demonstration.
EMPTIED_BY = "karim"
EMPTIED = ("Blaise", "Colette", "Django")
