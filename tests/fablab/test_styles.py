"""What is shipped to browsers: contrast, logical properties, the browser floor, weight (A11Y-6, 15, 22, 25)."""

import re
from itertools import product
from pathlib import Path

import pytest
from django.conf import settings

from fablab.core.looks import LOOKS, UNKNOWN_LOOK

STATIC = Path(settings.BASE_DIR) / "fablab" / "static" / "fablab"
TEMPLATES = sorted((Path(settings.BASE_DIR) / "fablab" / "templates").rglob("*.html"))
EVERYWHERE = (STATIC / "fablab.css").read_text()
# Beside it what the desks and the plots have of their own.
CSS = EVERYWHERE + (STATIC / "desk.css").read_text() + (STATIC / "plot.css").read_text()
SCRIPTS = sorted(STATIC.glob("*.js"))

TEXT, GRAPHIC = 4.5, 3.0
GROUNDS = ["paper", "surface", "sunk"]
TONES = ["good", "work", "wait", "fix", "come", "alarm", "off"]
PAIRS: list[tuple[str, str, float]] = [
    *(
        (text, ground, TEXT)
        for text, ground in product(["ink", "ink-soft", "accent", "accent-strong"], GROUNDS)
    ),
    *((tone, ground, TEXT) for tone, ground in product(TONES, ["paper", "surface"])),
    *((tone, f"{tone}-soft", TEXT) for tone in TONES),
    *(("ink", f"{tone}-soft", TEXT) for tone in TONES),
    ("accent", "accent-soft", TEXT),
    ("on-accent", "accent", TEXT),
    ("on-accent", "accent-strong", TEXT),
    ("on-come", "come", TEXT),
    ("on-alarm", "alarm", TEXT),
    ("surface", "fix", TEXT),
    ("paper", "ink", TEXT),
    ("alarm", "alarm-soft", TEXT),
    *(("edge", ground, GRAPHIC) for ground in GROUNDS),
    *((curve, "surface", GRAPHIC) for curve in ("good", "alarm", "accent", "wait")),
]


def tokens(scheme: str) -> dict[str, str]:
    """Return the colours of ``light`` or ``dark``: dark repeats only what differs."""
    blocks = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    assert len(blocks) == 2
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", blocks[0]))
    if scheme == "dark":
        found.update(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", blocks[1]))
    return found


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the WCAG contrast of two colours like "#1f4494", from 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def without_comments(text: str) -> str:
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


def test_contrast_is_computed_as_wcag_says() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("front", "ground", "least"), PAIRS)
def test_every_pair_of_colours_that_meets_can_be_told_apart(
    scheme: str, front: str, ground: str, least: float
) -> None:
    colours = tokens(scheme)
    assert contrast(colours[front], colours[ground]) >= least


def test_dark_redefines_every_colour_of_light() -> None:
    blocks = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    names = [set(re.findall(r"--([\w-]+): #", block)) for block in blocks]
    assert names[0] == names[1]


@pytest.mark.parametrize("kind", ["machine", "job", "booking", "finding"])
def test_no_two_states_of_one_kind_share_an_icon(kind: str) -> None:
    """They differ without colour (UX-14, A11Y-6)."""
    icons = [icon for icon, _ in LOOKS[kind].values()]
    assert len(icons) == len(set(icons))


def test_alarm_tones_mean_that_someone_must_come() -> None:
    called = {
        (kind, code)
        for kind in ("machine", "job", "booking")
        for code, (_, tone) in LOOKS[kind].items()
        if tone in {"come", "alarm"}
    }
    assert called == {
        ("machine", "needs_clearing"),
        ("machine", "needs_help"),
        ("job", "paused"),
        ("booking", "held"),
    }


def test_every_icon_and_tone_of_a_state_exists() -> None:
    from fablab.core.drawings import ICONS

    looks = [look for kind in LOOKS.values() for look in kind.values()] + [UNKNOWN_LOOK]
    assert {icon for icon, _ in looks} <= set(ICONS)
    assert {tone for _, tone in looks if tone} <= set(re.findall(r"\.tone-(\w+)", CSS))


