"""One sample for every row of the command policy, written out by hand: a row that goes must be missed here."""

from .corpus import Sample
from .printing import text

# What each refused command looks like in a hostile file.
REFUSED = (
    "G5 I1 J1 P1 Q1 X9 Y9", "G6 X100", "G18", "G19", "G26", "G33", "G38.2 Z-10", "G53", "G54", "G55", "G56", "G57",
    "G58", "G59", "G61", "M3 S255", "M4 S255", "M16 name", "M20", "M21", "M22", "M23 file.gco", "M24", "M26 S100",
    "M27", "M28 file.gco", "M29", "M30 old.gco", "M32 other.gco", "M33 file", "M34", "M36 file", "M42 P10 S255", "M43",
    "M81", "M85 S10", "M92 E400", "M98 P/macros/x", "M99", "M108", "M112", "M143 S400", "M145 S0 H300", "M206 Z-1",
    "M208 X900", "M211 S0", "M218 T1 Z-2", "M290 Z-1", "M301 P99", "M302 P1", "M303 E0 S280", "M304 P99", "M305 P1",
    "M306 T", "M307 H1", "M308 S1", "M410", "M421 Z-2", "M428", "M470 P/x", "M471 S/a", "M500", "M501", "M502", "M504",
    "M505 Px", "M510", "M511 P1", "M512 P1", "M540 P1:2:3", "M550 Pname", "M551 Ppass", "M552 S1", "M553 P1",
    "M554 P1", "M556 S1", "M559 Pconfig", "M560 Ppage", "M563 P1", "M564 S0", "M568 P0 R300", "M570 S1",
    "M575 P0 B9600", "M586 P0 S1", "M587 Snet Ppass", "M588 Snet", "M589 Snet", "M665 L300", "M666 X-1", "M808 L9",
    "M810 G0 X0", "M811 G0 X0", "M812 G0 X0", "M813 G0 X0", "M814 G0 X0", "M815 G0 X0", "M816 G0 X0", "M817 G0 X0",
    "M818 G0 X0", "M819 G0 X0", "M851 Z-2", "M928 log", "M997", "M998 N1", "M999", "D0", "D1", "D2", "D3", "D5",
)  # fmt: skip

ASKED = (
    "G12", "G27", "G30", "G34", "M80", "M118 hello", "M150 R255", "M201 X500", "M202 X500", "M203 X500", "M204 P500",
    "M205 X8", "M280 P0 S90", "M350 X16", "M380", "M381", "M413 S0", "M555 P2", "M593 F40", "M701", "M702",
    "M906 X600", "M907 E500",
)  # fmt: skip

PAUSES = ("M0", "M1", "M25", "M226 P1 S1", "M600", "M601")

# Everything an ordinary slicer file may hold, once.
ALLOWED = (
    "G0 X100 Y100 F6000", "G1 X101", "G2 X40 Y0 I20 J0", "G3 X0 Y40 I0 J20", "G4 P100", "G10", "G11", "G17",
    "G21", "G20", "G21", "G28", "G29", "G80", "G90", "G91", "G90", "G92 E0", "M17", "M18 S60", "M73 P1", "M74 W1",
    "M75", "M76", "M77", "M82", "M83", "M82", "M84 S60", "M104 S205", "M105", "M106 S255", "M107", "M109 S205",
    "M110 N0", "M114", "M115", "M117 Bonjour", "M119", "M140 S60", "M141 S0", "M155 S1", "M190 S60", "M191 S0",
    "M220 S100", "M221 S100", "M300 S440 P100", "M355 S1", "M400", "M420 S1", "M486 S0", "M503", "M862.1 P0.4",
    "M900 K0.05",
)  # fmt: skip


def _name(line: str) -> str:
    return line.split()[0].split(".")[0]


def samples() -> list[Sample]:
    made = [
        Sample(
            f"refused_{_name(line)}.gcode",
            text(after=[line]),
            f"holds {line}",
            blocks=frozenset({"command_refused"}),
            rule=_name(line),
        )
        for line in REFUSED
    ]
    for lines, code in ((ASKED, "command_asked"), (PAUSES, "pause_inside")):
        made += [
            Sample(
                f"asked_{_name(line)}.gcode",
                text(before=[line]),
                f"holds {line}",
                asks=frozenset({code}),
                rule=_name(line),
            )
            for line in lines
        ]
    made += [
        Sample(
            f"allowed_{_name(line)}_{number}.gcode",
            text(before=[line, *_undo(line)]),
            f"holds {line}",
            rule=_name(line),
        )
        for number, line in enumerate(ALLOWED)
    ]
    return made


def _undo(line: str) -> tuple[str, ...]:
    """What brings the print back to its usual state after this line."""
    return {"G91": ("G90",), "G20": ("G21",), "M83": ("M82",)}.get(_name(line), ("G92 E0",))
