"""What an inspection says: findings with codes, and the report they stand in.

A finding is a machine code with numbers beside it. The sentences people read live beside the pages; README.md in
this folder holds the reference table of codes, sentences and next steps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

JSON = None | bool | int | float | str | Sequence["JSON"] | Mapping[str, "JSON"]


class Severity(StrEnum):
    BLOCKS = "blocks"  # this file cannot be made as it is
    ASK = "ask"  # an instructor looks at it by name
    INFO = "info"  # worth knowing, nothing to do


class Reason(StrEnum):
    """The seven public reasons of a refusal."""

    TOO_BIG = "too_big"
    TOO_LONG = "too_long"
    NOT_SOLID = "not_solid"
    UNREADABLE = "unreadable"
    NOT_ALLOWED = "not_allowed"
    COPYRIGHT = "copyright"
    TALK = "talk"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a file check noticed. `params` are primitive values, ready for JSON and for a sentence."""

    code: str
    severity: Severity
    params: Mapping[str, JSON] = field(default_factory=dict)

    def as_json(self) -> dict[str, JSON]:
        return {"code": self.code, "severity": self.severity.value, "params": dict(self.params)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(str(data["code"]), Severity(data["severity"]), dict(data.get("params") or {}))


@dataclass(frozen=True, slots=True)
class Material:
    """What an object uses up: grams, metres of filament or thread, and its kind ("PLA") where the file says so."""

    grams: float | None = None
    metres: float | None = None
    kind: str | None = None

    def as_json(self) -> dict[str, JSON]:
        return {"grams": self.grams, "metres": self.metres, "kind": self.kind}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(data.get("grams"), data.get("metres"), data.get("kind"))


@dataclass(frozen=True, slots=True)
class Report:
    """The inspection of one file.

    `format` is the reader's name ("stl", "gcode"; "" when no reader took it), `size_mm` width, depth, height in
    millimetres, `minutes` the stated making time (None: no estimate, never a guess), `facts` what the reader measured
    (primitive values, described in README.md), `findings` what it noticed whatever the machine.
    """

    format: str
    size_mm: tuple[float, float, float] | None = None
    minutes: float | None = None
    material: Material | None = None
    facts: Mapping[str, JSON] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    @property
    def blocked(self) -> bool:
        """True when a finding blocks on any machine."""
        return any(finding.severity is Severity.BLOCKS for finding in self.findings)

    def as_json(self) -> dict[str, JSON]:
        return {
            "format": self.format,
            "size_mm": list(self.size_mm) if self.size_mm else None,
            "minutes": self.minutes,
            "material": self.material.as_json() if self.material else None,
            "facts": dict(self.facts),
            "findings": [finding.as_json() for finding in self.findings],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `as_json`. Raises KeyError, TypeError or ValueError when the data is not a report."""
        size = data.get("size_mm")
        material = data.get("material")
        return cls(
            format=str(data["format"]),
            size_mm=(float(size[0]), float(size[1]), float(size[2])) if size else None,
            minutes=None if data.get("minutes") is None else float(data["minutes"]),
            material=Material.from_json(material) if material else None,
            facts=dict(data.get("facts") or {}),
            findings=tuple(Finding.from_json(one) for one in data.get("findings") or ()),
        )
