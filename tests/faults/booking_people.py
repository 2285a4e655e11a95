"""What people do with the calendar, each on a connection of their own, at random.

Members book, move, cancel, give back and take back, wait and answer what they are offered, use a machine now, stay
longer and finish; those on duty make series, change and end what follows of them, announce outages and end them.
"""

import http.client
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from fablab.core.clock import local_time
from tests.faults.bookings import Crowd
from tests.faults.told import NEVER, Outage, Said
from tests.journeys.lab import Answer, Api

MEMBERS, ON_DUTY = ("sami", "lea"), ("ines", "karim")
ON_DUTY_CLIENTS = 5
DAYS = 2
WAITS_KEPT = 6
OUTAGES_KEPT = 2  # of one machine
AN_HOUR = timedelta(hours=1)
NO_ANSWER = (OSError, http.client.HTTPException)
ANYWAY = [{"code": "person_busy", "reason": "Les deux"}]  # few people play many
LEFT_OUT = ("machine_out_of_order", "person_busy", "slot_kept", "in_the_past")


class Client:
    """One connection."""

    def __init__(self, crowd: Crowd, number: int) -> None:
        self.crowd, self.told = crowd, crowd.told
        self.chance = Random(f"{crowd.seed} client {number}")
        on_duty = number < ON_DUTY_CLIENTS
        name = (ON_DUTY if on_duty else MEMBERS)[number % 2]
        self.api: Api = crowd.lab.api(name)
        self.verbs = DUTIES if on_duty else WISHES
        self.pages = crowd.pages(MEMBERS[number % 2])
        self.mine: list[str] = []
        self.given_back: list[str] = []
        self.in_use: list[str] = []
        self.series: dict[str, list[str]] = {}

    def work(self) -> None:
        names, weights = zip(*self.verbs.items(), strict=True)
        while not self.crowd.over.is_set():
            self.chance.choices(names, weights)[0](self)

    # --- asking ---------------------------------------------------------------------------------------------------

    def ask(self, what: str, path: str, body: object = None) -> tuple[Answer | None, float, float]:
        """Return the answer, None when nothing is known, with the times of asking and answering."""
        asked = time.monotonic()
        try:
            answer = self.api.post(f"/api/v1/{path}", body)
        except NO_ANSWER:
            answer = Answer()
            self.crowd.over.wait(0.5)
        problems = [one["code"] for one in answer.get("problems", ())]
        known = self.crowd.counted(what, answer.status, problems)
        return answer if known else None, asked, time.monotonic()

    def booked(self, answer: Answer, asked: float, answered: float, *, judged: bool = True) -> str:
        """Keep what a booking's own answer says."""
        return self.keep(answer, "in_use" if answer["state"] in ("in_use", "done") else answer["state"],
                         asked, answered, judged=judged)  # fmt: skip

    def keep(self, shape: Any, state: str, asked: float, answered: float, *, judged: bool = False) -> str:
        times = moment(shape["start"]), moment(shape["end"])
        said = Said(state, shape["machine"]["id"], *times, asked, answered, judged=judged)
        self.told.say(shape["id"], said)
        return str(shape["id"])

    def unsure(self, booking: str, state: str, asked: float, **wanted: Any) -> None:
        fields = {"machine": None, "start": None, "end": None, **wanted}
        self.told.say(booking, Said(state, asked=asked, answered=NEVER, sure=False, **fields))

    def a_start(self) -> datetime:
        """A start in the next days: few enough that people often want the same."""
        day = datetime.now(UTC) + timedelta(days=self.chance.randint(1, DAYS))
        return day.replace(
            hour=self.chance.randint(8, 19), minute=self.chance.choice([0, 30]), second=0, microsecond=0
        )

    # --- members --------------------------------------------------------------------------------------------------

    def book(self) -> None:
        start, machine = self.a_start(), self.chance.choice(self.crowd.machines)
        body = {"machine": machine, **span(start), "overrides": ANYWAY}
        answer, asked, answered = self.ask("book", "bookings/", body)
        if answer is None:
            self.told.lost.append(lambda row: (row.machine, row.start) == (machine, start))
        elif answer.status == 201:
            self.mine.append(self.booked(answer, asked, answered))

    def move(self) -> None:
        if self.mine:
            booking, start = self.chance.choice(self.mine), self.a_start()
            body = {**span(start), "overrides": ANYWAY}
            answer, asked, answered = self.ask("move", f"bookings/{booking}/move/", body)
            if answer is None:
                self.unsure(booking, "confirmed", asked, start=start)
            elif answer.status == 200:
                self.booked(answer, asked, answered)
            elif "booking_over" in [one["code"] for one in answer["problems"]]:
                self.mine.remove(booking)

    def cancel(self) -> None:
        if self.mine:
            booking = self.mine.pop(self.chance.randrange(len(self.mine)))
            answer, asked, answered = self.ask("cancel", f"bookings/{booking}/cancel/")
            if answer is None:
                self.unsure(booking, "cancelled", asked)
            elif answer.status == 200:
                self.booked(answer, asked, answered, judged=False)

    def _press(self, what: str, path: str, leads_to: str) -> tuple[bool | None, float, float]:
        """Press a button on a page; return whether it was done, None when nothing is known."""
        asked = time.monotonic()
        try:
            status, location = self.pages.post(path)
        except NO_ANSWER:
            status, location = 0, ""
            self.crowd.over.wait(0.5)
        done = status == 303 and location.startswith(leads_to)
        known = self.crowd.counted(what, status, [] if done else [f"page: {what}"])
        return done if known else None, asked, time.monotonic()

    def give_back(self) -> None:
        if self.mine:
            booking = self.mine.pop(self.chance.randrange(len(self.mine)))
            done, asked, answered = self._press(
                "give back", f"/reservations/{booking}/annuler/", "/reservations/?"
            )
            if done is None:
                self.unsure(booking, "given_back", asked)
            elif done:
                self.told.say(booking, Said("given_back", None, None, None, asked, answered))
                self.given_back.append(booking)

    def take_back(self) -> None:
        if self.given_back:
            booking = self.given_back.pop()
            done, asked, answered = self._press(
                "take back", f"/reservations/{booking}/reprendre/", "/reservations/"
            )
            if done is None:
                self.unsure(booking, "confirmed", asked)
            elif done:
                self.told.say(booking, Said("confirmed", None, None, None, asked, answered))
                self.mine.append(booking)

    def wait(self) -> None:
        start, machine = self.a_start(), self.chance.choice(self.crowd.machines)
        body = {"machine": machine, "from": span(start)["start"], "to": span(start)["end"], "minutes": 60}
        self.ask("wait", "waiting/", body)

    def answer_offers(self) -> None:
        try:
            waits = self.api.get("/api/v1/waiting/").get("results", [])
        except NO_ANSWER:
            return
        offered = [one for one in waits if one["offer"]]
        if len(waits) > WAITS_KEPT:
            self.ask("wait no more", f"waiting/{self.chance.choice(waits)['id']}/leave/")
        if not offered:
            return
        entry = self.chance.choice(offered)
        held = entry["offer"]["booking"]
        if self.chance.random() < 0.3:
            answer, asked, answered = self.ask("decline", f"waiting/{entry['id']}/decline/")
            if answer is not None and answer.status == 200:
                self.told.say(held, Said("offered", None, None, None, asked, answered))
            return
        answer, asked, answered = self.ask("take", f"waiting/{entry['id']}/take/")
        if answer is None:
            self.unsure(held, "confirmed", asked)
        elif answer.status == 200:
            self.mine.append(self.booked(answer, asked, answered))

    def use_now(self) -> None:
        machine = self.chance.choice(self.crowd.machines)
        answer, asked, answered = self.ask("use now", f"machines/{machine}/use-now/")
        if answer is None:
            at = datetime.now(UTC)
            self.told.lost.append(
                lambda row: row.machine == machine and abs(row.start - at) < timedelta(minutes=2)
            )
        elif answer.status == 201:
            self.in_use.append(self.booked(answer, asked, answered))

    def come(self) -> None:
        """Half an hour from now on, then "Je suis là"; what is so short can be made longer."""
        machine, start = self.chance.choice(self.crowd.machines), datetime.now(UTC).replace(microsecond=0)
        times = {"start": start.isoformat(), "end": (start + AN_HOUR / 2).isoformat()}
        body = {"machine": machine, **times, "overrides": ANYWAY}
        answer, asked, answered = self.ask("book for now", "bookings/", body)
        if answer is None:
            self.told.lost.append(lambda row: (row.machine, row.start) == (machine, start))
        elif answer.status == 201:
            booking = self.keep(answer, "awaited", asked, answered, judged=True)
            answer, asked, answered = self.ask("check in", f"bookings/{booking}/check-in/")
            if answer is not None and answer.status == 200:
                self.in_use.append(self.booked(answer, asked, answered))

    def extend(self) -> None:
        if self.in_use:
            booking = self.chance.choice(self.in_use)
            answer, asked, answered = self.ask("extend", f"bookings/{booking}/extend/", {"minutes": 15})
            if answer is None:
                self.unsure(booking, "in_use", asked)
            elif answer.status == 200:
                self.booked(answer, asked, answered)

    def finish(self) -> None:
        if self.in_use:
            booking = self.in_use.pop()
            answer, asked, answered = self.ask("finish", f"bookings/{booking}/finish/")
            if answer is None:
                self.unsure(booking, "in_use", asked)
            elif answer.status == 200:
                self.booked(answer, asked, answered, judged=False)

    # --- on duty --------------------------------------------------------------------------------------------------

    def make_series(self) -> None:
        """Each day for some days, on one machine or two; what is in the way is left out, makes way, or refuses all."""
        start = self.a_start()
        machines = self.chance.sample(self.crowd.machines, self.chance.choice([1, 1, 2]))
        last = start + timedelta(days=self.chance.randint(0, 2))
        body: dict[str, Any] = {
            "machines": machines, "weekdays": list(range(7)), "title": self.chance.choice(["", "Atelier"]),
            "first": start.date().isoformat(), "last": last.date().isoformat(), **self._hours(start),
            "choices": [{"code": code, "do": "skip"} for code in LEFT_OUT],
        }  # fmt: skip
        in_the_way = self._choose(body, "series/")
        if in_the_way is None:
            return
        answer, asked, answered = self.ask("make a series", "series/", body)
        if answer is None:
            days = {start.date() + timedelta(days=number) for number in range(3)}
            self.told.lost.append(
                lambda row: (
                    row.machine in machines and row.start.time() == start.time() and row.start.date() in days
                )
            )
            for booking in in_the_way:
                self.unsure(booking, "cancelled", asked)
        elif answer.status == 201:
            self.series[answer["series"]["id"]] = self._done(answer, asked, answered)

    def change_series(self) -> None:
        if self.series:
            name = self.chance.choice(list(self.series))
            body: dict[str, Any] = {
                **self._hours(self.a_start()),
                "choices": [{"code": code, "do": "skip"} for code in LEFT_OUT],
            }
            path = f"series/{name}/change-following/"
            in_the_way = self._choose(body, path)
            if in_the_way is None:
                return
            answer, asked, answered = self.ask("change a series", path, body)
            known = self.series[name]
            if answer is None:
                for booking in known:
                    self.unsure(booking, "confirmed", asked)
                for booking in in_the_way:
                    self.unsure(booking, "cancelled", asked)
            elif answer.status == 200:
                moved = self._done(answer, asked, answered)
                self.series[answer["series"]["id"]] = [*known, *(one for one in moved if one not in known)]

    def end_series(self) -> None:
        if self.series:
            name = self.chance.choice(list(self.series))
            known = self.series.pop(name)
            answer, asked, answered = self.ask("end a series", f"series/{name}/end-following/")
            if answer is None:
                for booking in known:
                    self.unsure(booking, "cancelled", asked)
            elif answer.status == 200:
                for booking in answer["cancelled"]:
                    self.told.say(booking, Said("cancelled", None, None, None, asked, answered))

    def _hours(self, start: datetime) -> dict[str, str]:
        starts, ends = (local_time(one, "Europe/Paris") for one in (start, start + AN_HOUR))
        return {"starts": f"{starts:%H:%M}", "ends": f"{ends:%H:%M}"}

    def _choose(self, body: dict[str, Any], path: str) -> list[str] | None:
        """Choose what is to happen with what is taken: after a look, only what was seen makes way."""
        do = self.chance.choice(["refuse", "skip", "cancel"])
        body["choices"].append({"code": "slot_taken", "do": do})
        if do != "cancel":
            return []
        try:
            answer = self.api.post(f"/api/v1/{path}", {**body, "preview": True})
        except NO_ANSWER:
            return None
        if answer.status != 200:
            return None
        seen = {one["id"] for line in answer["occurrences"] for one in line["in_the_way"]}
        body["may_cancel"] = sorted(seen)
        return sorted(seen)

    def _done(self, answer: Answer, asked: float, answered: float) -> list[str]:
        made = [one for one in answer["occurrences"] if one["fate"] in ("make", "make_room")]
        times = sorted((one["machine"]["id"], one["start"]) for one in made)
        if times != sorted((one["machine"]["id"], one["start"]) for one in answer["bookings"]):
            self.told.surprises.append(f"an answer that contradicts itself: {answer}")
        for booking in answer["cancelled"]:
            self.told.say(booking, Said("cancelled", None, None, None, asked, answered))
        return [self.keep(one, "confirmed", asked, answered, judged=True) for one in answer["bookings"]]

    def outage_or_back(self) -> None:
        """Announce an outage of two hours; where some stand already, have one be over early."""
        machine = self.chance.choice(self.crowd.machines)
        try:
            standing = self.api.get(f"/api/v1/machines/{machine}/outages/").get("results", [])
        except NO_ANSWER:
            return
        if len(standing) >= OUTAGES_KEPT:
            self._end_outage(self.chance.choice(standing))
            return
        start = self.a_start()
        end = start + timedelta(hours=2)
        body = {"start": start.isoformat(), "end": end.isoformat(), "reason": "Courroie"}
        answer, _asked, answered = self.ask("announce an outage", f"machines/{machine}/outages/", body)
        if answer is None:
            self.told.lost_outages.append((machine, start))
        elif answer.status == 201:
            self.told.outages.setdefault(answer["id"], Outage(machine, start, end, answered))

    def _end_outage(self, shape: Any) -> None:
        known = Outage(shape["machine"], moment(shape["start"]), moment(shape["end"]), time.monotonic())
        # Whoever announced it was perhaps not answered.
        outage = self.told.outages.setdefault(shape["id"], known)
        outage.end_asked = min(outage.end_asked, time.monotonic())
        answer, _asked, _answered = self.ask("end an outage", f"outages/{shape['id']}/end/")
        if answer is None:
            outage.perhaps_over = True
        elif answer.status == 200:
            outage.over = moment(answer["end"])


Verb = Callable[[Client], None]
WISHES: Mapping[Verb, int] = {
    Client.book: 40,
    Client.move: 14,
    Client.cancel: 12,
    Client.give_back: 8,
    Client.take_back: 5,
    Client.wait: 5,
    Client.answer_offers: 6,
    Client.use_now: 2,
    Client.come: 3,
    Client.extend: 3,
    Client.finish: 5,
}
DUTIES: Mapping[Verb, int] = {
    Client.make_series: 35,
    Client.change_series: 25,
    Client.end_series: 15,
    Client.outage_or_back: 25,
}


def span(start: datetime) -> dict[str, str]:
    return {"start": start.isoformat(), "end": (start + AN_HOUR).isoformat()}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
