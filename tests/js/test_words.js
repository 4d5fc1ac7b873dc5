// What the page says about moments, ranges, prints and restarts.
import assert from "node:assert/strict";
import {test} from "node:test";

import {NOTHING_FOUND} from "./answers.js";
import {LANGUAGES, openPage, plain} from "./page.js";

const PRINT = {file: "benchy.gcode", progress: 43.7, z: 12.4};
const RESTART = {
    kind: "host",
    clean: false,
    ...NOTHING_FOUND,
    lost_print: null,
    unattended_print: null,
    ended_after: "2026-11-25T17:55:00Z",
    ended_before: "2026-11-25T18:02:00Z",
    started_at: "2026-11-25T18:04:00Z",
    downtime_seconds_min: 120,
    downtime_seconds_max: 540
};
const CLEAN = {
    clean: true,
    ended_before: RESTART.ended_after,
    started_at: "2026-11-25T17:56:00Z",
    downtime_seconds_min: 60,
    downtime_seconds_max: 60
};

// It is ten to eight in the evening of a Wednesday in Berlin.
const now = "2026-11-25T18:50:00Z";
const pages = Object.fromEntries(LANGUAGES.map((locale) => [locale, openPage({now, locale})]));

// Compare what a function returns in both languages with a table of arguments, English and German.
function check(name, table) {
    LANGUAGES.forEach((locale, column) =>
        test(`${name} in ${locale}`, () => {
            for (const [args, ...texts] of table)
                assert.equal(plain(pages[locale].words[name](...args)), texts[column]);
        })
    );
}

check("momentOf", [
    [["2026-11-24T23:00:00Z"], "12:00 AM today", "heute 00:00"],
    [["2026-11-25T18:04:59Z"], "7:04 PM today", "heute 19:04"],
    [["2026-11-24T22:59:00Z"], "11:59 PM yesterday", "gestern 23:59"],
    [["2026-11-23T22:59:00Z"], "Nov 23, 11:59 PM", "23. Nov. 23:59"],
    [["2026-06-01T12:00:00Z"], "Jun 1, 2:00 PM", "1. Juni 14:00"],
    [["2025-12-31T12:00:00Z"], "Dec 31, 2025, 1:00 PM", "31. Dez. 2025 13:00"]
]);

check("stampOf", [
    [["2026-11-25T18:04:59Z"], "today, 7:04 PM", "heute 19:04"],
    [["2026-11-23T22:59:00Z"], "Nov 23, 11:59 PM", "23. Nov. 23:59"]
]);

check("atMoment", [
    [["2026-11-25T18:04:59Z"], "at 7:04 PM today", "heute um 19:04"],
    [["2026-11-23T22:59:00Z"], "at 11:59 PM on Nov 23", "am 23. Nov. um 23:59"]
]);

check("durationOf", [
    [[0], "0s", "0s"],
    [[59.9], "59s", "59s"],
    [[60], "1m", "1m"],
    [[3599], "59m", "59m"],
    [[3600], "1h 0m", "1h 0m"],
    [[93784], "1d 2h 3m", "1d 2h 3m"]
]);

check("spanOf", [
    [[60, 60], "1m", "1m"],
    [[61, 61], "1m", "1m"],
    [[61, 119], "1m to 2m", "1m bis 2m"],
    [[0, 62], "up to 2m", "bis zu 2m"],
    [[0, 59.2], "up to 1m", "bis zu 1m"],
    [[0, 30.5], "up to 31s", "bis zu 31s"],
    [[3600, 86341], "1h 0m to 1d 0h 0m", "1h 0m bis 1d 0h 0m"],
    [[120, 540], "2m to 9m", "2m bis 9m"],
    [[0, 300], "up to 5m", "bis zu 5m"],
    [[0, 30], "up to 30s", "bis zu 30s"]
]);

check("percentOf", [
    [[43], "43%", "43 %"],
    [[99.5], "99.5%", "99,5 %"]
]);

const at = "2026-11-25T17:55:00Z";
const later = "2026-11-25T17:57:00Z";
const ended = (after, before, clean = false, started = null) => [
    {clean, ended_after: after, ended_before: before, started_at: started}
];

