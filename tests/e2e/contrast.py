"""Contrast between what the page shows and its background, as WCAG 2 defines it, from 1 to 21."""

from __future__ import annotations

from typing import NamedTuple

from playwright.sync_api import Page

WORDS = 4.5
DRAWN = 3.0

# Elements with these classes of the core need no more contrast than the core's own, since a theme sets both.
CORES = {
    "#navbar .nav > li > a": "#navbar_show_settings",
    **{name: f"#settings_dialog {name}" for name in (".btn", ".close", ".help-block", ".help-inline", ".add-on")},
    ".btn-danger": "#settings_dialog .btn-danger",
    "legend": "#settings_dialog legend",
    "h3": "#settings_dialog h3",
}

_MEASURE = """([roots, cores]) => {
    const context = Object.assign(document.createElement("canvas"), {width: 1, height: 1})
        .getContext("2d", {willReadFrequently: true});

    // Of any colour that CSS knows, such as oklch().
    function rgba(colour) {
        context.clearRect(0, 0, 1, 1);
        context.fillStyle = colour;
        context.fillRect(0, 0, 1, 1);
        const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data;
        return [red, green, blue, alpha / 255];
    }

    const over = ([...top], below, alpha = top[3]) =>
        [0, 1, 2].map(n => top[n] * alpha + below[n] * (1 - alpha));

    function luminance(colour) {
        const [red, green, blue] = colour.map(value => {
            const part = value / 255;
            return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    }

    function contrast(one, other) {
        const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
        return (light + 0.05) / (dark + 0.05);
    }

    // What may be seen behind an element's text: a gradient makes one ground of each of its colours. With
    // the grounds of the half-transparent elements around it, through which both shine.
    function groundsOf(element) {
        const around = [];
        for (let each = element; each; each = each.parentElement) around.unshift(each);
        return around.map(each => getComputedStyle(each)).reduce((grounds, style) => {
            const colours = style.backgroundImage.match(/(?:rgba?|oklch)\\([^()]*\\)/g) || [];
            return grounds.flatMap(({seen, through}) => {
                if (style.opacity < 1) through = [...through, [+style.opacity, seen]];
                const plain = over(rgba(style.backgroundColor), seen);
                const all = colours.length ? colours.map(colour => over(rgba(colour), plain)) : [plain];
                return all.map(seen => ({seen, through}));
            });
        }, [{seen: [255, 255, 255], through: []}]);
    }

    // The lowest contrast of a colour on an element.
    const contrastOn = (element, ink) => Math.min(...groundsOf(element).map(({seen, through}) => {
        const shine = colour => through.reduceRight((mixed, [alpha, below]) => over(mixed, below, alpha), colour);
        return contrast(shine(over(rgba(ink), seen)), shine(seen));
    }));

    const isSeen = element => element.getClientRects().length > 0 && getComputedStyle(element).visibility !== "hidden";

    function wordsIn(root) {
        const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
        const elements = new Set();
        while (walker.nextNode()) if (walker.currentNode.data.trim()) elements.add(walker.currentNode.parentElement);
        return [...elements].filter(isSeen).filter(element => !element.closest("title, option"));
    }

    const inkOf = element => getComputedStyle(element).color;

    // The contrast of the core's own use of the same class, where an element has one of the core's.
    function coresOf(element) {
        const [, selector] = Object.entries(cores).reverse().find(([name]) => element.closest(name)) || [];
        const core = selector && document.querySelector(selector);
        return core ? contrastOn(core, getComputedStyle(core).color) : null;
    }

    // What is drawn on a plate is told by its fill, or by its stripes or its outline.
    const shapesIn = root => [...root.querySelectorAll(".octoprint_uptime_plate i")].filter(isSeen);

    function fillOf(shape) {
        const {backgroundColor, backgroundImage, boxShadow} = getComputedStyle(shape);
        const [drawn] = `${backgroundImage} ${boxShadow}`.match(/rgb\\([^()]*\\)/) || [backgroundColor];
        return drawn;
    }

    const iconsIn = root => [...root.querySelectorAll("i.fas, [class*=icon-]")].filter(isSeen);

    const nameOf = element => `${element.outerHTML.slice(0, 60)} ${element.textContent.trim().slice(0, 30)}`;
    const all = roots.flatMap(root => [...document.querySelectorAll(root)]).filter(isSeen);
    const ofText = kind => element => [nameOf(element), kind, contrastOn(element, inkOf(element)), coresOf(element)];
    return [
        ...all.flatMap(wordsIn).map(ofText("words")),
        ...all.flatMap(iconsIn).map(ofText("drawn")),
        ...all.flatMap(shapesIn).map(shape => [
            `${shape.className} ${nameOf(shape)}`, "drawn", contrastOn(shape.parentElement, fillOf(shape)), null
        ])
    ];
}"""


class Contrast(NamedTuple):
    """The contrast of one element. ``cores`` is the contrast of OctoPrint's own element with that class, if any."""

    element: str
    kind: str
    found: float
    cores: float | None

    @property
    def enough(self) -> bool:
        needed = WORDS if self.kind == "words" else DRAWN
        return self.found >= min(needed, self.cores or needed)


def contrasts(page: Page, *roots: str) -> list[Contrast]:
    """Measure all visible text, icons and shapes within some elements."""
    return [Contrast(*found) for found in page.evaluate(_MEASURE, [roots, CORES])]
