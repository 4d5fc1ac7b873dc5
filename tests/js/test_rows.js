// The restart log's rows, their details, and both as text to copy.
import assert from "node:assert/strict";
import {test} from "node:test";

import {PRINT, restart} from "./answers.js";
import {berlin, openPage, plain} from "./page.js";

const now = berlin("2026-11-25 19:50");
const files = {canShow: (print) => Boolean(print), show: () => {}};
const page = openPage({now});

const POWER_CUT = restart("2026-11-25 18:55", "2026-11-25 19:04", {
    until: "2026-11-25 19:02",
    run: "2026-11-25 04:55",
    lost: true,
    downtime_seconds_min: 120,
    downtime_seconds_max: 540
});
const UPDATE = restart("2026-11-24 12:00", "2026-11-24 12:01", {
    kind: "octoprint",
    run: "2026-11-23 12:00"
});

function openRow(restart, options) {
    const row = openPage({now, ...options}).rows.rowOf(restart, files);
    row.toggle(row, {target: {open: true}});
    return row;
}

const detailsOf = (restart, options) =>
    Object.fromEntries(
        openRow(restart, options)
            .details()
            .map(({name, value}) => plain([name, value]))
    );

test("a row says when, what, and how long", () => {
    const {when, title, prints, downtime, isBad, mark} = plain(page.rows.rowOf(POWER_CUT, files));
    assert.deepEqual(
        [when, title, prints, downtime, isBad, mark],
        [
            "Today, 6:55 PM – 7:02 PM",
            "A print was lost",
            ": benchy.gcode, at least 43% printed (Z 12.4 mm)",
            "down for 2m to 9m",
            true,
            "octoprint_uptime_mark lost"
        ]
    );
    const clean = page.rows.rowOf(UPDATE, files);
    assert.equal(plain(clean.when), "Yesterday, 12:00 PM");
    assert.equal(clean.title, "OctoPrint was restarted");
    assert.equal(clean.downtime, "down for 1m");
    assert.equal(clean.isBad, false);
});

test("two moments of a row are one if they read the same", () => {
    const whenOf = (ended_after, ended_before, options) =>
        plain(openRow({...POWER_CUT, ended_after, ended_before}, options).when);
    const table = [
        ["2026-11-24T23:05:00Z", "2026-11-25T01:05:00Z", "Today, 12:05 AM – 2:05 AM"],
        ["2026-11-25T01:05:00Z", "2026-11-25T01:05:20Z", "Today, 2:05 AM"],
        ["2026-11-24T21:05:00Z", "2026-11-25T01:05:00Z", "Yesterday, 10:05 PM – today, 2:05 AM"],
        ["2026-11-24T21:05:00Z", null, "Sometime after 10:05 PM yesterday"]
    ];
    for (const [after, before, text] of table) assert.equal(whenOf(after, before), text);
    assert.equal(
        whenOf("2026-11-24T21:05:00Z", "2026-11-25T01:05:00Z", {locale: "de"}),
        "Gestern 22:05 – heute 02:05"
    );
});

test("a row is built only when it opens", () => {
    const row = page.rows.rowOf(POWER_CUT, files);
    assert.deepEqual(plain(row.details()), []);
    row.toggle(row, {target: {open: true}});
    assert.equal(row.details().length, 10);
});

test("details of a power cut", () => {
    assert.deepEqual(detailsOf(POWER_CUT), {
        "Went down": "Between 6:55 PM and 7:02 PM today",
        "Came back": "At 7:04 PM today",
        Downtime: "2m to 9m",
        "OctoPrint had been up for": "at least 14h 0m",
        "What restarted": "The host",
        "Was printing": "benchy.gcode, started at 2:00 PM today",
        "Print progress":
            "at least 43%, 43 KB of the file, Z 12.4 mm, last recorded at 6:55 PM today",
        Cause: "The cause is unknown: the power may have failed, or the host may have hung.",
        "What to do": "",
        "Version before the restart": "OctoPrint 1.11.8"
    });
});

