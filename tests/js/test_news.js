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
const CAUSE = "The cause is unknown: the power may have failed, or the host may have hung.";

test("a lost print", () => {
    assert.deepEqual(newsOf(LOST), {
        title: "A print was lost",
        paragraphs: [
            "benchy.gcode, at least 43% printed (Z 12.4 mm), last recorded at 6:55 PM today. " +
                "OctoPrint did not resume the print.",
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
            "Der letzte: benchy.gcode, mindestens 43 % gedruckt (Z 12,4 mm), zuletzt aufgezeichnet heute um 18:55. " +
                "OctoPrint hat den Druck nicht fortgesetzt.",
            "Der Host ist heute zwischen 18:55 und 19:02 ausgefallen. " +
                "OctoPrint ist heute um 19:04 wieder gestartet.",
            "Das ist einer von 3 Ausfällen, die noch nicht erledigt sind. Das Neustart-Protokoll zeigt alle.",
            "Sieh nach dem Drucker: Womöglich heizt er noch.",
            "Die Ursache ist unbekannt: Vielleicht fiel der Strom aus, oder der Host hat sich aufgehängt."
        ],
        bold: 1
    });
});

test("several lost prints", () => {
    const {title, paragraphs} = newsOf(LOST, 3, 2);
    assert.equal(title, "2 prints were lost");
    assert.match(paragraphs[0], /^The most recent: benchy\.gcode/);
    assert.equal(
        paragraphs[2],
        "This is one of 3 unexpected shutdowns that haven't been dismissed. The restart log lists them all."
    );
});

test("a lost print of which little is known", () => {
    const nothing = {file: null, progress: null, position_bytes: null, z: null, seen_at: null};
    const print = {...PRINT, ...nothing};
    const {paragraphs} = newsOf({...LOST, lost_print: print, started_at: null});
    assert.equal(paragraphs[0], "A file. OctoPrint did not resume the print.");
    assert.equal(
        paragraphs[1],
        "The host went down unexpectedly between 6:55 PM and 7:02 PM today."
    );
});

test("no lost print", () => {
    assert.deepEqual(newsOf({...LOST, kind: "octoprint", lost_print: null}, 1, 0), {
        title: "OctoPrint stopped unexpectedly",
        paragraphs: [
            "Between 6:55 PM and 7:02 PM today. OctoPrint came back at 7:04 PM today. " +
                "No print was running at 6:55 PM today.",
            "The cause is unknown: OctoPrint ended while the host kept running."
        ],
        bold: 0
    });
});

test("an unattended print may have continued", () => {
    const restart = {...LOST, kind: "container", lost_print: null, unattended_print: PRINT};
    assert.deepEqual(newsOf(restart, 1, 0), {
        title: "The container went down unexpectedly",
        paragraphs: [
            "Between 6:55 PM and 7:02 PM today. OctoPrint came back at 7:04 PM today. " +
                "An unattended print may have continued: benchy.gcode, at least 43% printed (Z 12.4 mm).",
            CHECK,
            "The cause is unknown: the container stopped while its host kept running."
        ],
        bold: 1
    });
});

test("a print that a clean shutdown cut off", () => {
    const cutOff = restart("2026-11-25 18:55", "2026-11-25 18:56", {
        lost: true,
        kind: "octoprint"
    });
    const {title, paragraphs} = newsOf(cutOff, 0, 1);
    assert.equal(title, "A print was lost");
    assert.deepEqual(paragraphs.slice(1), [
        "OctoPrint was shut down at 6:55 PM today, during a print. OctoPrint came back at 6:56 PM today.",
        CHECK
    ]);
    assert.equal(
        newsOf(cutOff, 0, 1, "de").paragraphs[1],
        "OctoPrint wurde heute um 18:55 während eines Drucks heruntergefahren. " +
            "OctoPrint ist heute um 18:56 wieder gestartet."
    );
    const others = (count, locale) => newsOf(cutOff, count, 1, locale).paragraphs[2];
    assert.equal(
        others(1),
        "There was also 1 unexpected shutdown that hasn't been dismissed. The restart log lists it."
    );
    assert.equal(
        others(2),
        "There were also 2 unexpected shutdowns that haven't been dismissed. The restart log lists them all."
    );
    assert.equal(
        others(2, "de"),
        "Dazu kommen 2 Ausfälle, die noch nicht erledigt sind. Das Neustart-Protokoll zeigt alle."
    );
});