check("whenEnded", [
    [ended(at, at), "at 6:55 PM today", "heute um 18:55"],
    [ended(at, "2026-11-25T17:55:59Z"), "at 6:55 PM today", "heute um 18:55"],
    [
        ended("2026-11-25T17:55:59Z", "2026-11-25T17:56:01Z"),
        "between 6:55 PM and 6:56 PM today",
        "heute zwischen 18:55 und 18:56"
    ],
    [ended(at, later), "between 6:55 PM and 6:57 PM today", "heute zwischen 18:55 und 18:57"],
    [
        ended("2026-11-16T09:00:00Z", "2026-11-16T10:00:00Z"),
        "between 10:00 AM and 11:00 AM on Nov 16",
        "am 16. Nov. zwischen 10:00 und 11:00"
    ],
    [
        ended("2026-11-24T22:10:00Z", "2026-11-25T05:12:00Z"),
        "between 11:10 PM yesterday and 6:12 AM today",
        "zwischen gestern 23:10 und heute 06:12"
    ],
    [ended(null, at, false, later), "sometime before 6:55 PM today", "spätestens heute 18:55"],
    [ended(null, null, false, later), "sometime before 6:57 PM today", "spätestens heute 18:57"],
    [ended(null, null, true, later), "sometime before 6:57 PM today", "spätestens heute 18:57"],
    [ended(at, null), "sometime after 6:55 PM today", "frühestens heute 18:55"],
    [ended(null, null), "at an unknown time", "zu unbekannter Zeit"]
]);

check("printOf", [
    [
        [PRINT],
        "benchy.gcode, at least 43% printed (Z 12.4 mm)",
        "benchy.gcode, mindestens 43 % gedruckt (Z 12,4 mm)"
    ],
    [
        [{...PRINT, z: null}],
        "benchy.gcode, at least 43% printed",
        "benchy.gcode, mindestens 43 % gedruckt"
    ],
    [[{...PRINT, progress: null, z: null}], "benchy.gcode", "benchy.gcode"],
    [
        [{...PRINT, progress: null, z: null, position_bytes: 175}],
        "benchy.gcode, at least 175 bytes of the file printed",
        "benchy.gcode, mindestens 175 Byte der Datei gedruckt"
    ],
    [
        [{...PRINT, progress: null, z: null, position_bytes: 1}],
        "benchy.gcode, at least 1 byte of the file printed",
        "benchy.gcode, mindestens 1 Byte der Datei gedruckt"
    ],
    [
        [{...PRINT, progress: null, position_bytes: 1234567}],
        "benchy.gcode, at least 1,234 KB of the file printed (Z 12.4 mm)",
        "benchy.gcode, mindestens 1.234 KB der Datei gedruckt (Z 12,4 mm)"
    ],
    [[{...PRINT, progress: null, z: null, position_bytes: 0}], "benchy.gcode", "benchy.gcode"],
    [
        [{...PRINT, file: null, progress: 0, z: 0.2}],
        "a file, at least 0% printed (Z 0.2 mm)",
        "eine Datei, mindestens 0 % gedruckt (Z 0,2 mm)"
    ],
    [[{...PRINT, file: "50%.gcode", progress: null}], "50%.gcode", "50%.gcode"],
    [
        [{...PRINT, file: "50%.gcode", z: null}],
        "50%.gcode, at least 43% printed",
        "50%.gcode, mindestens 43 % gedruckt"
    ]
]);

