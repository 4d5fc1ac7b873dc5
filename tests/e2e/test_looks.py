"""Whether everybody can read and use what the plugin shows."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from support import BOTH, ID, OctoPrint, OpenPage, entry
from test_popover import popover
from test_room import longest, show_others
from test_settings_dialog import dialog

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
COLOURS = ["default", "red", "orange", "yellow", "green", "blue", "violet", "black", "white"]


def violations(page: Page, selector: str) -> list[str]:
    """What axe-core finds wrong within one element."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("selector => axe.run(selector)", selector)
    assert found["passes"]
    return [
        f"{violation['id']}: {node['html']} {node['failureSummary']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("locale", ["en-US", "de-DE"])
def test_axe_finds_nothing_in_the_entry_the_popover_and_the_settings(
    crowded_server: OctoPrint, open_page: OpenPage, locale: str
) -> None:
    page = open_page(crowded_server, locale=locale, prepare=longest(crowded_server))
    for others in range(4):
        show_others(page, others)
        assert violations(page, f"#navbar_plugin_{ID}") == []
    entry(page).click()
    expect(popover(page)).to_be_visible()
    assert violations(page, f"#navbar_plugin_{ID}") == []
    entry(page).click()
    dialog(page)
    assert violations(page, f"#settings_plugin_{ID}") == []


def test_axe_would_find_something(server: OctoPrint, open_page: OpenPage) -> None:
    page = open_page(server)
    entry(page).click()
    popover(page).evaluate("popover => popover.append(document.createElement('input'))")
    (violation,) = violations(page, f"#navbar_plugin_{ID}")
    assert violation.startswith("label: <input>")


def channels(colour: str) -> list[float]:
    return [float(number) for number in re.findall(r"[\d.]+", colour)]


def luminance(colour: list[float]) -> float:
    parts = [value / 255 for value in colour[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """As WCAG 2 defines it, from 1 to 21."""
    light, dark = sorted((luminance(channels(one)), luminance(channels(other))), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_it_is_readable_with_every_colour_that_octoprint_offers(server: OctoPrint, open_page: OpenPage) -> None:
    page = open_page(server)
    expect(entry(page)).to_have_text(BOTH)
    offered = page.locator("#settings_appearance select:has([value=violet]) option").evaluate_all(
        "options => options.map(o => o.value)"
    )
    assert set(COLOURS) <= set(offered)
    assert {value for value in offered if re.fullmatch("[a-z]{3,}", value)} == set(COLOURS)
    entry(page).click()
    for colour, transparent in itertools.product(COLOURS, (False, True)):
        page.evaluate(
            """([colour, transparent]) => {
                const {settings} = ko.dataFor(document.querySelector("#settings_appearance"));
                settings.appearance.color(colour);
                settings.appearance.colorTransparent(transparent);
            }""",
            [colour, transparent],
        )
        page.wait_for_timeout(100)
        ours, cores, inside, around, gradient = page.evaluate(
            f"""() => {{
                const style = selector => getComputedStyle(document.querySelector(selector));
                return [
                    style("#navbar_plugin_{ID}_button").color,
                    style("#navbar_show_settings").color,
                    style("#navbar_plugin_{ID}_popover p").color,
                    style("#navbar_plugin_{ID}_popover").backgroundColor,
                    style("#navbar .navbar-inner").backgroundImage,
                ];
            }}"""
        )
        assert ours == cores
        assert contrast(inside, around) > 7
        stops = re.findall(r"rgba?\([^)]*\)", gradient)
        assert stops
        # Text of OctoPrint's own colour, so no better than that; never hard to make out.
        assert max(contrast(ours, stop) for stop in stops) > 4.5, (colour, transparent, ours, stops)


def test_nothing_of_it_is_animated(server: OctoPrint, open_page: OpenPage) -> None:
    page = open_page(server, reduced_motion="reduce")
    entry(page).click()
    running = page.evaluate(
        f"""() => [...document.querySelectorAll("#navbar_plugin_{ID}, #navbar_plugin_{ID} *")]
            .map(element => getComputedStyle(element))
            .filter(style => parseFloat(style.transitionDuration) > 0 || style.animationName !== "none").length"""
    )
    assert running == 0


def test_a_stale_entry_is_not_paled_where_contrast_is_asked_for(server: OctoPrint, open_page: OpenPage) -> None:
    page = open_page(server)
    expect(entry(page)).to_have_text(BOTH)
    page.evaluate("OctoPrint.coreui.viewmodels.octoprintUptimeViewModel.onServerDisconnect()")
    expect(entry(page).locator("i.fa-unlink")).to_be_visible()
    expect(entry(page)).to_have_css("opacity", "0.5")
    page.emulate_media(contrast="more")
    expect(entry(page)).to_have_css("opacity", "1")
    page.emulate_media(contrast="no-preference")
    expect(entry(page)).to_have_css("opacity", "0.5")
    page.emulate_media(forced_colors="active")
    expect(entry(page)).to_have_css("opacity", "1")
