// Answers of the API with a history, by moments of Berlin such as "2026-11-25 18:55".
import {berlin} from "./page.js";

// Return a span.
export const span = (state, from, to) => ({state, from: berlin(from), to: berlin(to)});

export const running = (from, to) => span("running", from, to);

// A restart's fields about its cause, if nothing is known.
export const NOTHING_FOUND = {
    asked_by: null,
    cause: null,
    cause_proven: null,
    crashed_in: null,
    under_voltage_at: null,
    memory_available_bytes: null,
    journal: null
};

// Return a restart; it was clean unless the end is only known to be before `until`.
export function restart(
    ended,
    started,
    {until, run = "2026-10-01 00:00", lost = false, ...changes} = {}
) {
    return {
        id: 1,
        kind: "host",
        clean: until === undefined,
        run_started_at: berlin(run),
        ended_after: berlin(ended),
        ended_before: berlin(until || ended),
        host_started_at: berlin(until || started),
        started_at: berlin(started),
        downtime_seconds_min: 60,
        downtime_seconds_max: 60,
        ...NOTHING_FOUND,
        octoprint_version: "1.11.8",
        lost_print: lost ? {...PRINT} : null,
        unattended_print: null,
        dismissed: false,
        ...changes
    };
}

export const PRINT = {
    file: "benchy.gcode",
    path: "parts/benchy.gcode",
    origin: "local",
    progress: 43.7,
    position_bytes: 43700,
    z: 12.4,
    seen_at: "2026-11-25T17:55:00Z",
    started_at: "2026-11-25T13:00:00Z"
};

export const FIGURES = {
    restarts: 5,
    unexpected_shutdowns: 2,
    lost_prints: 3,
    running_seconds_min: 90000,
    running_seconds_max: 95000,
    recorded_seconds: 100000,
    longest_uptime_seconds: 93784,
    longest_uptime_is_exact: true,
    unexpected_downtime_seconds_min: 3600,
    unexpected_downtime_seconds_max: 7200
};

// Return an answer whose range ends at `to` and began `days` times 24 hours earlier.
export function answer({
    to,
    days = 31,
    octoprint,
    host = octoprint,
    restarts = [],
    figures = FIGURES
}) {
    const from = new Date(Date.parse(to) - days * 86400000).toISOString().replace(".000", "");
    return {
        uptime_scope: "host",
        restarts,
        history: {from, to, octoprint, host, figures}
    };
}
