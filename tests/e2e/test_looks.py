"""Accessibility of the entry, the popover and the settings."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from accessibility import violations
from crowded_navbar import show_longest, show_others
from page_parts import dialog, popover
from support import BOTH, ID, OctoPrint, SharePage, entry


@pytest.mark.parametrize("locale", ["en-US", "de-DE"])
def test_axe_finds_nothing(crowded_server: OctoPrint, share_page: SharePage, locale: str) -> None:
    page = share_page(crowded_server, locale=locale)
    show_longest(crowded_server, page)
    for others in range(4):
        show_others(page, others)
        assert violations(page, f"#navbar_plugin_{ID}") == []
    entry(page).click()
    expect(popover(page)).to_be_visible()
    assert violations(page, f"#navbar_plugin_{ID}") == []
    entry(page).click()
    dialog(page)
    assert violations(page, f"#settings_plugin_{ID}") == []


def test_axe_finds_a_missing_label(page: Page) -> None:
    entry(page).click()
    popover(page).evaluate("popover => popover.append(document.createElement('input'))")
    (violation,) = violations(page, f"#navbar_plugin_{ID}")
    popover(page).evaluate("popover => popover.lastChild.remove()")
    assert violation.startswith("label: <input>")


def test_reduced_motion_means_no_animation(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    entry(page).click()
    running = page.evaluate(
        f"""() => [...document.querySelectorAll("#navbar_plugin_{ID}, #navbar_plugin_{ID} *")]
            .map(element => getComputedStyle(element))
            .filter(style => parseFloat(style.transitionDuration) > 0 || style.animationName !== "none").length"""
    )
    page.emulate_media(reduced_motion="no-preference")
    assert running == 0


def test_stale_entry_stays_opaque_with_more_contrast(page: Page) -> None:
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
    page.emulate_media(forced_colors="none")
