// The words of the notice.
import assert from "node:assert/strict";
import {test} from "node:test";

import {PRINT, restart} from "./answers.js";
import {berlin, openPage, plain} from "./page.js";

const now = berlin("2026-11-25 19:50");
const LOST = restart("2026-11-25 18:55", "2026-11-25 19:04", {
    until: "2026-11-25 19:02",
    lost: true
});

function newsOf(restart, shutdowns = 1, prints = 1, locale = "en") {
    const {news} = openPage({now, locale});
    const given = {
        unseen_restart: restart,
        unseen_restarts: shutdowns,
        unseen_lost_prints: prints
    };
    const paragraphs = news.paragraphsOf(given);
    return plain({
        title: news.titleOf(given),
        paragraphs: paragraphs.map(({text}) => text),
        bold: paragraphs.filter(({isBold}) => isBold).length
    });
}

const CHECK = "Check your printer: the heaters may still be on.";
const CAUSE = "The cause is unknown. octoprint.log may have clues.";

test("a lost print", () => {
    assert.deepEqual(newsOf(LOST), {
        title: "A print was lost",
        paragraphs: [
            "benchy.gcode, at least 43% (Z 12.4 mm), last recorded at 6:55 PM today. " +
                "The print was not resumed.",
            "The host went down unexpectedly between 6:55 PM and 7:02 PM today. " +
                "OctoPrint came back at 7:04 PM today.",
            CHECK,
            CAUSE
        ],
        bold: 1
    });
});

test("a lost print in German", () => {
    assert.deepEqual(newsOf(LOST, 3, 2, "de"), {
        title: "2 Drucke gingen verloren",
        paragraphs: [
            "Der letzte: benchy.gcode, mindestens 43 % (Z 12,4 mm), zuletzt aufgezeichnet heute um 18:55. " +
                "Der Druck wurde nicht fortgesetzt.",
            "Der Host ist heute zwischen 18:55 und 19:02 ausgefallen. " +
                "OctoPrint ist heute um 19:04 wieder gestartet.",
            "Das ist einer von 3 Ausfällen, die noch nicht erledigt sind. Das Neustart-Protokoll zeigt alle.",
            "Sieh nach dem Drucker: Womöglich heizt er noch.",
            "Die Ursache ist unbekannt. Vielleicht gibt octoprint.log Hinweise."
        ],
        bold: 1
    });
});

test("several lost prints", () => {
    const {title, paragraphs} = newsOf(LOST, 3, 2);
    assert.equal(title, "2 prints were lost");
    assert.match(paragraphs[0], /^The last one: benchy\.gcode/);
    assert.equal(
        paragraphs[2],
        "This is one of 3 unexpected shutdowns that haven't been dismissed. The restart log lists them all."
    );
});

test("a lost print of which little is known", () => {
    const print = {...PRINT, file: null, progress: null, seen_at: null};
    const {paragraphs} = newsOf({...LOST, lost_print: print, started_at: null});
    assert.equal(paragraphs[0], "A file. The print was not resumed.");
    assert.equal(
        paragraphs[1],
        "The host went down unexpectedly between 6:55 PM and 7:02 PM today."
    );
});

test("no lost print", () => {
    assert.deepEqual(newsOf({...LOST, kind: "octoprint", lost_print: null}, 1, 0), {
        title: "OctoPrint stopped unexpectedly",
        paragraphs: [
            "Between 6:55 PM and 7:02 PM today. OctoPrint came back at 7:04 PM today. No print was lost.",
            CAUSE
        ],
        bold: 0
    });
});

test("an unattended print may have continued", () => {
    const restart = {...LOST, kind: "container", lost_print: null, unattended_print: PRINT};
    assert.deepEqual(newsOf(restart, 1, 0), {
        title: "The container went down unexpectedly",
        paragraphs: [
            "Between 6:55 PM and 7:02 PM today. OctoPrint came back at 7:04 PM today. The printer was printing " +
                "from its own storage and may have continued: benchy.gcode, at least 43% (Z 12.4 mm).",
            CHECK,
            CAUSE
        ],
        bold: 1
    });
});
