// Where the restart log's timeline draws the spans of a history.
import assert from "node:assert/strict";
import {test} from "node:test";

import {answer, restart, running, span} from "./answers.js";
import {berlin, openPage, plain} from "./page.js";

const END = "2026-11-25 12:00";
const to = berlin(END);

function timelineOf(given, days = 30, {host = "Host", ...options} = {}) {
    const {spans, timeline} = openPage({now: to, ...options});
    return plain(timeline.of(spans.readHistory(answer({to, days, ...given})), days, host));
}

// Return where a lane's bars of a kind begin and how wide they are, in percent.
const bars = (lane, css) =>
    lane
        .filter((bar) => bar.css === css)
        .map(({place}) => /left: ([^%]+)%; width: calc\(([^%]+)%/.exec(place).slice(1).map(Number));

const marks = (lane, state) => lane.filter(({css}) => css === `octoprint_uptime_mark ${state}`);

test("spans are to scale", () => {
    const {octoprint, host} = timelineOf({
        octoprint: [
            running("2026-11-01 12:00", "2026-11-13 12:00"),
            span("maybe_running", "2026-11-13 12:00", "2026-11-16 12:00"),
            span("unknown", "2026-11-19 12:00", "2026-11-22 12:00"),
            span("not_recorded", "2026-11-22 12:00", "2026-11-24 00:00"),
            running("2026-11-24 00:00", END)
        ],
        host: [running("2026-10-26 12:00", END)]
    });
    assert.deepEqual(bars(octoprint, "running"), [
        [20, 40],
        [95, 5]
    ]);
    assert.deepEqual(bars(octoprint, "maybe"), [[60, 10]]);
    assert.deepEqual(bars(octoprint, "unrecorded"), [
        [80, 10],
        [90, 5]
    ]);
    assert.deepEqual(bars(host, "running"), [[0, 100]]);
});

test("a slit follows each run but the current one", () => {
    const {octoprint} = timelineOf({
        octoprint: [
            running("2026-10-26 12:00", "2026-11-10 12:00"),
            running("2026-11-10 12:01", END)
        ]
    });
    const slits = octoprint.map(({place}) => place.replace(/^.* - /, ""));
    assert.deepEqual(slits, ["1px)", "0px)"]);
});

test("runs too short to be seen become one, and short doubts are not drawn", () => {
    const {octoprint} = timelineOf({
        octoprint: [
            running("2026-11-20 12:00", "2026-11-20 12:10"),
            running("2026-11-20 12:11", "2026-11-20 12:20"),
            span("maybe_running", "2026-11-20 12:20", "2026-11-20 12:21"),
            running("2026-11-20 12:25", "2026-11-20 12:50"),
            running("2026-11-24 12:00", END)
        ]
    });
    assert.equal(bars(octoprint, "running").length, 2);
    assert.equal(bars(octoprint, "maybe").length, 0);
});

test("marks stand in the lane of what went down, lost prints in OctoPrint's", () => {
    const given = {
        octoprint: [running("2026-10-26 12:00", END)],
        restarts: [
            restart("2026-11-20 12:00", "2026-11-20 12:01", {
                until: "2026-11-20 12:01",
                kind: "octoprint"
            }),
            restart("2026-11-18 12:00", "2026-11-18 12:05", {
                until: "2026-11-18 12:04",
                lost: true
            }),
            restart("2026-11-16 12:00", "2026-11-16 12:05", {
                until: "2026-11-16 12:04",
                kind: "container"
            }),
            restart("2026-11-14 12:00", "2026-11-14 12:05", {lost: true}),
            restart("2026-11-12 12:00", "2026-11-12 12:05"),
            restart("2026-11-10 12:00", "2026-11-10 12:05", {
                until: "2026-11-10 12:01",
                ended_after: null
            })
        ]
    };
    const {host, octoprint} = timelineOf(given);
    assert.deepEqual(
        [marks(host, "unexpected"), marks(octoprint, "unexpected"), marks(octoprint, "lost")].map(
            ({length}) => length
        ),
        [1, 2, 2]
    );
    assert.equal(marks(octoprint, "lost")[0].place, "left: 76.66666666666667%");
    const {spans, timeline} = openPage({now: to});
    const inContainer = {...answer({to, days: 30, ...given}), uptime_scope: "container"};
    const lanes = timeline.of(spans.readHistory(inContainer), 30);
    assert.equal(marks(lanes.host, "unexpected").length, 2);
    const titles = plain(marks(lanes.host, "unexpected").map(({title}) => title()));
    assert.equal(titles[0], "A print was lost: between 12:00 PM and 12:04 PM on Nov 18");
});

test("a cause of OctoPrint's own is marked in its lane, also after a clean shutdown", () => {
    const {host, octoprint} = timelineOf({
        octoprint: [running("2026-10-26 12:00", END)],
        restarts: [
            restart("2026-11-20 12:00", "2026-11-20 12:05", {
                until: "2026-11-20 12:04",
                cause: "crashed"
            }),
            restart("2026-11-18 12:00", "2026-11-18 12:05", {
                kind: "octoprint",
                cause: "out_of_memory"
            }),
            restart("2026-11-16 12:00", "2026-11-16 12:05", {
                until: "2026-11-16 12:04",
                cause: "under_voltage"
            })
        ]
    });
    assert.equal(marks(host, "unexpected").length, 1);
    assert.equal(marks(octoprint, "unexpected").length, 2);
});

test("marks that would cover each other become one", () => {
    const {host} = timelineOf({
        octoprint: [running("2026-10-26 12:00", END)],
        restarts: [10, 11, 12].map((minute) =>
            restart(`2026-11-20 12:${minute}`, "2026-11-20 12:20", {until: "2026-11-20 12:15"})
        )
    });
    assert.equal(marks(host, "unexpected").length, 1);
});

test("an end before the range has no mark", () => {
    const {host} = timelineOf({
        octoprint: [running("2026-11-01 12:00", END)],
        restarts: [restart("2026-10-20 12:00", "2026-11-01 12:00", {until: "2026-11-01 11:00"})]
    });
    assert.equal(marks(host, "unexpected").length, 0);
});

test("the legend has what is drawn, and always running and not running", () => {
    const legendOf = (given) => timelineOf(given).legend.map(({text}) => text);
    assert.deepEqual(legendOf({octoprint: [running("2026-10-26 12:00", END)]}), [
        "Running",
        "Not running"
    ]);
    assert.deepEqual(
        legendOf({
            octoprint: [
                span("unknown", "2026-10-26 12:00", "2026-11-01 12:00"),
                span("maybe_running", "2026-11-02 12:00", "2026-11-08 12:00")
            ]
        }),
        ["Running", "Not running", "May have been running", "Not recorded"]
    );
});

test("ticks fit the range", () => {
    const octoprint = [running("2026-11-25 11:00", END)];
    const ticksOf = (days, options) => timelineOf({octoprint}, days, options).ticks;
    assert.deepEqual(ticksOf(1)[0], {left: "0%", text: "12:00 PM"});
    assert.deepEqual(ticksOf(1).at(-1), {left: "100%", text: "Now"});
    assert.deepEqual(
        ticksOf(7).map(({text}) => text),
        ["Nov 18", "Nov 19", "Nov 20", "Nov 21", "Nov 22", "Nov 23", "Nov 24", "Now"]
    );
    assert.deepEqual(
        ticksOf(30).map(({text}) => text),
        ["Oct 26", "Oct 31", "Nov 5", "Nov 10", "Nov 15", "Nov 20", "Now"]
    );
    assert.equal(ticksOf(365)[0].text, "Nov 2025");
    assert.equal(ticksOf(7, {locale: "de"})[0].text, "18. Nov.");
});

test("its label says what a screen reader can't see", () => {
    const octoprint = [running("2026-11-25 11:00", END)];
    assert.equal(
        timelineOf({octoprint}).label,
        "Host and OctoPrint in the last 30 days, as a timeline. The restarts are listed below."
    );
    assert.equal(
        timelineOf({octoprint}, 1, {locale: "de", host: "Container"}).label,
        "Container und OctoPrint in den letzten 24 Stunden als Zeitleiste. Die Neustarts stehen darunter."
    );
});

test("the axis begins where the record begins, and says so", () => {
    const record = (begin, others = []) => ({
        octoprint: [span("not_recorded", "2026-10-26 12:00", begin), ...others],
        host: [span("not_recorded", "2026-10-26 12:00", begin), running(begin, END)]
    });
    const given = record("2026-11-25 09:00", [
        running("2026-11-25 09:00", "2026-11-25 10:00"),
        running("2026-11-25 10:30", END)
    ]);
    const {octoprint, ticks, note, label, legend} = timelineOf(given);
    assert.deepEqual(
        bars(octoprint, "running").map(([left, width]) => [Math.round(left), Math.round(width)]),
        [
            [0, 33],
            [50, 50]
        ]
    );
    assert.deepEqual(
        ticks.map(({text}) => text),
        ["9:00 AM", "9:30 AM", "10:00 AM", "10:30 AM", "11:00 AM", "11:30 AM", "Now"]
    );
    assert.equal(
        note,
        "The timeline begins at 9:00 AM today, because nothing was recorded earlier in this period."
    );
    assert.ok(label.endsWith(note));
    assert.deepEqual(
        legend.map(({text}) => text),
        ["Running", "Not running"]
    );
    assert.equal(
        timelineOf(given, 30, {locale: "de"}).note,
        "Die Zeitleiste beginnt heute um 09:00, weil vorher in diesem Zeitraum nichts aufgezeichnet wurde."
    );
    // Ticks that read the same are one.
    const minutes = timelineOf(record("2026-11-25 11:58", [running("2026-11-25 11:58", END)]));
    assert.deepEqual(
        minutes.ticks.map(({text}) => text),
        ["11:58 AM", "11:59 AM", "Now"]
    );
    const days = timelineOf(record("2026-11-22 12:00", [running("2026-11-22 12:00", END)]));
    assert.deepEqual(
        days.ticks.map(({text}) => text),
        ["Nov 22", "Nov 23", "Nov 24", "Nov 25", "Now"]
    );
});

test("the axis is the range's if that begins with a stop, or nothing is recorded", () => {
    const stopped = timelineOf({octoprint: [running("2026-11-10 12:00", END)]});
    const nothing = timelineOf({octoprint: [span("not_recorded", "2026-10-26 12:00", END)]});
    for (const {ticks, note} of [stopped, nothing]) {
        assert.equal(ticks[0].text, "Oct 26");
        assert.equal(note, "");
    }
    assert.deepEqual(bars(nothing.octoprint, "unrecorded"), [[0, 100]]);
});
