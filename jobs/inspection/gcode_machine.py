"""A printer on paper: what a machine would do with one command, followed without guessing.

Holds place, units, modes, homing and heat, and the findings on the way. Where two firmwares would read a line
differently, the line is refused as ambiguous instead of choosing one reading.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Protocol

from .arcs import along, centre_of
from .codes import finding
from .findings import JSON, Finding
from .gcode_policy import Policy, Verdict, verdict

LINE_BYTES = 512
HOT_C = 150.0  # below this no filament flows; a nozzle set lower counts as cold
LONG_WAIT_S = 600.0
FACTOR_PERCENT = (50.0, 150.0)
MOST_KINDS = 60  # different commands told one by one
MOST_UNREADABLE = 20  # after so many nonsense lines it is no machine file

_NUMBERED = re.compile(rb"N(\d{1,9})\s*([^*]*)(?:\*(\d{1,3}))?\s*", re.IGNORECASE)
_COMMAND = re.compile(rb"([GMTD])\s*(\d{1,5})(?:\.(\d{1,3}))?(?!\d)(.*)", re.DOTALL)
_PARAMETER = re.compile(rb"\s*([A-Z])\s*([-+]?(?:\d{1,7}(?:\.\d{0,9})?|\.\d{1,9}))?(?![\d.])")
_MACRO = re.compile(rb"[A-Z_][A-Z0-9_]{2,60}(?:\s[\x20-\x7e]*)?", re.DOTALL)
_PRINTABLE = re.compile(rb"[\x20-\x7e]*")

# Commands whose words are text, not parameters.
_WORDY = frozenset(
    (
        *(
            "M16",
            "M20",
            "M23",
            "M28",
            "M30",
            "M32",
            "M33",
            "M36",
            "M98",
            "M115",
            "M117",
            "M118",
            "M470",
            "M471",
        ),
        *("M486", "M540", "M550", "M551", "M552", "M553", "M554", "M559", "M560", "M587", "M588", "M589"),
        *("M810", "M811", "M812", "M813", "M814", "M815", "M816", "M817", "M818", "M819", "M862", "M928"),
    )
)
_HEATERS = {
    "M104": "nozzle",
    "M109": "nozzle",
    "M140": "bed",
    "M190": "bed",
    "M141": "chamber",
    "M191": "chamber",
}
_EXACT = (
    frozenset(["G0", "G1", "G2", "G3", "G10", "G92"]) | _HEATERS.keys()
)  # a letter without its number is ambiguous here

Values = Mapping[str, float | None]


class Sink(Protocol):
    def add(self, x0: float, y0: float, x1: float, y1: float, z: float) -> None: ...


class Machine:
    """The state after the lines so far. Lengths in millimetres, machine coordinates; temperatures in Celsius."""

    def __init__(self, policy: Policy, sink: Sink | None = None) -> None:
        self.policy, self.sink = policy, sink
        self._moves_allowed = policy.get("G0") is policy.get("G1") is Verdict.ALLOW
        self.x = self.y = self.z = self.e = 0.0
        self.shift = [0.0, 0.0, 0.0]  # what G92 moved: machine place = said place + shift
        self.feed = 1500.0  # mm a minute
        self.unit = 1.0
        self.relative = self.relative_e = False
        self.homed: set[str] = set()
        self.tool = 0
        self.targets: dict[tuple[str, int], float] = {}
        self.hottest: dict[str, float] = {}
        self.waited: set[int] = set()  # tools that reached printing heat
        self.fan = False
        self.low, self.high = [math.inf] * 3, [-math.inf] * 3
        self.low_line, self.high_line = [0] * 3, [0] * 3
        self.aside = False  # a skirt or brim: on the bed, but no part of the object
        self.print_low, self.print_high = [math.inf] * 3, [-math.inf] * 3
        self.fed = self.filament = 0.0  # mm pushed so far, and the most that ever was
        self.seconds = 0.0  # never less than this, without acceleration
        self.fastest = 0.0  # mm a second, while extruding or not
        self.levels: set[int] = set()
        self.level = -math.inf
        self.commands = 0
        self.nonsense = 0
        self.hopeless = False
        self.met: dict[tuple[str, str], list[int]] = {}  # (code, command) -> [first line, count]
        self.found: dict[str, Finding] = {}

    # -- what the fast loop asks

    @property
    def plain(self) -> bool:
        """True when a simple move needs no more than addition: absolute, in millimetres, homed, hot, unshifted."""
        return (
            self._moves_allowed
            and not self.relative
            and self.unit == 1.0
            and len(self.homed) == 3
            and self.tool in self.waited
            and not any(self.shift)
        )

    # -- one line

    def obey(self, line: bytes, number: int) -> None:
        """Follows one line that holds a command (comments cut off is not needed)."""
        text = line.partition(b";")[0].strip(b" \t")
        if not text:
            return None
        if text[:1] in b"Nn":
            numbered = _NUMBERED.fullmatch(text)
            if not numbered:
                return self._nonsense(number)
            if numbered[3] is not None and _checksum(text[: text.index(b"*")]) != int(numbered[3]):
                return self._once("checksum_wrong", line=number)
            text = numbered[2].strip(b" \t")
            if not text:
                return None
        if text[:1] == b"@":
            return self._meet("host_command", _word(text), number)
        upper = text.upper()
        command = _COMMAND.fullmatch(upper)
        if command is None:
            if _MACRO.fullmatch(upper):
                return self._meet("macro_refused", _word(upper), number)
            return self._nonsense(number)
        name = f"{command[1].decode()}{int(command[2])}"
        subcode = str(int(command[3])) if command[3] else ""
        self.commands += 1
        self._weigh(name, subcode, command[4], number)
        if name in _WORDY:
            if not _PRINTABLE.fullmatch(upper) and name != "M117":
                self._nonsense(number)
            return None
        values = self._values(name, command[4], number)
        if values is None:
            return None
        if subcode and name in _DO:
            return self._once("line_ambiguous", line=number)
        does = _DO.get(name)
        if does is not None:
            does(self, name, values, number)
        elif name[0] == "T":
            self.tool = int(name[1:])
            self._meet("tool_change", name, number) if self.tool else None
        return None

    def _weigh(self, name: str, subcode: str, words: bytes, number: int) -> None:
        says = verdict(self.policy, name, subcode)
        whole = f"{name}.{subcode}" if subcode else name
        if says is Verdict.REFUSE:
            self._meet("command_refused", whole, number)
        elif says is Verdict.PAUSE:
            self._meet("pause_inside", whole, number)
        elif name == "M118" and (b"//" in words or b"ACTION" in words or re.match(rb"\s*A\s*1", words)):
            self._meet("host_command", whole, number)
        elif says is Verdict.ASK:
            self._meet("command_asked", whole, number)
        elif says is None and name[0] != "T":
            self._meet("command_unknown", whole, number)

    def _values(self, name: str, words: bytes, number: int) -> dict[str, float | None] | None:
        """The parameters by letter. None, with a finding, when they can be read in more than one way or not at all."""
        values: dict[str, float | None] = {}
        at, end = 0, len(words.rstrip())
        while at < end:
            one = _PARAMETER.match(words, at)
            if one is None or one.end() == at:
                self._nonsense(number)
                return None
            letter = one[1].decode()
            bare = one[2] is None
            if letter in values or (letter in "GM" and not bare) or (bare and name in _EXACT):
                self._once("line_ambiguous", line=number)
                return None
            values[letter] = None if bare else float(one[2])
            at = one.end()
        return values

    # -- moves

    def _go(self, name: str, values: Values, number: int) -> None:
        target = self._target(values)
        arc = name in ("G2", "G3")
        if not {axis for axis in "XYZ" if values.get(axis) is not None} <= self.homed or (
            arc and not self.homed >= {"X", "Y"}
        ):
            self._once("moves_before_homing", line=number)
        pushed = self._push(values, number)
        feed = values.get("F")
        if feed is not None:
            self.feed = feed * self.unit
        start = (self.x, self.y, self.z)
        if arc:
            path = self._arc(name, values, start, target, number)
            if path is None:
                return
        else:
            path = [target]
        for point in path:
            self._reach(point, values, pushed > 0, number, arc)
        self.x, self.y, self.z = target

    def _target(self, values: Values) -> tuple[float, float, float]:
        place = [self.x, self.y, self.z]
        for index, axis in enumerate("XYZ"):
            said = values.get(axis)
            if said is not None:
                said *= self.unit
                place[index] = place[index] + said if self.relative else said + self.shift[index]
        return (place[0], place[1], place[2])

    def _push(self, values: Values, number: int) -> float:
        """The millimetres of filament this move pushes (negative: pulls back)."""
        said = values.get("E")
        if said is None:
            return 0.0
        said *= self.unit
        pushed = said if self.relative_e else said - self.e
        self.e += pushed
        self.fed += pushed
        self.filament = max(self.filament, self.fed)
        if pushed > 0 and self.tool not in self.waited:
            self._once("cold_extrusion", line=number)
        return pushed

    def _reach(
        self, point: tuple[float, float, float], values: Values, pushing: bool, number: int, arc: bool
    ) -> None:
        """Goes in a straight line to `point` and notes how far the head has been."""
        moved = [
            arc or values.get("X") is not None,
            arc or values.get("Y") is not None,
            values.get("Z") is not None,
        ]
        for index in range(3):
            if moved[index]:
                if point[index] < self.low[index]:
                    self.low[index], self.low_line[index] = point[index], number
                if point[index] > self.high[index]:
                    self.high[index], self.high_line[index] = point[index], number
        here = (self.x, self.y, self.z)
        length = math.dist(here, point)
        if length and self.feed > 0:
            self.seconds += length / self.feed * 60
            self.fastest = max(self.fastest, self.feed / 60)
        if pushing and here[:2] != point[:2]:
            self.lay(here, point)
        self.x, self.y, self.z = point

    def lay(self, here: tuple[float, float, float], point: tuple[float, float, float]) -> None:
        """Notes an extruded line."""
        for index in range(0 if self.aside else 3):
            self.print_low[index] = min(self.print_low[index], here[index], point[index])
            self.print_high[index] = max(self.print_high[index], here[index], point[index])
        self.rise(point[2])
        if self.sink is not None:
            self.sink.add(here[0], here[1], point[0], point[1], point[2])

    def rise(self, z: float) -> None:
        if z != self.level:
            self.level = z
            if len(self.levels) < 100_000:
                self.levels.add(round(z * 100))

    def _arc(
        self,
        name: str,
        values: Values,
        start: tuple[float, float, float],
        end: tuple[float, float, float],
        number: int,
    ) -> list[tuple[float, float, float]] | None:
        """Points along the arc, its outermost ones included. None, with a finding, when it is not one clear arc."""
        radius = values.get("R")
        i, j = values.get("I"), values.get("J")
        if (radius is None) == (i is None and j is None) or values.get("K") or values.get("P"):
            self._once("line_ambiguous", line=number)
            return None
        clockwise = name == "G2"
        if radius is not None:
            centre = centre_of(start, end, radius * self.unit, clockwise)
        else:
            centre = (start[0] + (i or 0.0) * self.unit, start[1] + (j or 0.0) * self.unit)
        if (
            centre is None
            or centre == start[:2]
            or abs(math.dist(start[:2], centre) - math.dist(end[:2], centre)) > 0.5
        ):
            self._once("line_ambiguous", line=number)
            return None
        return along(start, end, centre, clockwise)

    # -- everything else that changes the state

    def _home(self, name: str, values: Values, number: int) -> None:
        axes = [axis for axis in "XYZ" if axis in values] or list("XYZ")
        for axis in axes:
            index = "XYZ".index(axis)
            self.homed.add(axis)
            self.shift[index] = 0.0
            setattr(self, axis.lower(), 0.0)

    def _motors_off(self, name: str, values: Values, number: int) -> None:
        axes = [axis for axis in "XYZE" if axis in values]
        if not axes and "S" in values:
            return  # only a time-out
        self.homed -= set(axes or "XYZ")

    def _set_place(self, name: str, values: Values, number: int) -> None:
        if not values or not values.keys() <= set("XYZE"):
            return self._once("line_ambiguous", line=number)
        for index, axis in enumerate("XYZ"):
            said = values.get(axis)
            if said is not None:
                self.shift[index] = getattr(self, axis.lower()) - said * self.unit
        said = values.get("E")
        if said is not None:
            self.e = said * self.unit
        return None

    def _mode(self, name: str, values: Values, number: int) -> None:
        if name in ("G90", "G91"):
            self.relative = self.relative_e = name == "G91"
        elif name in ("M82", "M83"):
            self.relative_e = name == "M83"
        else:
            self.unit = 25.4 if name == "G20" else 1.0

    def _heat(self, name: str, values: Values, number: int) -> None:
        heater = _HEATERS[name]
        said = [value for letter in "SRB" if (value := values.get(letter)) is not None]
        if not said:
            return
        celsius = max(said)
        tool = int(values.get("T") or self.tool) if heater == "nozzle" else 0
        self.targets[heater, tool] = celsius
        self.hottest[heater] = max(self.hottest.get(heater, 0.0), celsius)
        if heater == "nozzle":
            if celsius < HOT_C:
                self.waited.discard(tool)
            elif name == "M109":
                self.waited.add(tool)

    def _blow(self, name: str, values: Values, number: int) -> None:
        self.fan = self.fan or values.get("S", 255.0) != 0

    def _factor(self, name: str, values: Values, number: int) -> None:
        percent = values.get("S")
        if percent is not None and not FACTOR_PERCENT[0] <= percent <= FACTOR_PERCENT[1]:
            self._once("factor_extreme", command=name, percent=percent, line=number)

    def _wait(self, name: str, values: Values, number: int) -> None:
        seconds = max(values.get("S") or 0.0, (values.get("P") or 0.0) / 1000)
        if seconds > LONG_WAIT_S:
            self._once("long_wait", seconds=seconds, line=number)
        self.seconds += max(seconds, 0.0)

    def _retract(self, name: str, values: Values, number: int) -> None:
        if values.keys() - {"S"} or values.get("S") not in (None, 0.0, 1.0):
            self._once("line_ambiguous", line=number)  # elsewhere these words set tool heat and place

    # -- findings

    def _once(self, code: str, **params: JSON) -> None:
        self.found.setdefault(code, finding(code, **params))

    def _meet(self, code: str, command: str, number: int) -> None:
        seen = self.met.get((code, command))
        if seen is not None:
            seen[1] += 1
        elif len(self.met) < MOST_KINDS:
            self.met[code, command] = [number, 1]

    def _nonsense(self, number: int) -> None:
        self.nonsense += 1
        self.hopeless = self.nonsense >= MOST_UNREADABLE and self.nonsense > self.commands
        self._once("line_unreadable", line=number)

    def findings(self) -> tuple[Finding, ...]:
        """Everything noticed, commands in the order in which they were met."""
        told = []
        for (code, command), (line, count) in self.met.items():
            params: dict[str, JSON] = {"line": line, "count": count}
            params["tool" if code == "tool_change" else "command"] = command
            told.append(finding(code, **params))
        left_on = sorted({heater for (heater, _), celsius in self.targets.items() if celsius > 0})
        if left_on:
            told.append(finding("heater_left_on", heaters=left_on))
        return (*self.found.values(), *told)


def _checksum(text: bytes) -> int:
    total = 0
    for byte in text:
        total ^= byte
    return total


def _word(text: bytes) -> str:
    """The first word of a line as harmless text for a sentence."""
    word = text.split(None, 1)[0][:24].decode("ascii", "replace")
    return "".join(one if one.isalnum() or one in "@_-." else "?" for one in word)


_Deed = Callable[[Machine, str, Values, int], None]
_DO: dict[str, _Deed] = {
    **dict.fromkeys(("G0", "G1", "G2", "G3"), Machine._go),
    **dict.fromkeys(("G20", "G21", "G90", "G91", "M82", "M83"), Machine._mode),
    **dict.fromkeys(_HEATERS, Machine._heat),
    **dict.fromkeys(("M18", "M84"), Machine._motors_off),
    **dict.fromkeys(("M220", "M221"), Machine._factor),
    **dict.fromkeys(("G10", "G11"), Machine._retract),
    "G4": Machine._wait,
    "G28": Machine._home,
    "G92": Machine._set_place,
    "M106": Machine._blow,
}
