"""A table of bookings: all of it or nothing, each problem with its lines, and the same table again doubles nothing."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from equipment.bookings import services
from equipment.bookings.importing import Imported, import_bookings
from equipment.bookings.models import Booking
from equipment.bookings.words import say_found
from equipment.machines.models import Machine
from equipment.machines.services import retire_machine
from equipment.sites.models import Site
from equipment.sites.states import Role
from fablab.core.errors import DomainError, Malformed, NotAllowed, NotFound, Refused
from fablab.people.models import User
from tests.builders import (
    MONDAY,
    hours,
    make_booking,
    make_closure,
    make_kind,
    make_machine,
    make_person,
    make_site,
)

pytestmark = pytest.mark.django_db
HEAD = "machine,person,start,end,title\n"


class Lab:
    def __init__(self) -> None:
        self.site: Site = make_site("Saint-Ouen")
        self.machine: Machine = make_machine(self.site, "Brodeuse", kind=make_kind(buffer_minutes=10))
        self.staff: User = make_person("Karim", Role.STAFF, site=self.site)
        self.lea: User = make_person("Léa", site=self.site)

    def row(self, times: str, title: str = "", *, machine: str = "Brodeuse", person: str = "") -> str:
        start, end = times.split(" / ")
        return f"{machine},{person or self.lea.username},{start},{end},{title}\n"

    def load(self, table: str | bytes, **more: Any) -> Imported:
        content = table.encode() if isinstance(table, str) else table
        asked: dict[str, Any] = {"site_id": self.site.pk, "actor": self.staff, "at": MONDAY, **more}
        return import_bookings(content, **asked)

    def refused(self, table: str | bytes, **more: Any) -> list[str]:
        """Return what people read; nothing was written."""
        before = Booking.objects.count()
        with pytest.raises(DomainError) as refusal:
            self.load(table, **more)
        assert Booking.objects.count() == before
        return [say_found(problem).replace("\u00a0", " ") for problem in refusal.value.problems]


@pytest.fixture
def lab() -> Lab:
    return Lab()


GOOD = "2026-11-24 14:00 / 2026-11-24 15:00"


def test_a_table_becomes_bookings_on_the_places_own_clock_and_the_same_again_doubles_nothing(
    lab: Lab,
) -> None:
    table = HEAD + lab.row(GOOD) + lab.row("2026-11-25T10:00:00+01:00 / 2026-11-25T09:30:00Z", "Atelier")
    semicolons = "\ufeff" + "\n" + table.replace(",", ";").replace("\n", "\r\n") + "\r\n;;;;\r\n"
    done = lab.load(semicolons.encode())
    assert (len(done.made), done.already) == (2, 0)
    assert list(Booking.objects.order_by("start").values_list("start", "end", "title", "created_by")) == [
        (MONDAY + hours(28), MONDAY + hours(29), "", lab.staff.pk),
        (MONDAY + timedelta(days=2), MONDAY + timedelta(days=2, minutes=30), "Atelier", lab.staff.pk),
    ]
    assert done.made[0].held_end == done.made[0].end + timedelta(minutes=10)
    again = lab.load(table + lab.row("2026-11-24 16:00 / 2026-11-24 17:00", person=lab.lea.username.upper()))
    assert (len(again.made), again.already) == (1, 2)
    assert lab.load(table.replace("person,start", "person,start").encode()).already == 2


def test_everything_that_is_wrong_is_said_at_once_with_its_lines_and_nothing_is_half_imported(
    lab: Lab,
) -> None:
    make_closure(lab.site, (MONDAY + timedelta(days=3)).date())
    make_machine(make_site(), "Ailleurs")
    gone = make_machine(lab.site, "Vieille")
    retire_machine(gone.pk, actor=lab.staff, at=MONDAY)
    ticket = make_person("Ticket", site=lab.site, level="ticket")
    rows = [
        lab.row(GOOD),
        lab.row(GOOD),
        lab.row(GOOD.replace("15:00", "15:30"), person=lab.staff.username),
        lab.row("2026-11-24 17:00 / 2026-11-24 16:00"),
        lab.row("9999-12-31 10:00 / 9999-12-31 11:00"),
        lab.row("demain / 2026-11-24"),
        lab.row("2027-03-28 02:30 / 2027-03-28 04:00"),
        lab.row("2026-10-25 02:30 / 2026-10-25 04:00"),
        lab.row(GOOD, machine="Ailleurs"),
        lab.row(GOOD, machine="Vieille"),
        lab.row(GOOD, person="nobody"),
        lab.row(GOOD, person=ticket.username),
        lab.row(GOOD, machine=""),
        "Brodeuse,x\n",
        lab.row("2026-11-26 14:00 / 2026-11-26 15:00"),
        lab.row("2026-11-26 16:00 / 2026-11-26 17:00"),
    ]
    assert lab.refused(HEAD + "".join(rows)) == [
        "Ligne 5 : La fin vient après le début.",
        "Ligne 6 : Choisis une année entre 1970 et 2200.",
        "Ligne 7 : Écris l’heure comme 2026-11-24 14:00 : demain, 2026-11-24.",
        "Ligne 8 : Cette heure n’existe pas ce jour-là. Essaie 03:00.",
        "Ligne 9 : Cette heure vient deux fois ce jour-là. Choisis laquelle.",
        "Ligne 14 : Une case est vide : machine.",
        "Ligne 15 : Il manque des cases, ou il y en a trop.",
        "Ligne 3 : La même ligne vient deux fois.",
        "Lignes 10, 11 : Machine inconnue ici : Ailleurs, Vieille.",
        "Ligne 12 : Personne inconnue ici : nobody.",
        f"Ligne 13 : Avec un ticket, on ne réserve pas : {ticket.username}.",
        "Ligne 4 : Une autre ligne du fichier prend cette heure.",
        "Lignes 16, 17 : Le fab lab est fermé à cette heure.",
    ]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (b"", ["Il manque des colonnes : machine, person, start, end."]),
        (b"machine,start,end,colour,machine\n", [
            "Il manque des colonnes : person.", "Des colonnes sont en trop : colour, machine.",
        ]),
        (HEAD.encode(), ["Le fichier est vide."]),
        (HEAD.encode() + b"\xe9t\xe9,a,b,c,d\n", ["Enregistre le fichier en CSV, UTF-8."]),
        (HEAD.encode() + b"a,b,c,\"d,e\n", ["La ligne 2 ne se lit pas. Enregistre en CSV."]),
        (HEAD.encode() + b"a,b,\0,d,e\n", ["La ligne 1 ne se lit pas. Enregistre en CSV."]),
        (b"PK\x03\x04" + bytes(200), ["La ligne 1 ne se lit pas. Enregistre en CSV."]),
        (HEAD.encode() + b"a,b,c,d,e\n" * 501, ["Au plus 500 lignes ; il y en a 501."]),
        (HEAD.encode() + b"x" * 1024 * 1024, ["Au plus 1 Mo."]),
    ],
)  # fmt: skip
def test_what_is_no_such_table_is_said_plainly(lab: Lab, table: bytes, said: list[str]) -> None:
    assert lab.refused(table) == said


def test_the_rules_are_those_of_booking_one_by_one(lab: Lab) -> None:
    make_booking(lab.machine, start=MONDAY + hours(28))
    rows = [
        ("2026-11-24 14:30 / 2026-11-24 15:30", ["slot_taken"]),
        ("2026-11-25 14:00 / 2026-11-25 19:00", ["site_closed", "too_long"]),
        ("2026-12-24 14:00 / 2026-12-24 15:00", ["too_far"]),
        ("2026-11-20 14:00 / 2026-11-20 15:00", ["in_the_past"]),
        ("2026-11-26 14:10 / 2026-11-26 14:20", ["off_grid", "too_short"]),
    ]
    for times, codes in rows:
        with pytest.raises(Refused) as refusal:
            lab.load(HEAD + lab.row(times))
        assert refusal.value.codes == codes
    past = HEAD + lab.row(rows[3][0])
    done = lab.load(past, overrides=[{"code": "in_the_past", "reason": "Ancien registre"}])
    assert (done.made[0].state, done.made[0].overrides[0]["reason"]) == ("done", "Ancien registre")
    assert lab.load(past).already == 1


def test_five_hundred_rows_cost_as_many_questions_as_two(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [make_person(site=lab.site) for _ in range(10)]

    def table(count: int, day: int) -> str:
        times = [f"2026-11-{day} {9 + n // 2:02}:{n % 2 * 30:02}" for n in range(count)]
        ends = [f"2026-11-{day} {9 + n // 2:02}:{n % 2 * 30 + 20:02}" for n in range(count)]
        rows = zip(times, ends, people * 2, strict=False)
        return HEAD + "".join(lab.row(f"{a} / {b}", "Atelier", person=one.username) for a, b, one in rows)

    def queries(count: int, day: int) -> int:
        with CaptureQueriesContext(connection) as found:
            lab.load(table(count, day))
        return len([one for one in found if "SAVEPOINT" not in str(one["sql"])])

    monkeypatch.setattr(services, "failpoint", lambda point: None)
    assert queries(2, 24) == queries(16, 25)


def test_who_imports_where(lab: Lab) -> None:
    table = HEAD + lab.row(GOOD)
    for actor, error in (
        (lab.lea, NotAllowed),
        (make_person(None, Role.INSTRUCTOR, site=lab.site), NotAllowed),
        (make_person(None, Role.MANAGER, site=make_site()), NotFound),
    ):
        with pytest.raises(error):
            lab.load(table, actor=actor)
    with pytest.raises(NotFound):
        lab.load(table, site_id="nowhere")
    with pytest.raises(Malformed):
        lab.load(table, overrides=[{"code": "nothing", "reason": "x"}])


def test_whoever_runs_the_installation_imports_a_file(
    lab: Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bookings.csv"
    past = "2026-11-20 14:00 / 2026-11-20 15:00"
    file.write_text(HEAD + lab.row(past), encoding="utf-8")
    asked = [str(file), "--site", lab.site.slug]
    with pytest.raises(CommandError, match="Ligne 2 : Cette heure est passée"):
        call_command("import_bookings", *asked)
    call_command("import_bookings", *asked, "--override", "in_the_past=Ancien registre")
    call_command("import_bookings", *asked, "--by", lab.staff.username)
    assert capsys.readouterr().out.splitlines() == [
        "bookings made: 1, already there: 0",
        "bookings made: 0, already there: 1",
    ]
    for wrong, match in (
        ([str(file), "--site", "nulle-part"], "no site"),
        ([str(tmp_path / "none.csv"), "--site", lab.site.slug], "No such file"),
        ([*asked, "--by", lab.lea.username], "Nobody of this name"),
    ):
        with pytest.raises(CommandError, match=match):
            call_command("import_bookings", *wrong)
