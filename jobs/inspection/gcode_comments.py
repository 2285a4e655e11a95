"""What slicers write into the comments of a machine file: who made it, how long, how much, and sometimes secrets."""

import re
from dataclasses import dataclass, field

from .findings import JSON

# One look decides whether a comment says anything to us; most (";TYPE:Perimeter") do not.
_TELLING = re.compile(
    rb";\s*(?:(?P<layer>LAYER:-?\d|LAYER_CHANGE|CHANGE_LAYER)"
    rb"|(?P<slicer>(?:G-?code\s+)?generated (?:by|with)\s|sliced by\s|BambuStudio\s|OrcaSlicer\s|KISSlicer)"
    rb"|(?P<thumbnail>thumbnail(?:_\w{3})? begin\s)"
    rb"|(?P<fact>TIME:|Print Time:|Build time:|estimated printing time \(normal|model printing time|"
    rb"total estimated time|(?:total )?filament (?:used|length|weight)|filament_(?:type|density|diameter) ?=|"
    rb"nozzle_diameter ?=|layer_height ?=|Layer height:))",
    re.IGNORECASE,
)
SECRET = re.compile(
    rb"\s*;\s*(?:print_?host\w*|\w*api_?key\w*|\w*passw\w*|\w*access_?code\w*|\w*secret\w*|\w*auth_?token\w*)\s*[=:]",
    re.IGNORECASE,
)
_SLICER = re.compile(
    rb";\s*(?:(?:G-?code\s+)?generated (?:by|with)\s+|sliced by\s+)?"
    rb"([A-Za-z][\w.()+-]*(?:\s+(?!version)[A-Za-z][\w()]*)?)[\s,]*(?:version\s+)?v?(\d[\w.+-]*)?",
    re.IGNORECASE,
)
_THUMBNAIL = re.compile(rb";\s*thumbnail(?:_(\w{3}))? begin\s+(\d{1,4})x(\d{1,4})\s", re.IGNORECASE)
_CLOCK = re.compile(rb"(\d{1,4}):(\d\d):(\d\d)")
_SPAN = re.compile(rb"(\d{1,6}(?:\.\d{1,6})?)\s*(d|h|m|s)", re.IGNORECASE)
_NUMBER = re.compile(rb"\d{1,9}(?:\.\d{1,9})?")
_SECONDS = {b"d": 86400.0, b"h": 3600.0, b"m": 60.0, b"s": 1.0}
LONGEST_S = 60 * 86400.0  # no print takes longer; a greater number is somebody's joke
_KIND = re.compile(rb"[A-Za-z][A-Za-z0-9+-]{0,19}")


@dataclass(slots=True)
class Told:
    """What the comments said. Lengths in millimetres, time in seconds; None where nothing was said."""

    slicer: str | None = None
    version: str | None = None
    seconds: float | None = None
    filament_mm: float | None = None
    filament_g: float | None = None
    kind: str | None = None
    density: float | None = None
    diameter_mm: float | None = None
    nozzle_mm: float | None = None
    layer_mm: float | None = None
    thumbnail: list[JSON] | None = None
    layer_marks: dict[bytes, int] = field(default_factory=dict)
    secret_lines: list[int] = field(default_factory=list)
    secrets: int = 0

    def hear(self, line: bytes, number: int) -> None:
        """Takes in one comment line. Never raises, whatever the line."""
        telling = _TELLING.match(line)
        if telling is None:
            if SECRET.match(line):
                self.secrets += 1
                if len(self.secret_lines) < 20:
                    self.secret_lines.append(number)
            return
        what = telling.lastgroup
        if what == "layer":
            mark = telling["layer"].split(b":")[0].upper()
            self.layer_marks[mark] = self.layer_marks.get(mark, 0) + 1
        elif what == "slicer":
            self._hear_slicer(line)
        elif what == "thumbnail":
            self._hear_thumbnail(line)
        else:
            self._hear_fact(line)

    @property
    def layers(self) -> int:
        return max(self.layer_marks.values(), default=0)

    def _hear_slicer(self, line: bytes) -> None:
        made = _SLICER.match(line)
        if made and self.slicer is None:
            self.slicer = made[1].decode("ascii", "replace")[:40]
            self.version = made[2].decode("ascii", "replace")[:40] if made[2] else None

    def _hear_thumbnail(self, line: bytes) -> None:
        drawn = _THUMBNAIL.match(line)
        if drawn and self.thumbnail is None:
            kind = drawn[1].decode("ascii").lower() if drawn[1] else "png"
            self.thumbnail = [int(drawn[2]), int(drawn[3]), kind]

    def _hear_fact(self, line: bytes) -> None:
        text = line.lstrip(b"; \t").lower()
        name, _, value = text.partition(b"=")
        if not value:
            name, _, value = text.partition(b":")
        name = name.strip()
        if b"time" in name:
            if b"total estimated time:" in text:
                value = text.rpartition(b"total estimated time:")[2]
            seconds = _duration(value)
            if seconds is not None and (self.seconds is None or name.startswith(b"total")):
                self.seconds = seconds
        elif name.startswith((b"filament", b"total filament")) and b"_" not in name:
            self._hear_amount(name, value)
        elif name == b"filament_type":
            kind = _KIND.search(value)
            self.kind = kind[0].decode("ascii").upper() if kind else None
        else:
            number = _NUMBER.search(value)
            place = {
                b"filament_density": "density",
                b"filament_diameter": "diameter_mm",
                b"nozzle_diameter": "nozzle_mm",
                b"layer_height": "layer_mm",
                b"layer height": "layer_mm",
            }.get(name)
            if number and place:
                setattr(self, place, float(number[0]))

    def _hear_amount(self, name: bytes, value: bytes) -> None:
        amount = sum(float(one) for one in _NUMBER.findall(value))
        if b"[g]" in name or b"weight" in name:
            self.filament_g = amount
        elif b"[mm]" in name or b"length" in name:
            self.filament_mm = amount
        elif b"[" not in name and b"m" in value:  # Cura: metres, one number an extruder
            self.filament_mm = amount if b"mm" in value else amount * 1000


def _duration(text: bytes) -> float | None:
    """Seconds of "1d 3h 20m 51s", "1 hour 3 minutes", "0:30:00" or "91"; None without a time that a print may take."""
    seconds = _seconds(text)
    return seconds if seconds is not None and seconds <= LONGEST_S else None


def _seconds(text: bytes) -> float | None:
    clock = _CLOCK.search(text)
    if clock:
        return int(clock[1]) * 3600.0 + int(clock[2]) * 60.0 + int(clock[3])
    spans = _SPAN.findall(text)
    if spans:
        return sum(float(amount) * _SECONDS[unit] for amount, unit in spans)
    plain = _NUMBER.search(text)
    return float(plain[0]) if plain else None
