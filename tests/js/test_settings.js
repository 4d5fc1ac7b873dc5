// What the settings dialog says about numbers.
import assert from "node:assert/strict";
import {test} from "node:test";

import {LANGUAGES, openPage} from "./page.js";

const problemOf = (locale) => {
    const {construct} = openPage({now: "2026-11-25T18:50:00Z", locale});
    return construct("Settings", {}, {}, {partsOf: () => {}}, {}).problemOf;
};

test("whole numbers of the range are no problem", () => {
    const problem = problemOf("en");
    for (const value of [1, 3600, 60, "60", " 60 ", "6e1"])
        assert.equal(problem(value, 1, 3600, 5), "");
});

test("anything else says what will be saved", () => {
    const table = [
        [0, 1],
        [3601, 3600],
        [-5, 1],
        ["", 5],
        [" ", 5],
        ["abc", 5],
        ["7.5", 7],
        ["0.5", 1],
        ["1e9", 3600]
    ];
    const sentences = {
        en: (used) => `Enter a whole number from 1 to 3600. ${used} will be saved.`,
        de: (used) => `Gib eine ganze Zahl von 1 bis 3600 ein. Gespeichert wird ${used}.`
    };
    for (const locale of LANGUAGES) {
        const problem = problemOf(locale);
        for (const [value, used] of table)
            assert.equal(problem(value, 1, 3600, 5), sentences[locale](used));
    }
});
