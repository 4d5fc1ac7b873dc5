"""The settings pane, in a browser."""

from __future__ import annotations

import json
import re
import subprocess

import pytest
from playwright.sync_api import Page, expect

from octoprint_server import api_key
from octoprint_uptime import format_uptime, formatting, settings
from page_parts import control, dialog, save
from support import BOTH, ID, OctoPrint, SharePage, entry

LABELS = {
    "show_system_uptime": "Show the host's uptime",
    "show_octoprint_uptime": "Show OctoPrint's uptime",
    "display_format": "Uptime format",
    "poll_interval_seconds": "Refresh every",
    "compact_display": "Show one uptime at a time",
    "compact_toggle_interval_seconds": "Switch every",
    "include_in_systeminfo": "Add the uptimes to System info",
    "restart_log": "Keep a restart log",
}


@pytest.mark.each_octoprint
def test_each_setting_has_a_label_and_help(page: Page) -> None:
    pane = dialog(page)
    assert LABELS.keys() == settings.RULES.keys() - {"mqtt"}  # test_mqtt.py has its checkbox
    expect(control(page, "mqtt")).to_have_count(0)
    for key, label in LABELS.items():
        found = pane.get_by_label(label, exact=True)
        expect(found).to_be_visible()
        assert found.get_attribute("id") == f"octoprint_uptime_{key}"
        assert len(control(page, f"{key}_help").inner_text()) > 15
        assert f"octoprint_uptime_{key}_help" in (found.get_attribute("aria-describedby") or "")


def test_controls_show_saved_values(server: OctoPrint, share_page: SharePage) -> None:
    values = {
        "show_octoprint_uptime": False,
        "display_format": "dh",
        "poll_interval_seconds": 30,
        "compact_toggle_interval_seconds": 20,
        "include_in_systeminfo": False,
    }
    server.save(values).raise_for_status()
    page = share_page(server)
    dialog(page)
    expect(control(page, "show_system_uptime")).to_be_checked()
    expect(control(page, "show_octoprint_uptime")).not_to_be_checked()
    expect(control(page, "display_format")).to_have_value("dh")
    expect(control(page, "poll_interval_seconds")).to_have_value("30")
    expect(control(page, "compact_display")).not_to_be_checked()
    expect(control(page, "compact_toggle_interval_seconds")).to_have_value("20")
    expect(control(page, "include_in_systeminfo")).not_to_be_checked()


@pytest.mark.each_octoprint
def test_changes_take_effect_when_saved_and_only_they_are_sent(server: OctoPrint, page: Page) -> None:
    dialog(page)
    expect(entry(page)).to_have_text(BOTH)
    control(page, "show_octoprint_uptime").uncheck()
    control(page, "display_format").select_option("dhm")
    text = entry(page).inner_text()
    expect(entry(page)).not_to_have_text(text)  # it ticks, in the format that is saved
    expect(entry(page)).to_have_text(BOTH)
    sent = save(page)
    assert sent["plugins"] == {ID: {"show_octoprint_uptime": False, "display_format": "dhm"}}
    expect(entry(page)).to_have_text(re.compile(r"^\s*Host (\d+d )?\d+h \d+m\s*$"))
    assert server.settings() == {**settings.defaults(), "show_octoprint_uptime": False, "display_format": "dhm"}


@pytest.mark.each_octoprint
def test_every_setting_can_be_changed(server: OctoPrint, page: Page) -> None:
    dialog(page)
    control(page, "display_format").select_option("d")
    control(page, "poll_interval_seconds").fill("30")
    control(page, "compact_display").check()
    control(page, "compact_toggle_interval_seconds").fill("7")
    control(page, "include_in_systeminfo").uncheck()
    control(page, "restart_log").uncheck()
    control(page, "show_system_uptime").uncheck()
    control(page, "show_octoprint_uptime").uncheck()
    save(page)
    assert server.settings() == {
        "show_system_uptime": False,
        "show_octoprint_uptime": False,
        "display_format": "d",
        "poll_interval_seconds": 30,
        "compact_display": True,
        "compact_toggle_interval_seconds": 7,
        "include_in_systeminfo": False,
        "restart_log": False,
        "mqtt": False,
    }