test("details of a power cut in German", () => {
    assert.deepEqual(detailsOf(POWER_CUT, {locale: "de"}), {
        Gestoppt: "Heute zwischen 18:55 und 19:02",
        "Wieder gestartet": "Heute um 19:04",
        "Lief nicht": "2m bis 9m",
        "OctoPrint lief zuvor": "mindestens 14h 0m",
        "Neu gestartet": "Der Host",
        "Gedruckt wurde": "benchy.gcode, gestartet heute um 14:00",
        Druckfortschritt:
            "mindestens 43 %, 43 KB der Datei, Z 12,4 mm, zuletzt aufgezeichnet heute um 18:55",
        Ursache:
            "Die Ursache ist unbekannt: Vielleicht fiel der Strom aus, oder der Host hat sich aufgehängt.",
        "Was hilft": "",
        "Version vor dem Neustart": "OctoPrint 1.11.8"
    });
});

test("a position stands for a progress that is unknown", () => {
    const lost_print = {...PRINT, progress: null, position_bytes: 175, z: null};
    assert.equal(
        detailsOf({...POWER_CUT, lost_print})["Print progress"],
        "at least 175 bytes of the file, last recorded at 6:55 PM today"
    );
});

test("details of a restart for an update", () => {
    assert.deepEqual(detailsOf(UPDATE), {
        "Went down": "At 12:00 PM yesterday",
        "Came back": "At 12:01 PM yesterday",
        Downtime: "1m",
        "OctoPrint had been up for": "1d 0h 0m",
        "What restarted": "OctoPrint only",
        Cause: "Clean shutdown",
        "Version before the restart": "OctoPrint 1.11.8"
    });
});

test("an unattended print in a container, of which nothing else is known", () => {
    const restart = {
        ...POWER_CUT,
        kind: "container",
        lost_print: null,
        unattended_print: {
            ...PRINT,
            ...{file: null, path: null, progress: null, position_bytes: null, z: null},
            started_at: null
        },
        ...{run_started_at: null, ended_after: null, ended_before: null, started_at: null},
        ...{downtime_seconds_min: null, downtime_seconds_max: null}
    };
    const row = openRow(restart);
    assert.equal(row.when, "At an unknown time");
    assert.equal(row.title, "The container went down unexpectedly");
    assert.equal(row.prints, ". An unattended print may have continued: a file.");
    assert.equal(row.downtime, "");
    assert.equal(row.mark, "octoprint_uptime_mark unexpected");
    assert.equal(row.file, null);
    assert.deepEqual(detailsOf(restart), {
        "Went down": "At an unknown time",
        "What restarted": "The container (the host kept running)",
        "Was printing": "A file",
        Cause: "The cause is unknown: the container stopped while its host kept running.",
        "What to do": "",
        "Version before the restart": "OctoPrint 1.11.8"
    });
});

test("details of a cause", () => {
    const killed = {...POWER_CUT, cause: "out_of_memory", cause_proven: false};
    const {Cause, "What to do": advice} = detailsOf(killed);
    assert.equal(
        Cause,
        "The system probably ended OctoPrint because memory ran out. The host restarted later."
    );
    assert.equal(advice, "Fewer plugins, smaller webcam images or more swap help.");
});

test("only an unknown cause has a link", () => {
    const linksOf = (changes) =>
        openRow({...POWER_CUT, ...changes})
            .details()
            .filter(({link}) => link)
            .map(({name}) => name);
    assert.deepEqual(plain(linksOf({})), ["What to do"]);
    assert.deepEqual(plain(linksOf({journal: "nothing_found"})), ["What to do"]);
    assert.deepEqual(plain(linksOf({journal: "found"})), []);
    assert.deepEqual(plain(linksOf({cause: "killed", journal: "found"})), []);
    assert.deepEqual(
        plain(
            openRow(UPDATE)
                .details()
                .filter(({link}) => link)
        ),
        []
    );
});

test("a clean shutdown says who asked for it", () => {
    assert.equal(detailsOf({...UPDATE, asked_by: "update"}).Cause, "Restarted after an update.");
});

test("a clean shutdown with a cause is marked as unexpected", () => {
    const row = openRow({...UPDATE, cause: "out_of_memory", cause_proven: true});
    assert.equal(row.mark, "octoprint_uptime_mark unexpected");
    assert.equal(row.title, "OctoPrint stopped unexpectedly");
});

// Return the cells of each line of a CSV file whose cells have no line break.
const cellsOf = (csv) =>
    csv
        .trimEnd()
        .split("\r\n")
        .map((line) =>
            [...line.matchAll(/"((?:[^"]|"")*)"(?:,|$)/g)].map(([, cell]) =>
                cell.replaceAll('""', '"')
            )
        );

