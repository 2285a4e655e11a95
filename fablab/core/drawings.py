"""Our own icons and drawings, as the inside of an SVG element: no file to fetch, so none is ever missing.

Icons stand on a grid of 24 with a stroke of 1.8; drawings on 96 with a stroke of 2.4. Colours come from the
styles (``currentColor``, and the classes fill, mark, warm, wrong, dot), so that they follow light and dark.
"""

ICONS: dict[str, str] = {
    # things
    "printer": '<path d="M4 21V4h16v17M2.5 21h19M4 8.5h16M12 8.5v3l-1.5 2.5h3L12 11.5M8.5 18h7"/>',
    "resin": '<path d="M6 21v-6h12v6M4 21h16M9 15V9.5h6V15M12 9.5V3M8 3h8"/>',
    "hoop": (
        '<circle cx="11" cy="13" r="8"/><circle cx="11" cy="13" r="5"/>'
        '<path d="M17 7.5 20.5 4M19.2 2.8l2 2"/>'
    ),
    "knitting": '<path d="M5 3l9 18M19 3l-9 18M7.5 8h9M6 11.5c2 1.8 4 1.8 6 0 2 1.8 4 1.8 6 0"/>',
    "cutter": '<path d="M14.5 3.5 20.5 9.5 10 17.5 6.5 14zM6.5 14 3.5 20.5 10 17.5M13 21h8"/>',
    "laser": '<path d="M8 3h8v4l-2 3h-4L8 7zM12 10v7M3 21h18M8.5 18.5 12 17l3.5 1.5"/>',
    "sewing": '<path d="M4 20h17M6 20v-3h13v3M19 17V6H6a2 2 0 0 0-2 2v2h9V6M8 10v4M16 9v3"/>',
    "press": '<path d="M3 20h18M5 16h14v4H5zM6 8h12v4H6zM12 8V5.5M12 5.5 19 3"/>',
    "table": '<path d="M3 8h18M5 8v12M19 8v12M9 8V5h6v3"/>',
    "machine": '<path d="M4 7h16v13H4zM8 7V4h8v3M8 12h4M8 16h8M17 12h.01"/>',
    "calendar": '<path d="M4 6h16v14H4zM4 10.5h16M8.5 3.5V8M15.5 3.5V8M8 14h2M14 14h2M8 17h2"/>',
    "box": '<path d="M12 3l8.5 4.5v9L12 21l-8.5-4.5v-9zM3.5 7.5 12 12l8.5-4.5M12 12v9"/>',
    "shelf": '<path d="M4 3v18M20 3v18M4 10.5h16M4 18h16M8 10.5V6h4v4.5M13 18v-4h4v4"/>',
    "tray": '<path d="M2.5 20.5h19M7 16.5v-6h10v6zM12 7.5v-5M9.5 5 12 2.5 14.5 5"/>',
    "file": '<path d="M6 3h8l5 5v13H6zM14 3v5h5"/>',
    "ruler": '<path d="M2.5 8h19v8h-19zM6.5 8v3.5M10 8v5M13.5 8v3.5M17 8v5"/>',
    "spool": '<path d="M5 4h14M5 20h14M7.5 4v16M16.5 4v16M7.5 8.5l9-1.5M7.5 13l9-1.5M7.5 17.5l9-1.5"/>',
    "workshop": '<path d="M3 4h18v11H3zM8 21l4-6 4 6M7 8h6M7 11h9"/>',
    "plug": '<path d="M9 3v4.5M15 3v4.5M6.5 7.5h11V11a5.5 5.5 0 0 1-11 0zM12 16.5V21"/>',
    "unplugged": (
        '<path d="M9 3v3.5M15 3v3.5M6.5 7.5h11V11a5.5 5.5 0 0 1-5 5.5M6.5 7.5V11c0 1 .2 2 .7 2.7M12'
        ' 18.5V21"/><path d="M3 3l18 18"/>'
    ),
    "door": '<path d="M6 21V3h12v18M3 21h18M14.5 12v.5"/>',
    "camera": '<path d="M3 7h4.5L9 4.5h6L16.5 7H21v13H3z"/><circle cx="12" cy="13" r="3.8"/>',
    "thermometer": '<path d="M10 13.5V5a2 2 0 0 1 4 0v8.5a4.2 4.2 0 1 1-4 0zM12 9v7"/>',
    "qr": '<path d="M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2v2h-2zM18 18h2v2h-2zM18 14h2M14 18v2"/>',
    "key": '<circle cx="8" cy="15.5" r="4.5"/><path d="M11.2 12.3 20 3.5M16.5 7l3 3"/>',
    "bell": '<path d="M5 17h14c-1.6-1.6-2-3.2-2-7a5 5 0 0 0-10 0c0 3.8-.4 5.4-2 7zM10 20.5h4"/>',
    "chart": '<path d="M4 3.5V20h16.5M8.5 16v-4M13 16V7.5M17.5 16v-6"/>',
    # people and places
    "user": '<circle cx="12" cy="8" r="4.2"/><path d="M4 21c.6-4.6 3.6-7 8-7s7.4 2.4 8 7"/>',
    "people": (
        '<circle cx="9" cy="8.5" r="3.6"/><path d="M2.5 20c.5-4 3-6 6.5-6s6 2 6.5 6M15.5 5.2a3.6 3.6 0 0 1 0'
        ' 6.6M17.5 14.5c2.3.7 3.6 2.6 4 5.5"/>'
    ),
    "home": '<path d="M3.5 11.5 12 4l8.5 7.5M6 9.5V20h12V9.5M10 20v-5.5h4V20"/>',
    "hand": (
        '<path d="M8 12.5V6a1.4 1.4 0 0 1 2.8 0v4.5M10.8 10V4.4a1.4 1.4 0 0 1 2.8 0V10M13.6 10.5V5.6a1.4 1.4'
        " 0 0 1 2.8 0V14M16.4 12V9a1.4 1.4 0 0 1 2.8 0v5.5c0 4-2.6 6.5-6 6.5-3 0-4.6-1.3-6-3.6l-2.6-4.2a1.4"
        ' 1.4 0 0 1 2.3-1.5L8 13.5"/>'
    ),
    "chat": '<path d="M4 4.5h16v12h-9L6.5 20.5v-4H4zM8 9h8M8 12.5h5"/>',
    "globe": (
        '<circle cx="12" cy="12" r="8.8"/><path d="M3.2 12h17.6M12 3.2c-5 5.6-5 12 0 17.6M12 3.2c5 5.6 5 12'
        ' 0 17.6"/>'
    ),
    # signs
    "check": '<path d="M4.5 12.5 10 18 19.5 6.5"/>',
    "check-circle": '<circle cx="12" cy="12" r="9"/><path d="M7.5 12.3l3.2 3.2 5.8-6.5"/>',
    "cross": '<path d="M6 6l12 12M18 6 6 18"/>',
    "cross-octagon": '<path d="M8.3 3h7.4L21 8.3v7.4L15.7 21H8.3L3 15.7V8.3zM9 9l6 6M15 9l-6 6"/>',
    "alert": '<path d="M12 3.5 22 20.5H2zM12 10v5"/><circle class="solid" cx="12" cy="17.6" r="1.1"/>',
    "info": (
        '<circle cx="12" cy="12" r="9"/><path d="M12 11v5.5"/>'
        '<circle class="solid" cx="12" cy="7.8" r="1.1"/>'
    ),
    "clock": '<circle cx="12" cy="12" r="9"/><path d="M12 6.5V12l4 2.5"/>',
    "wrench": (
        '<path d="M14.5 9.5 5.6 18.4a1.9 1.9 0 0 1-2.7-2.7L11.8 6.8A5.2 5.2 0 0 1 18.4 3l-3 3 .6 2.6 2.6.6'
        ' 3-3a5.2 5.2 0 0 1-7.1 3.3z"/>'
    ),
    "play": '<path d="M7 4.5v15l12.5-7.5z"/>',
    "pause": '<path d="M8 5v14M16 5v14"/>',
    "stop": '<path d="M6 6h12v12H6z"/>',
    "running": '<circle cx="12" cy="12" r="9"/><path class="solid" d="M9.5 7.6v8.8L16.8 12z"/>',
    "foreign": (
        '<circle cx="12" cy="12" r="9" stroke-dasharray="3.2 2.6"/>'
        '<path class="solid" d="M9.5 7.6v8.8L16.8 12z"/>'
    ),
    "paused": '<circle cx="12" cy="12" r="9"/><path d="M9.5 8.5v7M14.5 8.5v7"/>',
    "stopping": '<circle cx="12" cy="12" r="9"/><path class="solid" d="M8.8 8.8h6.4v6.4H8.8z"/>',
    "starting": '<circle cx="12" cy="12" r="9"/><path d="M12 17V8M8.3 11.5 12 7.8l3.7 3.7"/>',
    "cancelled": '<circle cx="12" cy="12" r="9"/><path d="M7.5 12h9"/>',
    "broken": '<path d="M12 3l8.5 4.5v9L12 21l-8.5-4.5v-9zM12 3l-2 5.5 4 3-3.5 4L12 21"/>',
    "pencil": '<path d="M4 20l1-4.5L16.5 4 20 7.5 8.5 19zM14 6.5 17.5 10"/>',
    "eye": (
        '<path d="M2.5 12c2.3-4.3 5.5-6.5 9.5-6.5s7.2 2.2 9.5 6.5c-2.3 4.3-5.5 6.5-9.5 6.5S4.8 16.3 2.5'
        ' 12z"/><circle cx="12" cy="12" r="3"/>'
    ),
    "search": '<circle cx="10.5" cy="10.5" r="6.5"/><path d="M15.5 15.5 21 21"/>',
    "refresh": '<path d="M20 12a8 8 0 1 1-2.6-5.9M20 3.5V8h-4.5"/>',
    "undo": '<path d="M8.5 4 4 8.5 8.5 13M4 8.5h10.5a5.5 5.5 0 0 1 0 11H8"/>',
    "list": '<path d="M9 6h12M9 12h12M9 18h12M4 6h.01M4 12h.01M4 18h.01"/>',
    "upload": '<path d="M12 16V4M7 9l5-5 5 5M4 16v4h16v-4"/>',
    "download": '<path d="M12 4v12M7 11l5 5 5-5M4 16v4h16v-4"/>',
    "plus": '<path d="M12 5v14M5 12h14"/>',
    "minus": '<path d="M5 12h14"/>',
    "forward": '<path d="M9 5l7 7-7 7"/>',
    "back": '<path d="M15 5l-7 7 7 7"/>',
    "settings": (
        '<path d="M4 7h9M17 7h3M4 17h3M11 17h9"/><circle cx="15" cy="7" r="2"/><circle cx="9" cy="17" r="2"/>'
    ),
    "mark": (
        '<path d="M5 20V6.5a2 2 0 0 1 2-2h13M5 20l3.2-3.2M20 4.5l-3 3M5 10h3M5 13.5h2M11 4.5v3M14.5 4.5v2"/>'
        '<path class="solid" d="M11 11h8v8h-8z"/>'
    ),
}

