// The bars of the popover's strip, and the words of each day.
import assert from "node:assert/strict";
import {test} from "node:test";

import {answer, restart, running, span} from "./answers.js";
import {berlin, openPage, plain} from "./page.js";

const now = berlin("2026-11-25 19:40");
const asking = {askForDays: () => ({load: () => {}, forget: () => {}})};

function openStrip(options, given) {
    const page = openPage(options);
    const strip = page.construct("Strip", asking);
    strip.fromResponse(given);
    return strip;
}

// Return the bars by date.
function days(given, options = {}) {
    const strip = openStrip({now, ...options}, {...answer({to: now, ...given})});
    assert.equal(strip.days().length, 30);
    return Object.fromEntries(
        strip
            .days()
            .map((day) => [
                day.start.format("MM-DD"),
                plain({state: day.state, height: day.height, words: day.words})
            ])
    );
}

const START = "2026-10-25 18:40"; // 31 days earlier
const END = "2026-11-25 19:40";

const MONTH = {
    octoprint: [
        running(START, "2026-11-02 16:10"),
        span("maybe_running", "2026-11-02 16:10", "2026-11-02 17:58"),
        running("2026-11-02 18:00", "2026-11-04 03:12"),
        running("2026-11-04 07:45", "2026-11-10 12:00"),
        span("maybe_running", "2026-11-10 12:00", "2026-11-12 08:59"),
        running("2026-11-12 09:00", "2026-11-15 23:00"),
        running("2026-11-16 08:06", "2026-11-22 11:23"),
        running("2026-11-22 11:24", "2026-11-25 18:55"),
        span("maybe_running", "2026-11-25 18:55", "2026-11-25 19:02"),
        running("2026-11-25 19:04", END)
    ],
    restarts: [
        restart("2026-11-25 18:55", "2026-11-25 19:04", {until: "2026-11-25 19:02", lost: true}),
        restart("2026-11-22 11:23", "2026-11-22 11:24", {kind: "octoprint"}),
        restart("2026-11-15 23:00", "2026-11-16 08:06"),
        restart("2026-11-10 12:00", "2026-11-12 09:00", {until: "2026-11-12 08:59"}),
        restart("2026-11-04 03:12", "2026-11-04 07:45", {lost: true}),
        restart("2026-11-02 16:10", "2026-11-02 18:00", {until: "2026-11-02 17:58"})
    ]
};

test("a bar shows the day's worst and how long OctoPrint ran", () => {
    const found = days(MONTH);
    assert.equal(Object.keys(found).sort()[0], "10-27");
    const expected = {
        "11-25": [
            "lost",
            "25px",
            "Today: 1 unexpected shutdown, 1 lost print, running for 19h 31m to 19h 38m"
        ],
        "11-24": ["running", "25px", "Tue, Nov 24: running all day"],
        // A restart of a minute is no stop.
        "11-22": ["running", "25px", "Sun, Nov 22: 1 restart, running for 23h 59m"],
        "11-16": ["stopped", "17px", "Mon, Nov 16: 1 restart, running for 15h 54m"],
        "11-15": ["stopped", "24px", "Sun, Nov 15: running for 23h 0m"],
        // The end belongs to the day of the last heartbeat; the downtime shortens each day that it covers.
        "11-12": ["running", "16px", "Thu, Nov 12: 1 restart, running for 15h 0m to 23h 59m"],
        "11-11": ["stopped", "0px", "Wed, Nov 11: running for up to 1d 0h 0m"],
        "11-10": [
            "unexpected",
            "13px",
            "Tue, Nov 10: 1 unexpected shutdown, running for 12h 0m to 1d 0h 0m"
        ],
        // A clean shutdown can lose a print, too.
        "11-04": ["lost", "20px", "Wed, Nov 4: 1 lost print, 1 restart, running for 19h 27m"],
        "11-02": [
            "unexpected",
            "23px",
            "Mon, Nov 2: 1 unexpected shutdown, running for 22h 10m to 23h 58m"
        ]
    };
    for (const [date, [state, height, words]] of Object.entries(expected))
        assert.deepEqual(found[date], {state, height, words});
});

test("a clean shutdown with a cause is an unexpected one", () => {
    const found = days({
        octoprint: [running(START, "2026-11-22 11:23"), running("2026-11-22 11:24", END)],
        restarts: [
            restart("2026-11-22 11:23", "2026-11-22 11:24", {
                kind: "octoprint",
                cause: "out_of_memory"
            })
        ]
    });
    assert.equal(found["11-22"].state, "unexpected");
    assert.match(found["11-22"].words, /1 unexpected shutdown/);
});