@pytest.mark.each_octoprint
def test_closing_discards_changes(server: OctoPrint, page: Page) -> None:
    dialog(page)
    control(page, "display_format").select_option("d")
    control(page, "poll_interval_seconds").fill("9999")
    page.get_by_test_id("settings-close-button").click()
    expect(page.locator("#settings_dialog")).to_be_hidden()
    dialog(page)
    expect(control(page, "display_format")).to_have_value("full")
    expect(control(page, "poll_interval_seconds")).to_have_value("60")
    assert server.settings() == settings.defaults()


def test_controls_without_effect_are_disabled(page: Page) -> None:
    dialog(page)

    def enabled() -> set[str]:
        return {key for key in LABELS if control(page, key).is_enabled()}

    assert enabled() == LABELS.keys() - {"compact_toggle_interval_seconds"}
    control(page, "compact_display").check()
    assert enabled() == LABELS.keys()
    control(page, "show_system_uptime").uncheck()
    assert enabled() == LABELS.keys() - {"compact_display", "compact_toggle_interval_seconds"}
    control(page, "show_octoprint_uptime").uncheck()
    assert enabled() == {"show_system_uptime", "show_octoprint_uptime", "restart_log", "include_in_systeminfo"}


@pytest.mark.parametrize(
    ("key", "low", "high"), [("poll_interval_seconds", 1, 3600), ("compact_toggle_interval_seconds", 5, 60)]
)
def test_number_out_of_range_shows_an_error_and_is_clamped(
    server: OctoPrint, page: Page, key: str, low: int, high: int
) -> None:
    dialog(page)
    control(page, "compact_display").check()
    group = page.locator(".control-group", has=control(page, key))
    error = control(page, f"{key}_error")
    assert f"{low} to {high}" in control(page, f"{key}_help").inner_text()
    for good in (low, high, low + 1):
        control(page, key).fill(str(good))
        expect(error).to_be_hidden()
        expect(group).not_to_have_class(re.compile(r"\berror\b"))
    default = settings.defaults()[key]
    minimum, maximum = (f"Enter {{0}} or {which}. Otherwise, {{0}} will be saved." for which in ("more", "less"))
    whole = "Enter a whole number. Otherwise, {} will be saved."
    for bad, sentence, used in (
        *((low - 1, minimum, low), (-5, minimum, low), (high + 1, maximum, high), (99999, maximum, high)),
        *(("", whole, default), ("7.5", whole, 7), ("1e1", whole, 10), ("1e9", whole, high)),
    ):
        control(page, key).fill(str(bad))
        expect(error).to_have_text(sentence.format(used))
        expect(group).to_have_class(re.compile(r"\berror\b"))
        expect(control(page, key)).to_have_attribute("aria-invalid", "true")
    # The value in the error message is saved.
    for bad, used in ((high + 1, high), ("", default), ("7.5", 7)):
        control(page, key).fill(str(bad))
        expect(error).to_have_text(re.compile(rf"\b{used}\b.* will be saved"))
        save(page)
        assert server.settings()[key] == used
        assert len(server.warnings()) == 1
        dialog(page)
        expect(control(page, key)).to_have_value(str(used))
        expect(error).to_be_hidden()


def test_formats_are_shown_by_example(page: Page) -> None:
    dialog(page)
    options = control(page, "display_format").locator("option").all()
    examples = {option.get_attribute("value") or "": (option.text_content() or "") for option in options}
    assert list(examples) == list(formatting.DISPLAY_FORMATS)
    for name, example in examples.items():
        assert example.partition(" (")[0] == format_uptime(93784, name)


def test_german_pane_has_no_english(server: OctoPrint, share_page: SharePage) -> None:
    page = share_page(server, locale="de-DE")
    expect(page.locator(f"#settings_plugin_{ID}_link")).to_have_text("OctoPrint Uptime")
    pane = dialog(page)
    text = pane.inner_text() + " ".join(pane.locator("option").all_text_contents())
    for english in [*LABELS.values(), "to the", "days only", "seconds.", "How", "Enter a"]:
        assert english not in text
    for german in ["Betriebszeit des Hosts anzeigen", "(sekundengenau)", "(nur Tage)", "1 bis 3600 Sekunden."]:
        assert german in text