# Arrows that mean "on" or "back" turn round in a right-to-left page; clocks and checks do not (A11Y-16).
MIRRORED = {"forward", "back", "undo", "list"}

DRAWINGS: dict[str, str] = {
    # the seven reasons of a refusal
    "too_big": (
        '<path class="fill" d="M30 22h44v44H30z"/><path d="M20 80V38h34M20 80h34M54 80V72"/>'
        '<path class="wrong" d="M80 22v44M76 27l4-5 4 5M76 61l4 5 4-5M30 13h44M35 9l-5 4 5 4M69 9l5 4-5 4"/>'
    ),
    "too_long": (
        '<circle class="fill" cx="44" cy="48" r="30"/>'
        '<path d="M44 28v20l13 9M44 18v5M44 73v5M14 48h5M69 48h5"/>'
        '<path class="wrong" d="M80 26a42 42 0 0 1 1 43M74 66l7 4 3-8"/>'
    ),
    "not_solid": (
        '<path class="fill" d="M48 14l32 17v34L48 82 16 65V31zM16 31l32 17 32-17M48 48v34"/>'
        '<path class="wrong" stroke-dasharray="4 5" d="M24 48c6-4 14 3 14 10s-6 12-13 8-7-14-1-18z"/>'
        '<path class="wrong" d="M62 52l6-3M60 66l8-4"/>'
    ),
    "unreadable": (
        '<path class="fill" d="M24 12h32l18 18v54H24z"/><path d="M56 12v18h18"/>'
        '<path class="wrong" d="M40 46l18 18M58 46 40 64"/>'
    ),
    "not_allowed": (
        '<path class="fill" d="M30 30h36v36H30z"/><circle class="wrong" cx="48" cy="48" r="34"/>'
        '<path class="wrong" d="M24 24l48 48"/>'
    ),
    "copyright": (
        '<circle class="fill" cx="48" cy="48" r="33"/><path d="M59 38a15 15 0 1 0 0 20"/>'
        '<path class="wrong" d="M72 70l14 14M86 70 72 84"/>'
    ),
    "talk": (
        '<path class="fill" d="M12 16h50v34H36L22 62V50H12z"/><path d="M24 28h26M24 37h16"/>'
        '<path class="warm" d="M68 36h16v30h-8v12L64 66H44v-8"/>'
    ),
    # six ways in which a print fails
    "spaghetti": (
        '<path d="M14 82h68"/><path class="wrong" d="M26 76c-8-14 14-20 8-32s16-16 20-2-14 16-4 26 22-4'
        ' 16-16 12-12 10 4-12 20-24 20-16 0-26 0z"/><path d="M42 10h12v8l-6 8-6-8z"/>'
    ),
    "detached": (
        '<path d="M14 82h68"/><path class="fill" d="M34 38l34-8 8 32-34 8z"/>'
        '<path class="wrong" d="M24 76c4-6 8-8 14-8M70 76c2-5 6-8 12-9"/>'
    ),
    "clogged": (
        '<path class="fill" d="M34 10h28v28L48 56 34 38z"/>'
        '<path class="wrong" d="M40 60l16 16M56 60 40 76"/><path d="M34 22h28"/>'
    ),
    "no_material": (
        '<circle class="fill" cx="48" cy="44" r="32"/><circle cx="48" cy="44" r="9"/>'
        '<path class="wrong" stroke-dasharray="4 6" d="M80 44v32c0 8-8 10-14 10"/>'
    ),
    "shifted": (
        '<path d="M14 84h68"/><path class="fill" d="M26 60h36v22H26zM36 40h36v20H36z"/>'
        '<path class="fill" d="M26 20h36v20H26z"/><path class="wrong" d="M70 28h14M79 23l5 5-5 5"/>'
    ),
    "needle": (
        '<path d="M14 82h68"/><path class="fill" d="M42 8h12v26l-6 10-6-10z"/><path d="M48 16v8"/>'
        '<path class="wrong" d="M40 52l8-4 8 6M48 60l4 20"/>'
    ),
    "other": (
        '<path class="fill" d="M20 20h56v42H46L32 76V62H20z"/>'
        '<path class="wrong" d="M41 36a7 7 0 1 1 9 7c-2 1-2 2-2 4"/>'
        '<circle class="dot" cx="48" cy="54" r="2"/>'
    ),
    # kinds of machine
    "printer": (
        '<path d="M18 82V14h60v68M10 82h76M18 28h60"/><path class="mark" d="M40 28v12l8 9 8-9V28"/>'
        '<path class="fill" d="M34 60h28v16H34z"/><path d="M28 76h40"/>'
    ),
    "resin": (
        '<path class="fill" d="M20 60h56v24H20z"/><path d="M26 60c0-30 44-30 44 0M48 12v26M38 12h20"/>'
        '<path class="mark" d="M36 38h24v10H36z"/>'
    ),
    "embroidery": (
        '<circle class="fill" cx="42" cy="52" r="32"/><circle cx="42" cy="52" r="25"/>'
        '<path class="mark" d="M42 66c-22-16-6-28 0-16 6-12 22 0 0 16z"/>'
        '<path d="M68 26 86 8M83 6l6 6M68 26c-8 4-12 12-18 14"/>'
    ),
    "knitting": (
        '<circle class="fill" cx="42" cy="54" r="28"/>'
        '<path d="M20 42c16-2 32 6 40 22M18 56c12-2 24 4 32 22M30 30c16 2 30 12 38 28"/>'
        '<path class="mark" d="M52 34 84 8M60 40l28-20"/>'
    ),
    "cutter": (
        '<path class="fill" d="M12 62h72v20H12z"/><path d="M12 52h72M20 52v10M76 52v10"/>'
        '<path class="mark" d="M40 12h18v22l-9 14-9-14zM40 26h18"/>'
        '<path stroke-dasharray="4 5" d="M22 72h52"/>'
    ),
    "laser": (
        '<path class="fill" d="M12 66h72v16H12z"/><path d="M34 10h28v18l-8 8H42l-8-8z"/>'
        '<path class="mark" d="M48 36v30M38 58l4 5M58 58l-4 5"/>'
    ),
    "sewing": (
        '<path class="fill" d="M10 70h76v14H10z"/>'
        '<path d="M76 70V22H24c-8 0-12 6-12 12v8h40V22M76 54h10M22 42v8"/>'
        '<path class="mark" d="M32 42v22M28 64h8"/>'
    ),
    "press": (
        '<path class="fill" d="M14 66h68v16H14z"/><path class="warm" d="M18 40h60v14H18z"/>'
        '<path d="M48 40V26M48 26l32-12M38 26h20"/><path class="mark" d="M30 60v2M48 60v2M66 60v2"/>'
    ),
    "table": '<path class="fill" d="M8 40h80v10H8z"/><path d="M16 50v34M80 50v34M34 40V26h28v14"/>',
    "computer": (
        '<path class="fill" d="M12 18h72v48H12z"/><path d="M40 66l-4 14h24l-4-14M28 80h40"/>'
        '<path class="mark" d="M26 32h28M26 44h18"/>'
    ),
    "room": '<path class="fill" d="M28 12h40v72H28z"/><path d="M12 84h72"/><path class="mark" d="M58 48v2"/>',
    "machine": (
        '<path class="fill" d="M16 28h64v54H16z"/><path d="M32 28V14h32v14M28 46h18M28 58h30"/>'
        '<circle class="mark" cx="66" cy="46" r="5"/>'
    ),
    # empty states
    "empty_bench": (
        '<path class="fill" d="M8 56h80v9H8z"/><path d="M16 65v21M80 65v21M24 56V40h18v16"/>'
        '<path class="mark" d="M58 56l7-32M65 24l10 4M52 56h18"/>'
        '<path d="M70 34l4 12" stroke-dasharray="3 4"/>'
    ),
    "empty_calendar": (
        '<path class="fill" d="M16 22h64v60H16z"/><path d="M16 38h64M32 14v14M64 14v14"/>'
        '<path class="mark" d="M38 60l8 8 14-16"/>'
    ),
    "empty_box": (
        '<path class="fill" d="M48 42l34 14v22L48 90 14 78V56z"/>'
        '<path d="M14 56l34 14 34-14M48 70v20M14 56 6 44l34-12 8 10M82 56l8-12-34-12-8 10"/>'
        '<path class="mark" d="M48 24V8M34 22l-6-10M62 22l6-10"/>'
    ),
    "empty_done": (
        '<path class="fill" d="M14 18h68v62H14z"/><path class="mark" d="M32 48l12 12 22-26"/>'
        '<path d="M8 80h80"/>'
    ),
    "lost": (
        '<path d="M48 88V14M36 88h24"/><path class="fill" d="M48 20h30l8 8-8 8H48zM48 44H20l-8 8 8 8h28z"/>'
        '<path class="mark" d="M60 28h12M28 52h12"/>'
    ),
    "locked": (
        '<path class="fill" d="M20 42h56v42H20z"/><path d="M32 42V30a16 16 0 0 1 32 0v12"/>'
        '<path class="mark" d="M48 58v10"/>'
    ),
    "repair": (
        '<path class="fill" d="M16 30h64v52H16z"/><path d="M30 30V18h36v12"/>'
        '<path class="wrong" d="M36 46l8 8M44 46l-8 8M54 46l8 8M62 46l-8 8M36 72c8-8 16-8 24 0"/>'
    ),
}