test("CSV has the API's fields, prints included", () => {
    const [header, powerCut, update, ...rest] = cellsOf(page.rows.csvOf([POWER_CUT, UPDATE]));
    assert.equal(rest.length, 0);
    const found = [powerCut, update].map((cells) => {
        assert.equal(cells.length, header.length);
        return Object.fromEntries(cells.map((cell, place) => [header[place], cell]));
    });
    const textOf = (value) => (value === null ? "" : String(value));
    [POWER_CUT, UPDATE].forEach((restart, place) => {
        for (const [key, value] of Object.entries(restart))
            if (!key.endsWith("_print")) assert.equal(found[place][key], textOf(value), key);
        for (const key of Object.keys(PRINT)) {
            const expected = restart.lost_print ? textOf(PRINT[key]) : "";
            assert.equal(found[place][`lost_print_${key}`], expected, key);
            assert.equal(found[place][`unattended_print_${key}`], "", key);
        }
    });
    const columns = Object.keys(POWER_CUT).length - 2 + 2 * Object.keys(PRINT).length;
    assert.equal(header.length, columns);
});

test("a spreadsheet evaluates no file name", () => {
    for (const start of ["=", "+", "-", "@", "\t"]) {
        const file = `${start}HYPERLINK("https://example.com")`;
        const lost = {...POWER_CUT, lost_print: {...PRINT, file}};
        const [header, cells] = cellsOf(page.rows.csvOf([lost]));
        assert.equal(cells[header.indexOf("lost_print_file")], `'${file}`);
    }
});

test("a negative number stays a number in CSV", () => {
    const lost = {...POWER_CUT, lost_print: {...PRINT, z: -0.1}};
    const [header, cells] = cellsOf(page.rows.csvOf([lost]));
    assert.equal(cells[header.indexOf("lost_print_z")], "-0.1");
});

test("the text to copy has a line for each restart", () => {
    assert.equal(
        plain(page.rows.textOf([POWER_CUT, UPDATE])),
        "- Today, 6:55 PM – 7:02 PM: A print was lost: benchy.gcode, at least 43% printed (Z 12.4 mm), " +
            "down for 2m to 9m. The cause is unknown: the power may have failed, or the host may have hung. " +
            "(OctoPrint 1.11.8)\n" +
            "- Yesterday, 12:00 PM: OctoPrint was restarted, down for 1m (OctoPrint 1.11.8)\n"
    );
});

test("the text to copy says who asked for a restart, and the cause", () => {
    const killed = {...UPDATE, clean: false, cause: "killed", cause_proven: true};
    assert.equal(
        plain(page.rows.textOf([{...UPDATE, asked_by: "update"}, killed])),
        "- Yesterday, 12:00 PM: OctoPrint was restarted, down for 1m. Restarted after an update. " +
            "(OctoPrint 1.11.8)\n" +
            "- Yesterday, 12:00 PM: OctoPrint stopped unexpectedly, down for 1m. " +
            "Something on the host killed OctoPrint. (OctoPrint 1.11.8)\n"
    );
});

test("an unattended print comes after the downtime in the text to copy", () => {
    const unattended = {
        ...UPDATE,
        unattended_print: {...PRINT, progress: null, position_bytes: null, z: null}
    };
    const unknown = {downtime_seconds_min: null, downtime_seconds_max: null};
    assert.equal(
        plain(page.rows.textOf([unattended, {...unattended, ...unknown}])),
        "- Yesterday, 12:00 PM: OctoPrint was restarted, down for 1m. " +
            "An unattended print may have continued: benchy.gcode. (OctoPrint 1.11.8)\n" +
            "- Yesterday, 12:00 PM: OctoPrint was restarted. " +
            "An unattended print may have continued: benchy.gcode. (OctoPrint 1.11.8)\n"
    );
});

test("a lost print without a downtime in the text to copy", () => {
    const lost = {...POWER_CUT, downtime_seconds_min: null, downtime_seconds_max: null};
    assert.equal(
        plain(page.rows.textOf([lost])),
        "- Today, 6:55 PM – 7:02 PM: A print was lost: benchy.gcode, at least 43% printed (Z 12.4 mm). " +
            "The cause is unknown: the power may have failed, or the host may have hung. (OctoPrint 1.11.8)\n"
    );
});