def test_preview_follows_unsaved_changes(server: OctoPrint, page: Page) -> None:
    expect(entry(page)).to_have_text(BOTH)
    dialog(page)
    preview = page.locator(f"#{ID}_preview")
    expect(preview).to_have_text(BOTH, use_inner_text=True)
    before = preview.inner_text()
    expect(preview).not_to_have_text(before, use_inner_text=True, timeout=3000)
    control(page, "display_format").select_option("dhm")
    expect(preview).to_have_text(
        re.compile(r"^\s*Host (\d+d )?\d+h \d+m \| OctoPrint \d+h \d+m\s*$"), use_inner_text=True
    )
    control(page, "compact_display").check()
    one = re.compile(r"^\s*(Host (\d+d )?\d+h \d+m|OctoPrint \d+h \d+m)\s*$")
    expect(preview).to_have_text(one, use_inner_text=True)
    control(page, "show_octoprint_uptime").uncheck()
    expect(preview).to_have_text(re.compile(r"^\s*Host (\d+d )?\d+h \d+m\s*$"), use_inner_text=True)
    control(page, "show_system_uptime").uncheck()
    expect(preview).to_have_text("No entry in the navbar", use_inner_text=True)
    # Nothing was saved.
    expect(entry(page)).to_have_text(BOTH)
    assert server.stored() in (None, {}, {"_config_version": 2})


def test_api_example_works_with_a_key(server: OctoPrint, page: Page) -> None:
    pane = dialog(page)
    copy = pane.get_by_role("button", name="Copy API example")
    copy.click()
    expect(pane.get_by_role("status")).to_have_text("Copied.")
    expect(copy).to_be_focused()
    line = page.evaluate("navigator.clipboard.readText()")
    assert page.locator(f"#{ID}_api_example").input_value() == line
    assert line.startswith("curl ")
    assert server.url in line
    assert "api-key-" not in line
    refused = subprocess.run(line, shell=True, capture_output=True, check=True)
    assert json.loads(refused.stdout)["error"]
    granted = subprocess.run(
        line.replace("YOUR_API_KEY", api_key("viewer")), shell=True, capture_output=True, check=True
    )
    assert json.loads(granted.stdout)["uptime_available"] is True


@pytest.mark.parametrize("locale", ["en-US", "de-DE"])
def test_no_text_is_cut_off(server: OctoPrint, share_page: SharePage, locale: str) -> None:
    page = share_page(server, locale=locale)
    pane = dialog(page)
    control(page, "poll_interval_seconds").fill("0")
    for width in (1400, 960):
        page.set_viewport_size({"width": width, "height": 900})
        cut_off = pane.evaluate(
            """pane => {
                const right = pane.getBoundingClientRect().right;
                return [...pane.querySelectorAll("label, legend, span, button, select, h3, div")]
                    .filter(element => element.offsetParent)
                    .filter(element => element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0
                        || element.getBoundingClientRect().right > right + 1)
                    .map(element => element.outerHTML.slice(0, 200));
            }"""
        )
        assert cut_off == []


def test_keyboard_reaches_and_changes_everything(server: OctoPrint, share_page: SharePage) -> None:
    server.save({"compact_display": True}).raise_for_status()
    page = share_page(server)
    dialog(page)
    control(page, "show_system_uptime").focus()
    reached = []
    last = ["poll_interval_seconds", "restart_log", "include_in_systeminfo"]
    shown = [key for key in settings.RULES if key != "mqtt"]  # which needs the MQTT plugin
    for _ in range(len(shown) + 3):
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.textContent"))
        page.keyboard.press("Tab")
    assert reached == [
        *(f"{ID}_{key}" for key in shown if key not in last),
        *(f"{ID}_{key}" for key in last[:2]),
        "Restart log",
        f"{ID}_include_in_systeminfo",
        f"{ID}_api_example",
        "Copy API example",
    ]
    control(page, "show_octoprint_uptime").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.locator("[data-test-id=settings-save]").focus()
    with page.expect_response(
        lambda response: response.url.endswith("/api/settings") and response.request.method == "POST"
    ):
        page.keyboard.press("Enter")
    assert server.settings() == {
        **settings.defaults(),
        "compact_display": True,
        "show_octoprint_uptime": False,
        "display_format": "dhm",
    }


def test_the_restart_log_has_a_section_of_its_own(page: Page) -> None:
    dialog(page)
    section = page.locator("fieldset", has=page.locator("legend", has_text=re.compile("^Restart log$")))
    expect(section.get_by_role("checkbox")).to_have_count(1)
    expect(section.get_by_label("Keep a restart log")).to_be_visible()
    expect(section.get_by_role("button", name="Restart log")).to_be_visible()
