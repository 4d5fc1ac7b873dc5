// The restart log's timeline: where the spans of a history lie on it, in percent of its width.
(function () {
    const page = OctoPrint.plugins.octoprint_uptime._page;
    const {words, spans} = page;

    const WIDTH_PX = 700; // about what it has, to tell what is too narrow to be drawn by itself
    const MARK_PX = 4; // two that are nearer are one
    const UNCERTAIN_PX = 2; // a shorter doubt is not drawn

    const TICKS = {1: 6, 7: 7, 30: 6, 365: 6};

    const textOf = {
        1: words.clockOf,
        7: words.dateOf,
        30: words.dateOf,
        365: (time) => moment(time).format("MMM YYYY")
    };

    function ticksOf({days, start: from, now}) {
        const count = TICKS[days];
        return _.range(count + 1).map((n) => ({
            left: (n / count) * 100 + "%",
            text: n === count ? gettext("Now") : textOf[days](from + ((now - from) * n) / count)
        }));
    }

    function lanesOf(history) {
        const {start: from, now, restarts, recorded} = history;
        const pixel = (now - from) / WIDTH_PX;
        const place = (time) => ((Math.max(time, from) - from) / (now - from)) * 100;

        const within = (found) => found.filter(({to}) => to > from);

        // Runs too short to be seen are drawn as one with the next.
        function joined(found) {
            const bars = [];
            found.forEach((span) => {
                const last = bars[bars.length - 1];
                const isNear = last && span.from - last.to < pixel;
                if (isNear && last.to - last.from < pixel) last.to = span.to;
                else bars.push({...span});
            });
            return bars;
        }

        const barOf = (css) => (span) => ({
            css,
            left: place(span.from) + "%",
            // With a slit after a run, so that the shortest restart is seen.
            width: `calc(${place(span.to) - place(span.from)}% - ${css === "running" && span.to < now ? 1 : 0}px)`
        });

        const markOf = (css) => (restart) => ({
            css: "octoprint_uptime_mark " + css,
            left: `clamp(5px, ${place(restart.end.from)}%, 100% - 5px)`,
            width: "",
            title: `${words.titleOf(restart)}: ${words.whenEnded(restart)}`
        });

        const marksOf = (css, found) =>
            _.uniq(
                found.filter(({end}) => end.from > from),
                ({end}) => Math.round((end.from - from) / pixel / MARK_PX)
            ).map(markOf(css));

        const unrecorded = spans.between(recorded, from, now);
        const ground = unrecorded.flatMap((span) =>
            ["ground", "unrecorded"].map((css) => barOf(css)(span))
        );
        const laneOf = (running, maybe, marks) => [
            ...ground,
            ...joined(within(running)).map(barOf("running")),
            ...within(maybe)
                .filter(({from: start, to}) => to - start > UNCERTAIN_PX * pixel)
                .map(barOf("maybe")),
            ...marks
        ];
        const unexpected = restarts.filter(({bad}) => bad);
        const lost = restarts.filter(({lost_print}) => lost_print);
        return {
            host: laneOf(
                history.host,
                history.hostMaybe,
                marksOf(
                    "unexpected",
                    unexpected.filter(({ofHost}) => ofHost)
                )
            ),
            octoprint: laneOf(history.running, history.maybe, [
                ...marksOf(
                    "unexpected",
                    unexpected.filter(({ofHost, lost_print}) => !ofHost && !lost_print)
                ),
                ...marksOf("lost", lost)
            ])
        };
    }

    function timelineOf(history) {
        const {days} = history;
        const lanes = lanesOf(history);
        const drawn = [...lanes.host, ...lanes.octoprint].flatMap(({css}) => css.split(" "));
        return {
            ...lanes,
            ticks: ticksOf(history),
            label: _.sprintf(
                ngettext(
                    "When the host and OctoPrint were running in the last day; the list below says the same in words.",
                    "When the host and OctoPrint were running in the last %(count)d days; the list below says the same in words.",
                    days
                ),
                {count: days}
            ),
            // Where nothing is drawn, nothing was running.
            legend: words.legendOf(["running", "stopped", ...drawn])
        };
    }

    page.timeline = {of: timelineOf};
})();
