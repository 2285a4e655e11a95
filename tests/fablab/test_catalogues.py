"""Every sentence is there in three languages: nothing untranslated, nothing doubtful, every figure in its place."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from django.conf import settings

LANGUAGES = ("en", "ar")
PLACES = re.compile(r"\{\w*[^}]*\}|%\(\w+\)s|%%")
MOST_WORDS = 12
FORMS = {"en": 2, "ar": 6}


def catalogue(language: str) -> Catalog:
    path = Path(settings.LOCALE_PATHS[0]) / language / "LC_MESSAGES" / "django.po"
    with path.open() as text:
        return read_po(text, locale=language)


def texts(message: Message) -> list[str]:
    return list(message.string) if isinstance(message.string, tuple) else [str(message.string)]


def sources(message: Message) -> list[str]:
    return list(message.id) if isinstance(message.id, tuple) else [str(message.id)]


@pytest.fixture(scope="module")
def sentences(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Return every sentence that xgettext finds in the programs and templates of this project."""
    assert shutil.which("xgettext"), "xgettext is missing. On Debian: apt-get install gettext"
    folder = tmp_path_factory.mktemp("messages")
    for part in ("fablab", "equipment", "jobs"):
        shutil.copytree(
            settings.BASE_DIR / part,
            folder / part,
            ignore=shutil.ignore_patterns("locale", "static", "__pycache__"),
        )
    (folder / "locale").mkdir()
    subprocess.run(
        ["python", "-m", "django", "makemessages", "-l", "en", "--no-location"],
        cwd=folder,
        check=True,
        capture_output=True,
        env={"PATH": f"{settings.BASE_DIR}/.venv/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    )
    with (folder / "locale" / "en" / "LC_MESSAGES" / "django.po").open() as text:
        return {sources(message)[0] for message in read_po(text) if message.id}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_of_the_project_is_translated_and_none_is_left_over(
    language: str, sentences: set[str]
) -> None:
    known = {sources(message)[0] for message in catalogue(language) if message.id}
    assert sentences - known == set(), "not in the catalogue"
    assert known - sentences == set(), "no page says this any more"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_is_empty_doubtful_or_short_of_a_form(language: str) -> None:
    for message in catalogue(language):
        if message.id:
            assert not message.fuzzy, message.id
            assert all(texts(message)), message.id
            assert len(texts(message)) == (FORMS[language] if isinstance(message.id, tuple) else 1), (
                message.id
            )


@pytest.mark.parametrize("language", LANGUAGES)
def test_figures_and_names_stand_in_every_translation(language: str) -> None:
    for message in catalogue(language):
        wanted = set(PLACES.findall(sources(message)[-1])) if message.id else set()
        for number, text in enumerate(texts(message) if message.id else []):
            # Arabic has a word of its own for one of a thing and for two of it.
            says_itself = language == "ar" and isinstance(message.id, tuple) and number in {1, 2}
            assert set(PLACES.findall(text)) in ([wanted, wanted - {"{n}"}] if says_itself else [wanted]), (
                message.id
            )


def test_sentences_are_short(sentences: set[str]) -> None:
    long = [one for one in sentences for part in re.split(r"[.!?:] ", one) if len(part.split()) > MOST_WORDS]
    assert long == []


AGREED = {
    "Fichier reçu – un animateur va le regarder": (
        "File received – an instructor will look at it",
        "وصلنا ملفك – سيطّلع عليه مشرف",
    ),
    "Raté – on recommence ?": ("It did not work – try again?", "لم ينجح – هل نعيد المحاولة؟"),
    "On vérifie la machine – un animateur regarde": (
        "Checking the machine – an instructor is looking",
        "نتحقق من الآلة – مشرف يتابع الأمر",
    ),
    "Parlons-en : viens voir un animateur": (
        "Let's talk: come and see an instructor",
        "لنتحدث عنه: مشرف في انتظارك",
    ),
    "Plateau vide, lancer": ("Plate clear, start", "السطح فارغ، تشغيل"),
    "Créneau rendu": ("Slot released", "أصبح الموعد متاحًا لغيرك"),
}


@pytest.mark.parametrize("french", list(AGREED))
def test_words_that_people_agreed_on_stay_as_they_are(french: str) -> None:
    for language, text in zip(LANGUAGES, AGREED[french], strict=True):
        message = catalogue(language).get(french)
        assert message is not None
        assert message.string == text