test("the same in German", () => {
    const found = days(MONTH, {locale: "de"});
    assert.equal(
        found["11-25"].words,
        "Heute: 1 Ausfall, 1 verlorener Druck, lief 19h 31m bis 19h 38m"
    );
    assert.equal(found["11-24"].words, "Di., 24. Nov.: lief den ganzen Tag");
    assert.equal(
        found["11-04"].words,
        "Mi., 4. Nov.: 1 verlorener Druck, 1 Neustart, lief 19h 27m"
    );
});

test("time that was not recorded, or has no trusted clock, is neither up nor down", () => {
    const found = days({
        octoprint: [
            span("not_recorded", START, "2026-11-05 12:00"),
            running("2026-11-05 12:00", "2026-11-11 22:00"),
            span("not_recorded", "2026-11-11 22:00", "2026-11-13 09:00"),
            running("2026-11-13 09:00", "2026-11-14 00:20"),
            running("2026-11-14 10:05", "2026-11-18 12:00"),
            span("unknown", "2026-11-18 12:00", "2026-11-20 10:00"),
            running("2026-11-20 10:00", END)
        ],
        restarts: [restart("2026-11-14 00:20", "2026-11-14 10:05")]
    });
    const part = "part of the day not recorded";
    const expected = {
        "11-04": ["unrecorded", "25px", "Wed, Nov 4: not recorded"],
        "11-05": ["running", "25px", `Thu, Nov 5: running for 12h 0m, ${part}`],
        "11-10": ["running", "25px", "Tue, Nov 10: running all day"],
        "11-11": ["running", "25px", `Wed, Nov 11: running for 22h 0m, ${part}`],
        "11-12": ["unrecorded", "25px", "Thu, Nov 12: not recorded"],
        "11-13": ["running", "25px", `Fri, Nov 13: running for 15h 0m, ${part}`],
        "11-14": ["stopped", "15px", "Sat, Nov 14: 1 restart, running for 14h 15m"],
        "11-18": ["running", "25px", `Wed, Nov 18: running for 12h 0m, ${part}`],
        "11-19": ["unrecorded", "25px", "Thu, Nov 19: not recorded"],
        "11-20": ["running", "25px", `Fri, Nov 20: running for 14h 0m, ${part}`],
        "11-25": ["running", "25px", "Today: running since midnight"]
    };
    for (const [date, [state, height, words]] of Object.entries(expected))
        assert.deepEqual(found[date], {state, height, words});
});

test("a day with nothing but downtime says so", () => {
    const found = days({
        octoprint: [running(START, "2026-11-10 12:00"), running("2026-11-12 09:00", END)],
        restarts: [restart("2026-11-10 12:00", "2026-11-12 09:00")]
    });
    assert.deepEqual(found["11-11"], {
        state: "stopped",
        height: "0px",
        words: "Wed, Nov 11: down all day"
    });
});

test("a restart without a date is counted but not drawn", () => {
    const unknown = {run_started_at: null, ended_after: null, ended_before: null};
    const given = {
        octoprint: [running(START, END)],
        restarts: [
            restart("2026-11-20 00:00", "2026-11-20 12:00", {
                until: "2026-11-20 11:59",
                lost: true,
                ...unknown
            }),
            restart("2026-11-18 12:00", "2026-11-18 13:00", {...unknown, started_at: null})
        ]
    };
    const strip = openStrip({now}, answer({to: now, ...given}));
    assert.deepEqual(plain([...new Set(strip.days().map(({state}) => state))]), ["running"]);
    assert.equal(strip.line(), "1 unexpected shutdown, 1 lost print.");
});

test("the line counts the days, until one of them is picked", () => {
    const strip = openStrip({now}, answer({to: now, ...MONTH}));
    assert.equal(strip.line(), "3 unexpected shutdowns, 2 lost prints.");
    strip.picked(28);
    assert.equal(strip.line(), "Tue, Nov 24: running all day");
    const quiet = openStrip({now}, answer({to: now, octoprint: [running(START, END)]}));
    assert.equal(quiet.line(), "No unexpected shutdowns.");
});

test("the legend has the states of the bars", () => {
    const strip = openStrip({now}, answer({to: now, ...MONTH}));
    assert.deepEqual(plain(strip.states().map(({text}) => text)), [
        "Running",
        "Not running",
        "Unexpected shutdown",
        "Lost print"
    ]);
});

