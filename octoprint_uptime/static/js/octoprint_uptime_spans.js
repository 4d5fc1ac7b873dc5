// Reads an answer's history and splits it by the reader's days.
// Times are milliseconds since 1970 by the server's clock, whose "now" is the end of the history, so a wrong clock on
// the reader's device changes nothing. Only the calendar is the reader's. Unknown times are NaN, for which every
// comparison is false.
(function () {
    const page = OctoPrint.plugins.octoprint_uptime._page;
    const {isUnexpected, whatStopped} = page.words;

    // A day with only shorter stops, such as for an update, isn't "stopped".
    const STOP_MS = 5 * 60000;

    const spanOf = (from, to) => ({from: Date.parse(from), to: Date.parse(to)});

    const lengthWithin = (span, from, to) =>
        Math.max(0, Math.min(to, span.to) - Math.max(from, span.from));

    function readHistory({history, restarts, uptime_scope}) {
        const laneOf = (spans) => spans.map(({from, to, state}) => ({...spanOf(from, to), state}));
        return {
            ...spanOf(history.from, history.to),
            octoprint: laneOf(history.octoprint),
            host: laneOf(history.host),
            figures: history.figures,
            restarts: restarts.map((restart) => ({
                ...restart,
                gap: spanOf(restart.ended_after, restart.started_at),
                // Which of the two lanes shows it
                ofHost: ["host", uptime_scope].includes(whatStopped(restart))
            }))
        };
    }

    const countsOf = (restart) => ({
        shutdowns: isUnexpected(restart) ? 1 : 0,
        prints: restart.lost_print ? 1 : 0
    });

    function stateOf({recorded, prints, shutdowns, hasStop, running}) {
        if (!recorded) return "unrecorded";
        if (prints) return "lost";
        if (shutdowns) return "unexpected";
        if (hasStop || !running) return "stopped";
        return "running";
    }

    // Return what happened on the day that begins at `start`; times are in seconds.
    function dayOf({to: now, restarts, octoprint}, start) {
        const from = +start;
        const to = Math.min(+moment(start).add(1, "day").startOf("day"), now);
        const within = (time) => time >= from && time < to;
        const secondsOf = (...states) =>
            _.sum(
                octoprint.filter(({state}) => states.includes(state)),
                (span) => lengthWithin(span, from, to) / 1000
            );
        const seconds = (to - from) / 1000;
        const ended = restarts.filter(({gap}) => within(gap.from)).map(countsOf);
        const day = {
            start,
            isToday: moment(now).isSame(start, "day"),
            seconds,
            recorded: seconds - secondsOf("not_recorded", "unknown"),
            running: secondsOf("running"),
            maybe: secondsOf("maybe_running"),
            shutdowns: _.sum(ended, "shutdowns"),
            prints: _.sum(ended, "prints"),
            restarts: restarts.filter(({gap}) => within(gap.to)).length,
            hasStop: restarts.some(
                ({clean, gap}) => clean && lengthWithin(gap, from, to) >= STOP_MS
            )
        };
        return {...day, state: stateOf(day)};
    }

    page.spans = {readHistory, dayOf, countsOf};
})();
