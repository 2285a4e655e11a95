"""Every finding code with its severity and its public reason, in one table.

`finding(code, ...)` is how readers and the judge make findings, so that no code exists outside this table and one
code always weighs the same.
"""

from typing import NamedTuple

from .findings import JSON, Finding, Reason, Severity

BLOCKS, ASK, INFO = Severity.BLOCKS, Severity.ASK, Severity.INFO


class Code(NamedTuple):
    severity: Severity
    reason: Reason | None  # None: never a reason to refuse


CODES: dict[str, Code] = {
    # the file as a whole
    "empty_file": Code(BLOCKS, Reason.UNREADABLE),
    "unknown_format": Code(BLOCKS, Reason.UNREADABLE),  # ending
    "wrong_content": Code(BLOCKS, Reason.UNREADABLE),  # ending, looks_like
    "misleading_name": Code(BLOCKS, Reason.UNREADABLE),
    "unreadable": Code(BLOCKS, Reason.UNREADABLE),  # why: too_complex, too_slow, crashed, missing
    "truncated": Code(BLOCKS, Reason.UNREADABLE),
    "trailing_data": Code(BLOCKS, Reason.UNREADABLE),
    # a model
    "count_wrong": Code(BLOCKS, Reason.UNREADABLE),  # announced, found
    "no_triangle": Code(BLOCKS, Reason.UNREADABLE),
    "too_many_triangles": Code(BLOCKS, Reason.UNREADABLE),  # triangles, most
    "not_finite": Code(BLOCKS, Reason.UNREADABLE),
    "numbers_absurd": Code(BLOCKS, Reason.UNREADABLE),  # most_mm
    "flat": Code(BLOCKS, Reason.NOT_SOLID),  # thickness_mm
    "open_mesh": Code(BLOCKS, Reason.NOT_SOLID),  # edges, at_mm
    "floating_parts": Code(ASK, Reason.NOT_SOLID),  # parts
    "very_small": Code(ASK, Reason.TALK),  # size_mm
    "normals_mixed": Code(INFO, None),
    "inside_out": Code(INFO, None),
    # a machine file
    "not_gcode": Code(BLOCKS, Reason.UNREADABLE),
    "binary_bytes": Code(BLOCKS, Reason.UNREADABLE),  # line
    "line_too_long": Code(BLOCKS, Reason.UNREADABLE),  # line, most
    "line_unreadable": Code(BLOCKS, Reason.UNREADABLE),  # line
    "line_ambiguous": Code(BLOCKS, Reason.UNREADABLE),  # line
    "checksum_wrong": Code(BLOCKS, Reason.UNREADABLE),  # line
    "nothing_printed": Code(BLOCKS, Reason.UNREADABLE),
    "command_refused": Code(BLOCKS, Reason.NOT_ALLOWED),  # command, line, count
    "macro_refused": Code(BLOCKS, Reason.NOT_ALLOWED),  # command, line, count
    "host_command": Code(BLOCKS, Reason.NOT_ALLOWED),  # command, line, count
    "moves_before_homing": Code(BLOCKS, Reason.NOT_ALLOWED),  # line
    "cold_extrusion": Code(BLOCKS, Reason.NOT_ALLOWED),  # line
    "heater_left_on": Code(BLOCKS, Reason.NOT_ALLOWED),  # heaters
    "command_asked": Code(ASK, Reason.TALK),  # command, line, count
    "command_unknown": Code(ASK, Reason.TALK),  # command, line, count
    "pause_inside": Code(ASK, Reason.TALK),  # command, line, count
    "tool_change": Code(ASK, Reason.TALK),  # tool, line
    "factor_extreme": Code(ASK, Reason.TALK),  # command, percent, line
    "long_wait": Code(ASK, Reason.TALK),  # seconds, line
    "no_fan": Code(ASK, Reason.TALK),
    "time_missing": Code(ASK, Reason.TALK),
    "time_doubtful": Code(ASK, Reason.TALK),  # stated_minutes, least_minutes
    "slicer_unknown": Code(ASK, Reason.TALK),
    "secrets_inside": Code(INFO, None),  # count
    # embroidery
    "data_damaged": Code(BLOCKS, Reason.UNREADABLE),  # record
    "no_stitch": Code(BLOCKS, Reason.UNREADABLE),
    "few_stitches": Code(ASK, Reason.TALK),  # stitches
    "header_differs": Code(ASK, Reason.TALK),  # announced, found
    "sequins_inside": Code(ASK, Reason.TALK),
    "stitch_too_long": Code(ASK, Reason.TALK),  # length_mm, most_mm
    "stitches_dense": Code(ASK, Reason.TALK),  # points, most
    "colours_untold": Code(INFO, None),
    # lines for a blade
    "nothing_to_cut": Code(BLOCKS, Reason.UNREADABLE),
    "too_many_lines": Code(BLOCKS, Reason.UNREADABLE),  # most
    "device_command": Code(BLOCKS, Reason.NOT_ALLOWED),  # line
    "text_inside": Code(BLOCKS, Reason.UNREADABLE),
    "path_broken": Code(ASK, Reason.TALK),  # paths
    "picture_inside": Code(ASK, Reason.TALK),
    "scale_assumed": Code(ASK, Reason.TALK),  # width_mm, height_mm
    "outside_reference": Code(BLOCKS, Reason.NOT_ALLOWED),
    "script_inside": Code(BLOCKS, Reason.NOT_ALLOWED),
    "mirrored": Code(INFO, None),
    "frame_too_small": Code(BLOCKS, Reason.TOO_BIG),  # frame
    "several_tools": Code(ASK, Reason.TALK),  # tools
    # this file on this machine model
    "too_big_for_frames": Code(BLOCKS, Reason.TOO_BIG),  # width_mm, height_mm, frame
    "frame_needed": Code(INFO, None),  # frame
    "fits_frame_turned": Code(ASK, Reason.TALK),  # frame
    "start_outside_frame": Code(ASK, Reason.TALK),
    "too_many_stitches": Code(BLOCKS, Reason.TOO_BIG),  # stitches, most
    "too_many_colours": Code(ASK, Reason.TALK),  # colours, most
    "outside_sheet": Code(BLOCKS, Reason.TOO_BIG),  # axis, at_mm, least_mm, most_mm
    "too_big": Code(BLOCKS, Reason.TOO_BIG),  # axis, size_mm, most_mm
    "outside_bed": Code(BLOCKS, Reason.TOO_BIG),  # axis, at_mm, least_mm, most_mm, line
    "below_bed": Code(BLOCKS, Reason.NOT_ALLOWED),  # at_mm, line
    "nozzle_too_hot": Code(BLOCKS, Reason.NOT_ALLOWED),  # celsius, most
    "bed_too_hot": Code(BLOCKS, Reason.NOT_ALLOWED),  # celsius, most
    "chamber_too_hot": Code(BLOCKS, Reason.NOT_ALLOWED),  # celsius, most
    "format_not_accepted": Code(BLOCKS, Reason.UNREADABLE),  # format, formats
    "material_missing": Code(ASK, Reason.TALK),  # kind, materials
    "too_fast": Code(ASK, Reason.TALK),  # mm_s, most
    "nozzle_differs": Code(ASK, Reason.TALK),  # file_mm, machine_mm
    # what came of preparing it
    "slicer_missing": Code(ASK, Reason.TALK),
    "slicing_failed": Code(
        BLOCKS, Reason.TALK
    ),  # why: bad_model, nothing_to_print, nothing_on_bed, too_slow, ...
    "plate_too_small": Code(BLOCKS, Reason.TOO_BIG),  # copies
    "settings_unsuitable": Code(BLOCKS, Reason.TALK),  # setting
    "to_digitise": Code(ASK, Reason.TALK),  # into
    "needs_preparation": Code(INFO, None),  # format, into
    "fits_turned": Code(INFO, None),
}


def finding(code: str, **params: JSON) -> Finding:
    """A finding with the severity the table gives this code. Raises KeyError for a code the table does not hold."""
    return Finding(code, CODES[code].severity, params)


def reason_of(code: str) -> Reason | None:
    """The public reason people read when a file is refused for this code; None when it never is one."""
    return CODES[code].reason