test("availability is that of the days shown", () => {
    const available = (octoprint, locale = "en") =>
        plain(openStrip({now, locale}, answer({to: now, octoprint})).availability());
    assert.equal(available([running(START, END)]), "Availability: 100%");
    // The stop is earlier than the first bar.
    assert.equal(
        available([running(START, "2026-10-26 12:00"), running("2026-10-26 20:00", END)]),
        "Availability: 100%"
    );
    const stop = [running(START, "2026-11-10 12:00"), running("2026-11-11 12:00", END)];
    assert.equal(available(stop), "Availability: 96.6%");
    assert.equal(available(stop, "de"), "Verfügbarkeit: 96,6 %");
    const doubt = span("maybe_running", "2026-11-10 12:00", "2026-11-11 00:00");
    assert.equal(available([stop[0], doubt, stop[1]]), "Availability: 96.6% to 98.4%");
    assert.equal(available([span("not_recorded", START, END)]), "");
});

test("at midnight the day that has ended is yesterday", () => {
    const to = berlin("2026-11-26 00:00");
    const strip = openStrip(
        {now: to},
        answer({to, octoprint: [running(START, "2026-11-26 00:00")]})
    );
    const [yesterday, today] = strip.days().slice(-2);
    assert.deepEqual([yesterday.isToday, today.isToday], [false, true]);
    assert.match(plain(yesterday.words), /Nov 25: running all day$/);
});

test("a log that was just switched off has no bars", () => {
    const strip = openStrip({now}, {...answer({to: now, octoprint: []}), history: null});
    assert.deepEqual(plain(strip.days()), []);
});

test("it asks for 31 days, which hold 30 days of 25 hours", () => {
    const asked = [];
    const strip = openPage({now}).construct("Strip", {
        askForDays: () => ({load: (days) => asked.push(days)})
    });
    strip.load();
    assert.deepEqual(asked, [31]);
});

test("the day on which summer time ends has 25 hours", () => {
    const to = "2026-11-01T12:00:00Z";
    const octoprint = [running("2026-10-01 14:00", "2026-11-01 13:00")];
    const hours = openStrip({now: to}, answer({to, octoprint}))
        .days()
        .map(({running}) => running / 3600);
    assert.equal(hours.filter((each) => each === 25).length, 1);
    assert.deepEqual(plain([...new Set(hours)]), [24, 25, 13]);
});

test("the day on which summer time ends is split at its own noon", () => {
    const to = "2026-11-01T12:00:00Z";
    const octoprint = [running("2026-10-25 12:00", "2026-11-01 13:00")];
    const days = openStrip({now: to}, answer({to, octoprint})).days();
    const hours = Object.fromEntries(
        days.map(({start, running}) => [start.format("MM-DD HH:mm"), running / 3600])
    );
    assert.equal(hours["10-24 00:00"], 0);
    assert.equal(hours["10-25 00:00"], 12);
    assert.equal(hours["10-26 00:00"], 24);
});

test("a day without midnight is a day of 23 hours", () => {
    const to = "2026-09-10T12:00:00Z";
    const zone = "America/Santiago"; // where the 6th began at 01:00
    const given = {
        octoprint: [{state: "running", from: "2026-08-10T12:00:00Z", to}],
        restarts: [
            restart("2026-09-01 00:00", "2026-09-01 00:00", {
                until: "2026-09-01 00:00",
                kind: "octoprint",
                ended_after: "2026-09-07T03:25:00Z", // 00:25 on the 7th
                ended_before: "2026-09-07T04:00:00Z",
                started_at: "2026-09-07T04:00:00Z"
            })
        ]
    };
    const days = openStrip({now: to, zone}, answer({to, ...given})).days();
    const found = days.map(({start, shutdowns, running}) => [
        start.format("MM-DD HH:mm"),
        shutdowns,
        running / 3600
    ]);
    assert.deepEqual(plain(found.slice(-6)), [
        ["09-05 00:00", 0, 24],
        ["09-06 01:00", 0, 23],
        ["09-07 00:00", 1, 24],
        ["09-08 00:00", 0, 24],
        ["09-09 00:00", 0, 24],
        ["09-10 00:00", 0, 9]
    ]);
});

test("a reader's clock that is wrong moves no bar", () => {
    const strip = openStrip({now: "2031-01-01T00:00:00Z"}, answer({to: now, ...MONTH}));
    const last = strip.days()[29];
    assert.equal(last.start.format("YYYY-MM-DD"), "2026-11-25");
    assert.match(plain(last.words), /^Today: 1 unexpected shutdown/);
});
