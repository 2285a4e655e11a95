"""Pictures of the gallery for people to look at: ``python -m tests.gallery.shoot FOLDER``."""

import os
import sys
from pathlib import Path
from typing import Literal

import django
from playwright.sync_api import sync_playwright

SIZES = {"phone": (360, 740), "desktop": (1280, 900)}
SCHEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")


def shoot(folder: Path) -> None:
    """Write one picture per size, scheme and language, and the board at 1920 × 1080."""
    from tests.gallery.server import gallery_server

    folder.mkdir(parents=True, exist_ok=True)
    with gallery_server() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for scheme in SCHEMES:
            for name, (width, height) in SIZES.items():
                for language, locale in {"fr": "fr-FR", "ar": "ar-TN"}.items():
                    page = browser.new_page(
                        viewport={"width": width, "height": height}, color_scheme=scheme, locale=locale
                    )
                    page.goto(address)
                    page.screenshot(path=folder / f"{name}-{scheme}-{language}.png", full_page=True)
                    page.close()
            page = browser.new_page(
                viewport={"width": 1920, "height": 1080}, color_scheme=scheme, locale="fr-FR"
            )
            page.goto(f"{address}/board/")
            page.screenshot(path=folder / f"board-{scheme}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fablab.settings")
    django.setup()
    shoot(Path(sys.argv[1] if len(sys.argv) > 1 else "var/screenshots/gallery"))