test("an unknown cause has a link, and a known one says what to do", () => {
    const causeOf = (changes) => {
        const restart = {...LOST, lost_print: null, ...changes};
        const {paragraphsOf} = openPage({now}).news;
        const paragraphs = paragraphsOf({unseen_restart: restart, unseen_restarts: 1});
        const {text, link} = paragraphs.at(-1);
        return plain([text, link]);
    };
    assert.deepEqual(causeOf({}), [CAUSE, "https://ajimaru.github.io/OctoPrint-Uptime/why.html"]);
    const crash = {kind: "octoprint", cause: "crashed", cause_proven: true, crashed_in: "gpx"};
    assert.deepEqual(causeOf(crash), [
        "OctoPrint crashed in the plugin gpx. Update or disable gpx. Details are in octoprint.log.",
        null
    ]);
});

test("OctoPrint stopped first, and the host restarted later", () => {
    const restart = {...LOST, lost_print: null, cause: "killed", cause_proven: true};
    const {title, paragraphs} = newsOf(restart, 1, 0);
    assert.equal(title, "OctoPrint stopped unexpectedly");
    assert.equal(
        paragraphs[1],
        "Something on the host killed OctoPrint. The host restarted later. " +
            "Check who or what runs commands on the host."
    );
});

test("a clean shutdown with a cause is one of the unexpected ones", () => {
    const clean = restart("2026-11-25 18:55", "2026-11-25 19:04", {
        kind: "octoprint",
        ...{cause: "out_of_memory", cause_proven: true}
    });
    const {title, paragraphs} = newsOf(clean, 2, 0);
    assert.equal(title, "OctoPrint stopped unexpectedly");
    assert.match(paragraphs[1], /^This is one of 2 unexpected shutdowns/);
    assert.match(paragraphs[2], /^The system stopped OctoPrint because/);
});

test("a lost print says who asked for the shutdown", () => {
    const asked = restart("2026-11-25 18:55", "2026-11-25 18:56", {
        ...{lost: true, kind: "octoprint", asked_by: "update"}
    });
    assert.equal(newsOf(asked, 0, 1).paragraphs.at(-1), "Restarted after an update.");
});

test("once something was printed again, it says nothing about heaters and resuming", () => {
    const {paragraphs} = newsOf({...LOST, printed_since: true});
    assert.equal(
        paragraphs[0],
        "benchy.gcode, at least 43% printed (Z 12.4 mm), last recorded at 6:55 PM today."
    );
    assert.ok(!paragraphs.includes(CHECK));
    const unattended = {...LOST, lost_print: null, unattended_print: PRINT, printed_since: true};
    assert.ok(!newsOf(unattended, 1, 0).paragraphs.includes(CHECK));
});

test("a print is denied only at the last heartbeat", () => {
    const without = {...LOST, lost_print: null, ended_after: null};
    assert.doesNotMatch(newsOf(without, 1, 0).paragraphs.join(" "), /[Pp]rint was/);
    assert.match(
        newsOf({...LOST, lost_print: null}, 1, 0, "de").paragraphs[0],
        /Es lief heute um 18:55 kein Druck\.$/
    );
});

test("the badge counts lost prints, too", () => {
    const nameOf = (unseen_restarts, unseen_lost_prints, locale = "en") => {
        const {construct, ko} = openPage({now, locale});
        const uptime = {label: () => "Host", known: () => true, seconds: () => 1};
        const asking = {
            answer: ko.observable({unseen_restarts, unseen_lost_prints}),
            ...{stale: () => false, saved: () => ({}), permitted: () => true, now: () => 0},
            ...{system: uptime, octoprint: uptime}
        };
        const {isMarked, name} = construct("Navbar", asking, {details: []});
        return [isMarked(), plain(name())];
    };
    assert.deepEqual(nameOf(0, 0), [false, "Uptime:"]);
    assert.deepEqual(nameOf(0, 1), [true, "New: 1 lost print. Uptime:"]);
    assert.deepEqual(nameOf(2, 0), [true, "New: 2 unexpected shutdowns. Uptime:"]);
    assert.deepEqual(nameOf(2, 1, "de"), [
        true,
        "Neu: 2 Ausfälle, 1 verlorener Druck. Betriebszeit:"
    ]);
});
