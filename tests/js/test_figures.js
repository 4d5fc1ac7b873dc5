// The figures of the restart log as text.
import assert from "node:assert/strict";
import {test} from "node:test";

import {FIGURES} from "./answers.js";
import {LANGUAGES, openPage, plain} from "./page.js";

const now = "2026-11-25T18:50:00Z";
const pages = Object.fromEntries(LANGUAGES.map((locale) => [locale, openPage({now, locale})]));

const figuresOf = (changes, locale = "en") =>
    plain(pages[locale].figures.of({...FIGURES, ...changes}));

test("figures that are exact", () => {
    const exact = {running_seconds_min: 95000, unexpected_downtime_seconds_min: 7200};
    assert.deepEqual(figuresOf(exact), {
        restarts: 5,
        shutdowns: 2,
        prints: 3,
        availability: "95%",
        longest: "1d 2h 3m",
        downtime: "2h 0m"
    });
});

test("figures between bounds", () => {
    const inexact = {longest_uptime_is_exact: false};
    assert.deepEqual(figuresOf(inexact), {
        restarts: 5,
        shutdowns: 2,
        prints: 3,
        availability: "90% to 95%",
        longest: "at least 1d 2h 3m",
        downtime: "1h 0m to 2h 0m"
    });
    const german = figuresOf(inexact, "de");
    assert.equal(german.availability, "90 % bis 95 %");
    assert.equal(german.longest, "mindestens 1d 2h 3m");
    assert.equal(german.downtime, "1h 0m bis 2h 0m");
});

test("figures with an unknown part", () => {
    const unknown = {running_seconds_max: null, unexpected_downtime_seconds_max: null};
    assert.equal(figuresOf(unknown).availability, "at least 90%");
    assert.equal(figuresOf(unknown).downtime, "at least 1h 0m");
    const all = {...unknown, unexpected_downtime_seconds_min: 0, longest_uptime_seconds: null};
    assert.equal(figuresOf(all).downtime, "not known");
    assert.equal(figuresOf(all).longest, "not known");
    assert.equal(figuresOf({recorded_seconds: 0}).availability, "not known");
    assert.equal(figuresOf({recorded_seconds: 0}, "de").availability, "unbekannt");
});

test("availability is 100% only if it is all", () => {
    const availabilityOf = (least, most) =>
        plain(
            pages.en.figures.availabilityOf({
                running_seconds_min: least,
                running_seconds_max: most,
                recorded_seconds: 100000
            })
        );
    assert.equal(availabilityOf(100000, 100000), "100%");
    assert.equal(availabilityOf(99999, 99999), "99.9%");
    assert.equal(availabilityOf(99999, 100000), "99.9% to 100%");
    assert.equal(availabilityOf(99049, 99049), "99%");
    assert.equal(availabilityOf(99001, 99049), "99% to 99.1%");
    assert.equal(availabilityOf(98999, 99951), "98.9% to 99.9%");
    assert.equal(availabilityOf(0, 0), "0%");
    assert.equal(
        pages.en.figures.availabilityOf({
            running_seconds_min: 0,
            running_seconds_max: 0,
            recorded_seconds: 0
        }),
        ""
    );
});
