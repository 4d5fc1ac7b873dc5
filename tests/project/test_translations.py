"""Check that the catalogues are complete, up to date and shipped unchanged, and override no text of OctoPrint's."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

import octoprint_uptime
import translations

INSTALLED = Path(octoprint_uptime.__file__).parent / "translations"


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file)


def messages(catalog: Catalog) -> dict[str, Message]:
    """Return the messages by their text. The key of a plural has both texts."""
    return {
        message.id if isinstance(message.id, str) else " | ".join(message.id): message
        for message in catalog
        if message.id
    }


def strings_of(message: Message) -> list[str]:
    """Return the translation, with its plural if there is one."""
    string = message.string or ""
    return [string] if isinstance(string, str) else [str(each) for each in string]


def strings(catalog: Catalog) -> dict[str, list[str]]:
    return {text: strings_of(message) for text, message in messages(catalog).items()}


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Message]:
    pot = tmp_path_factory.mktemp("pot") / "messages.pot"
    translations.extract(pot)
    return messages(read(pot))


def test_python_templates_and_javascript_are_all_extracted(extracted: dict[str, Message]) -> None:
    assert any("pip install psutil" in text for text in extracted)  # plugin.py
    assert "Show the host's uptime" in extracted  # a template
    assert "Check your printer: the heaters may still be on." in extracted  # the JavaScript


def test_the_template_is_fresh(extracted: dict[str, Message]) -> None:
    assert messages(read(translations.POT)).keys() == extracted.keys()


@pytest.mark.parametrize("language", translations.LANGUAGES)
def test_a_catalogue_is_complete_and_fresh(extracted: dict[str, Message], language: str) -> None:
    catalog = read(translations.catalogue(translations.WORKING, language))
    assert messages(catalog).keys() == extracted.keys()
    assert not catalog.obsolete
    for message in messages(catalog).values():
        assert all(strings_of(message)), f"{message.id!r} is not translated"
        assert not message.fuzzy, f"{message.id!r} is fuzzy"
        assert list(message.check(catalog)) == []


def test_with_nothing_new_make_translations_changes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = {name: tmp_path / name for name in ("WORKING", "SHIPPED")}
    for name, folder in folders.items():
        shutil.copytree(getattr(translations, name), folder)
        monkeypatch.setattr(translations, name, folder)
    monkeypatch.setattr(translations, "POT", folders["WORKING"] / translations.POT.name)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*")}
    assert {path.suffix for path in before} == {".pot", ".po", ".mo"}
    translations.main()
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*")} == before


@pytest.mark.parametrize("language", translations.LANGUAGES)
def test_what_ships_is_the_working_copy(language: str) -> None:
    working = translations.catalogue(translations.WORKING, language)
    for shipped in (translations.catalogue(folder, language) for folder in (translations.SHIPPED, INSTALLED)):
        assert shipped.read_bytes() == working.read_bytes()
        with shipped.with_suffix(".mo").open("rb") as file:
            assert strings(read_mo(file)) == strings(read(working))


def test_no_text_of_octoprints_own_is_translated_anew(
    extracted: dict[str, Message], octoprint_environment: Path
) -> None:
    (catalogue,) = octoprint_environment.glob("lib/*/site-packages/octoprint/translations/de/LC_MESSAGES/messages.po")
    own = messages(read(catalogue))
    assert len(own) > 1000
    assert own.keys() & extracted.keys() == set()
