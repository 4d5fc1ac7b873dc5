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
    for (const value of [1, 3600, 60, "60", " 60 ", "+60"])
        assert.equal(problem(value, 1, 3600, 5), "");
});

test("anything else says what is wrong and what will be saved", () => {
    const table = [
        [0, "minimum", 1],
        ["-5", "minimum", 1],
        [3601, "maximum", 3600],
        ["99999", "maximum", 3600],
        ["", "whole", 5],
        [" ", "whole", 5],
        ["abc", "whole", 5],
        ["7.5", "whole", 7],
        ["7.0", "whole", 7],
        ["0.5", "whole", 1],
        ["1e3", "whole", 1000],
        ["1e9", "whole", 3600]
    ];
    const sentences = {
        en: {
            whole: (used) => `Enter a whole number. Otherwise, ${used} will be saved.`,
            maximum: (used) => `Enter ${used} or less. Otherwise, ${used} will be saved.`,
            minimum: (used) => `Enter ${used} or more. Otherwise, ${used} will be saved.`
        },
        de: {
            whole: (used) => `Gib eine ganze Zahl ein. Sonst wird ${used} gespeichert.`,
            maximum: (used) => `Gib höchstens ${used} ein. Sonst wird ${used} gespeichert.`,
            minimum: (used) => `Gib mindestens ${used} ein. Sonst wird ${used} gespeichert.`
        }
    };
    for (const locale of LANGUAGES) {
        const problem = problemOf(locale);
        for (const [value, kind, used] of table)
            assert.equal(problem(value, 1, 3600, 5), sentences[locale][kind](used), value);
    }
});