# Chrome 87 brought these; our floor is Chrome 80, Firefox 78, Safari 13.
TOO_NEW_FOR_STYLES = {
    "a direction of the page": r"(?<![\w-])(?:[\w-]+-)?(?:left|right)(?![\w-])",
    "a shorthand of both sides": r"(?:margin|padding|border(?:-\w+)?)-(?:inline|block)\s*:",
    "inset": r"(?<![\w-])inset(?:-[\w-]+)?\s*:",
    ":is, :where, :has": r":(?:is|where|has)\(",
    ":not with a list": r":not\([^()]*,",
    "aspect-ratio": r"aspect-ratio\s*:",
    "clamp": r"clamp\(",
    "logical corners": r"border-(?:start|end)-(?:start|end)-radius",
    "small and dynamic viewports": r"\d[sdl]v[hwib]",
    "container queries": r"@container|@layer|@scope",
    "nesting": r"\{[^{}]*&",
    "colour functions": r"color-mix\(|oklch\(|light-dark\(",
}


@pytest.mark.parametrize("what", TOO_NEW_FOR_STYLES)
def test_styles_use_only_what_old_browsers_know(what: str) -> None:
    found = re.findall(rf".*{TOO_NEW_FOR_STYLES[what]}.*", without_comments(CSS))
    assert not found, f"{what}: {found}"


def test_flex_boxes_have_no_gap_because_safari_13_ignores_it() -> None:
    for selector, body in re.findall(r"([^{}]+)\{([^{}]*)\}", without_comments(CSS)):
        if re.search(r"(?<![\w-])gap\s*:", body):
            assert "grid" in body, f"{selector.strip()} has a gap and is not a grid"
            assert "grid-gap" in body, f"{selector.strip()} needs grid-gap before gap"


# ES2017: what came later breaks the whole file in an old browser.
TOO_NEW_FOR_SCRIPTS = {
    "optional chaining": r"\?\.(?!\d)",
    "nullish coalescing": r"\?\?",
    "logical assignment": r"(?:\|\||&&)=",
    "spread of objects": r"\{\s*\.\.\.|,\s*\.\.\.\w+\s*\}",
    "catch without a name": r"catch\s*\{",
    "private fields": r"(?:this|[{;\s])\.?#\w+\s*[=(;]",
    "numeric separators": r"\d_\d",
    "lookbehind": r"\(\?<[=!]",
    "named groups": r"\(\?<\w",
    "newer methods": r"\.(?:replaceAll|at|flat|flatMap|matchAll|toSorted|finally|allSettled)\(",
    "newer globals": r"\b(?:structuredClone|globalThis|Object\.fromEntries|AbortSignal\.timeout)\b",
    "modules and top-level await": r"^\s*(?:import|export|await)\b",
    "evaluation of text": r"\beval\(|new Function\b",
}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
@pytest.mark.parametrize("what", TOO_NEW_FOR_SCRIPTS)
def test_scripts_use_only_what_old_browsers_know(path: Path, what: str) -> None:
    code = re.sub(r"(?m)//.*$", "", without_comments(path.read_text()))
    found = re.findall(rf"(?m).*{TOO_NEW_FOR_SCRIPTS[what]}.*", code)
    assert not found, f"{path.name}, {what}: {found}"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(settings.BASE_DIR)))
def test_templates_carry_no_inline_style_or_script(path: Path) -> None:
    """The content security policy is ``default-src 'self'`` without unsafe-inline."""
    text = path.read_text()
    assert not re.search(r"\sstyle\s*=", text)
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text)
    assert not re.search(r"<style|javascript:", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))
    assert "http://" not in text
    assert "https://" not in text


def test_styles_fetch_nothing() -> None:
    assert "url(" not in CSS
    assert "@import" not in CSS
    assert "@font-face" not in CSS


def test_styles_and_scripts_stay_light() -> None:
    assert len(EVERYWHERE.encode()) < 40_000
    assert sum(path.stat().st_size for path in SCRIPTS if path.name != "desk.js") < 30_000
    assert sum(path.stat().st_size for path in SCRIPTS) < 60_000  # the desks (A11Y-22: board)
    assert (STATIC / "live.js").stat().st_size < 12_000
