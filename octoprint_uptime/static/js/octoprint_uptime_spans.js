// When OctoPrint and the host were running, worked out from an answer that lists restarts; knows no element and no word.
// Spans are {from, to} in milliseconds since 1970. What is not known is NaN, which no comparison finds.
(function () {
    const DAY_MS = 86400000;
    const STOP_MS = 5 * 60000; // a shorter one, such as a restart for an update, marks no day

    const spanOf = (from, to) => ({from: Date.parse(from), to: Date.parse(to)});
    const isKnown = ({from, to}) => from <= to;

    // Those that overlap or follow each other at once are made one.
    function union(spans) {
        const merged = [];
        _.sortBy(spans.filter(isKnown), "from").forEach(({from, to}) => {
            const last = merged[merged.length - 1];
            if (last && from <= last.to) last.to = Math.max(last.to, to);
            else merged.push({from, to});
        });
        return merged;
    }

    // What is left of them outside the others.
    const without = (spans, others) =>
        others.filter(isKnown).reduce(
            (rest, other) =>
                rest.flatMap(({from, to}) =>
                    [
                        {from, to: Math.min(to, other.from)},
                        {from: Math.max(from, other.to), to}
                    ].filter(({from, to}) => from < to)
                ),
            spans
        );

    // Between them, from a moment to another.
    function between(spans, from, to) {
        const starts = [from, ...spans.map((span) => span.to)];
        const ends = [...spans.map((span) => span.from), to];
        return starts
            .map((start, place) => ({
                from: Math.max(from, start),
                to: Math.min(to, ends[place])
            }))
            .filter(({from, to}) => from < to);
    }

    const lengthWithin = (spans, from, to) =>
        _.sum(spans, (span) => Math.max(0, Math.min(to, span.to) - Math.max(from, span.from)));

    // A run that ended because the log was switched off is in no restart: it went on from the start before that.
    function endedByTheSwitch({restarts, not_recorded, recorded_since}) {
        const starts = [recorded_since, ...restarts.map(({started_at}) => started_at)].map(
            Date.parse
        );
        return not_recorded
            .map(({from}) => Date.parse(from))
            .map((to) => ({from: Math.max(...starts.filter((start) => start <= to)), to}));
    }

    // A history of so many days: the restarts, and spans of when OctoPrint was running, when it may have been, and when
    // anybody knows; `host` is when the host was up, or the container, and `hostMaybe` when it may have been. `uptimes`
    // are in seconds, and whether they are of whole runs, as far as these went.
    function historyOf(answer, days) {
        const now = Date.now();
        const start = now - days * DAY_MS;
        const restarts = answer.restarts.map((restart) => ({
            ...restart,
            run: spanOf(restart.run_started_at, restart.ended_after),
            end: spanOf(restart.ended_after, restart.ended_before),
            gap: spanOf(restart.ended_after, restart.started_at),
            bad: !restart.clean,
            // With which of the two lanes it goes.
            ofHost:
                restart.kind === "host" ||
                (restart.kind === "container" && answer.uptime_scope === "container")
        }));
        const unrecorded = [
            {from: 0, to: Date.parse(answer.recorded_since)},
            ...answer.not_recorded.map(({from, to}) => spanOf(from, to))
        ];
        const current = {from: Date.parse(answer.octoprint_started_at), to: now};
        const switchedOff = endedByTheSwitch(answer);
        const runs = [...restarts.map(({run}) => run), ...switchedOff, current];
        const running = without(union(runs), unrecorded);
        const recorded = without(union([...runs, ...restarts.map(({gap}) => gap)]), unrecorded);
        const boots = restarts.flatMap(
            ({ofHost, run, host_started_at, started_at, run_started_at}) =>
                ofHost
                    ? [run, spanOf(host_started_at, started_at)]
                    : [spanOf(run_started_at, started_at)]
        );
        const bootNow = {from: Date.parse(answer.started_at), to: now};
        const maybe = restarts.filter(({bad}) => bad);
        const uptimeOf = ({from, to}, isAll) => ({seconds: (to - from) / 1000, isAll});
        const uptimes = [
            ...restarts.map(({run, bad}) => uptimeOf(run, !bad)),
            // What was before these days is not listed.
            ...switchedOff.map(({from, to}) => uptimeOf({from: Math.max(from, start), to}, false)),
            uptimeOf(current, true),
            {seconds: 0, isAll: true}
        ].filter(({seconds}) => seconds >= 0);
        return {
            days,
            start,
            now,
            restarts,
            uptimes,
            running,
            recorded,
            maybe: maybe.map(({end}) => end).filter(isKnown),
            host: union([...boots, ...runs, bootNow]),
            hostMaybe: maybe
                .filter(({ofHost}) => ofHost)
                .map(({end}) => end)
                .filter(isKnown)
        };
    }

    const countsOf = ({bad, lost_print}) => ({ends: bad ? 1 : 0, prints: lost_print ? 1 : 0});

    // What a history says of a day: its worst, how much of what is recorded of it OctoPrint ran, and counts.
    function dayOf({now, restarts, running, recorded}, start) {
        const from = +start;
        const to = Math.min(+moment(start).add(1, "day").startOf("day"), now);
        const within = (time) => time >= from && time < to;
        const known = lengthWithin(recorded, from, to);
        const ran = lengthWithin(running, from, to);
        const ended = restarts.filter(({end}) => within(end.from)).map(countsOf);
        const [ends, prints] = [_.sum(ended, "ends"), _.sum(ended, "prints")];
        const stopped = restarts
            .filter(({bad, gap}) => !bad && isKnown(gap))
            .map(({gap}) => lengthWithin([gap], from, to));
        const states = {
            unrecorded: !known,
            lost: prints,
            unexpected: ends,
            stopped: Math.max(0, ...stopped) >= STOP_MS || !ran,
            running: true
        };
        return {
            start,
            isToday: to === now,
            state: _.findKey(states),
            share: known ? ran / known : 1,
            seconds: ran / 1000,
            whole: ran === to - from,
            partly: known < to - from,
            ends,
            prints,
            restarts: restarts.filter(({gap}) => within(gap.to)).length
        };
    }

    OctoPrint.plugins.octoprint_uptime._page.spans = {historyOf, dayOf, countsOf, between};
})();
