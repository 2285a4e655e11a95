"""Which machine commands a file may hold, as data, one table a firmware flavour.

`allow` stands in ordinary slicer files; `ask` and `pause` want an instructor's eye; `refuse` blocks. What no table
names is asked about. A subcode (`M500.1`) is judged by its own row, else by the row of its number.
Known from Marlin's and RepRapFirmware's public usage; a firmware that differs gets a table of its own.
"""

from collections.abc import Mapping
from enum import StrEnum


class Verdict(StrEnum):
    ALLOW = "allow"
    ASK = "ask"
    PAUSE = "pause"
    REFUSE = "refuse"


Policy = Mapping[str, Verdict]

_ALLOWED = """
    G0 G1 G2 G3 G4 G10 G11 G17 G20 G21 G28 G29 G80 G90 G91 G92
    M17 M18 M73 M74 M75 M76 M77 M82 M83 M84 M104 M105 M106 M107 M109 M110 M114 M115 M117 M119 M140 M141 M155
    M190 M191 M220 M221 M300 M355 M400 M420 M486 M503 M862 M900
"""

_ASKED = """
    G12 G27 G30 G34
    M80 M118 M150 M201 M202 M203 M204 M205 M280 M350 M380 M381 M413 M555 M593 M701 M702 M906 M907
"""

_PAUSES = "M0 M1 M25 M226 M600 M601"

# Each refused command with what it would do.
REFUSED: Mapping[str, str] = {
    "G5": "a curve whose place is not followed here",
    "G6": "moves motors by steps, past every limit",
    "G18": "arcs in another plane, whose place is not followed here",
    "G19": "arcs in another plane, whose place is not followed here",
    "G26": "prints a test pattern of its own",
    "G33": "changes the calibration",
    "G38": "probes into the bed",
    "G53": "another coordinate system",
    "G54": "another coordinate system",
    "G55": "another coordinate system",
    "G56": "another coordinate system",
    "G57": "another coordinate system",
    "G58": "another coordinate system",
    "G59": "another coordinate system",
    "G61": "moves to a remembered place",
    "M3": "starts a spindle or a laser",
    "M4": "starts a spindle or a laser",
    "M16": "stops the machine when its name differs",
    "M20": "lists the machine's card",
    "M21": "opens the machine's card",
    "M22": "lets go of the machine's card",
    "M23": "chooses another file on the machine",
    "M24": "starts another file on the machine",
    "M26": "jumps inside a file on the machine",
    "M27": "reports on another file",
    "M28": "writes a file on the machine",
    "M29": "ends a file on the machine",
    "M30": "deletes a file on the machine",
    "M32": "starts another file on the machine",
    "M33": "reads names on the machine's card",
    "M34": "sorts the machine's card",
    "M36": "reads a file on the machine",
    "M42": "switches a pin, a heater's too",
    "M43": "plays with pins",
    "M81": "switches the power off",
    "M85": "sets the watchdog",
    "M92": "changes steps per millimetre",
    "M98": "runs another file on the machine",
    "M99": "returns from a macro",
    "M108": "breaks off waiting for heat",
    "M112": "emergency stop",
    "M143": "changes the heater limit",
    "M145": "changes heating presets",
    "M206": "shifts the home position",
    "M208": "changes the axis limits",
    "M211": "switches the software end stops",
    "M218": "shifts a tool",
    "M290": "shifts the height while printing",
    "M301": "changes the heater control",
    "M302": "allows cold extrusion",
    "M303": "heats by itself to tune",
    "M304": "changes the bed heater control",
    "M305": "changes the thermometer",
    "M306": "changes the heater model",
    "M307": "changes the heater model",
    "M308": "changes the thermometer",
    "M410": "quick stop",
    "M421": "changes the bed mesh",
    "M428": "shifts the home position",
    "M470": "makes a folder on the machine",
    "M471": "renames a file on the machine",
    "M500": "saves the machine's settings",
    "M501": "loads the machine's settings",
    "M502": "resets the machine's settings",
    "M504": "checks or rewrites the settings",
    "M505": "chooses another settings folder",
    "M510": "locks the machine",
    "M511": "unlocks the machine",
    "M512": "sets the machine's pass code",
    "M540": "changes the machine's network",
    "M550": "renames the machine on the network",
    "M551": "sets the machine's password",
    "M552": "changes the machine's network",
    "M553": "changes the machine's network",
    "M554": "changes the machine's network",
    "M556": "changes the axis compensation",
    "M559": "writes the machine's settings",
    "M560": "writes the machine's pages",
    "M563": "defines a tool",
    "M564": "allows moves outside the limits",
    "M568": "sets tool temperatures another way",
    "M570": "changes the heater watchdog",
    "M575": "changes the serial line",
    "M586": "changes the machine's network services",
    "M587": "stores a Wi-Fi password",
    "M588": "forgets a Wi-Fi network",
    "M589": "sets the machine's own Wi-Fi",
    "M665": "changes the geometry",
    "M666": "changes the end stop offsets",
    "M808": "repeats a part of the file",
    "M810": "defines a hidden macro",
    "M811": "defines a hidden macro",
    "M812": "defines a hidden macro",
    "M813": "defines a hidden macro",
    "M814": "defines a hidden macro",
    "M815": "defines a hidden macro",
    "M816": "defines a hidden macro",
    "M817": "defines a hidden macro",
    "M818": "defines a hidden macro",
    "M819": "defines a hidden macro",
    "M851": "shifts the probe",
    "M928": "writes a log on the machine's card",
    "M997": "starts a firmware update",
    "M998": "asks for lines again",
    "M999": "restarts after an error",
    "D0": "firmware debugging",
    "D1": "firmware debugging",
    "D2": "reads or writes memory",
    "D3": "reads or writes the settings memory",
    "D5": "reads or writes the program memory",
}

MARLIN: Policy = {
    **dict.fromkeys(_ALLOWED.split(), Verdict.ALLOW),
    **dict.fromkeys(_ASKED.split(), Verdict.ASK),
    **dict.fromkeys(_PAUSES.split(), Verdict.PAUSE),
    **dict.fromkeys(REFUSED, Verdict.REFUSE),
}

POLICIES: Mapping[str, Policy] = {"marlin": MARLIN}


def verdict(policy: Policy, number: str, subcode: str = "") -> Verdict | None:
    """The verdict on a command ("M500", subcode "1"), None when the policy does not know it."""
    if subcode:
        exact = policy.get(f"{number}.{subcode}")
        if exact is not None:
            return exact
    return policy.get(number)