check("sentenceOf", [
    [
        [RESTART],
        "The host went down unexpectedly between 6:55 PM and 7:02 PM today.",
        "Der Host ist heute zwischen 18:55 und 19:02 ausgefallen."
    ],
    [
        [{...RESTART, lost_print: PRINT}],
        "The host went down unexpectedly between 6:55 PM and 7:02 PM today. " +
            "Lost print: benchy.gcode, at least 43% printed (Z 12.4 mm).",
        "Der Host ist heute zwischen 18:55 und 19:02 ausgefallen. " +
            "Verlorener Druck: benchy.gcode, mindestens 43 % gedruckt (Z 12,4 mm)."
    ],
    [
        [{...RESTART, kind: "container", unattended_print: PRINT}],
        "The container went down unexpectedly between 6:55 PM and 7:02 PM today. An unattended print " +
            "may have continued: benchy.gcode, at least 43% printed (Z 12.4 mm).",
        "Der Container ist heute zwischen 18:55 und 19:02 ausgefallen. Ein Druck lief ohne OctoPrint " +
            "womöglich weiter: benchy.gcode, mindestens 43 % gedruckt (Z 12,4 mm)."
    ],
    [
        [{...RESTART, ...CLEAN, kind: "octoprint"}],
        "OctoPrint was shut down at 6:55 PM today (down for 1m).",
        "OctoPrint wurde heute um 18:55 heruntergefahren (war 1m aus)."
    ],
    [
        [{...RESTART, ...CLEAN, lost_print: PRINT}],
        "OctoPrint was shut down at 6:55 PM today, during a print (down for 1m). " +
            "Lost print: benchy.gcode, at least 43% printed (Z 12.4 mm).",
        "OctoPrint wurde heute um 18:55 während eines Drucks heruntergefahren (war 1m aus). " +
            "Verlorener Druck: benchy.gcode, mindestens 43 % gedruckt (Z 12,4 mm)."
    ],
    [
        [{...RESTART, ...CLEAN}],
        "The host was shut down at 6:55 PM today (OctoPrint was down for 1m).",
        "Der Host wurde heute um 18:55 heruntergefahren (OctoPrint war 1m aus)."
    ],
    [
        [{...RESTART, ...CLEAN, kind: "container", downtime_seconds_max: null}],
        "The container was stopped at 6:55 PM today.",
        "Der Container wurde heute um 18:55 gestoppt."
    ]
]);

check("titleOf", [
    [[RESTART], "The host went down unexpectedly", "Der Host ist ausgefallen"],
    [[{...RESTART, ...CLEAN}], "The host was restarted", "Der Host wurde neu gestartet"],
    [
        [{...RESTART, cause: "under_voltage"}],
        "The host went down unexpectedly",
        "Der Host ist ausgefallen"
    ],
    [
        [{...RESTART, cause: "crashed"}],
        "OctoPrint stopped unexpectedly",
        "OctoPrint ist ausgefallen"
    ],
    [
        [{...RESTART, kind: "container", cause: "killed"}],
        "OctoPrint stopped unexpectedly",
        "OctoPrint ist ausgefallen"
    ],
    [
        [{...RESTART, ...CLEAN, kind: "octoprint", cause: "out_of_memory"}],
        "OctoPrint stopped unexpectedly",
        "OctoPrint ist ausgefallen"
    ],
    [
        [{...RESTART, cause: "hung", lost_print: PRINT}],
        "A print was lost",
        "Ein Druck ging verloren"
    ]
]);

// A clean shutdown with a cause is unexpected, too.
check("sentenceOf", [
    [
        [{...RESTART, ...CLEAN, cause: "out_of_memory", lost_print: {...PRINT, z: null}}],
        "OctoPrint stopped unexpectedly at 6:55 PM today. Lost print: benchy.gcode, at least 43% printed.",
        "OctoPrint ist heute um 18:55 ausgefallen. Verlorener Druck: benchy.gcode, mindestens 43 % gedruckt."
    ]
]);

check("recordingSince", [
    [
        [{recorded_since: at}],
        "Recording started at 6:55 PM today.",
        "Die Aufzeichnung begann heute um 18:55."
    ],
    [[{recorded_since: null}], "", ""]
]);

test("there is nothing to show on the first day without a restart", () => {
    const {words} = pages.en;
    assert.equal(words.hasNothingToShow({last_restart: null, recorded_since: null}), true);
    assert.equal(words.hasNothingToShow({last_restart: null, recorded_since: at}), true);
    const yesterday = "2026-11-24T17:55:00Z";
    assert.equal(words.hasNothingToShow({last_restart: null, recorded_since: yesterday}), false);
    assert.equal(words.hasNothingToShow({last_restart: RESTART, recorded_since: at}), false);
});

test("numbers are written in a language with a script and a region", () => {
    const {words} = openPage({now, LOCALE: "zh_Hans_CN"});
    assert.equal(words.numberOf(1234.5), "1,234.5");
});

test("after a day without a midnight, yesterday is yesterday", () => {
    for (const [zone, now, then] of [
        ["Africa/Cairo", "2026-04-25T15:00:00Z", "2026-04-24T12:00:00Z"],
        ["America/Santiago", "2026-09-07T18:00:00Z", "2026-09-06T18:00:00Z"],
        ["Atlantic/Azores", "2026-03-30T18:00:00Z", "2026-03-29T18:00:00Z"]
    ])
        assert.match(openPage({now, zone}).words.momentOf(then), /yesterday$/, zone);
});
