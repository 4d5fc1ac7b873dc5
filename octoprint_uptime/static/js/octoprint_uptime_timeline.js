// The restart log's timeline: where the spans of a history lie, in percent of its width.
(function () {
    const page = OctoPrint.plugins.octoprint_uptime._page;
    const {words} = page;

    const WIDTH_PX = 700; // roughly; decides which spans are too narrow to be drawn separately
    const MARK_PX = 4; // marks closer than this are merged
    const UNCERTAIN_PX = 2; // shorter uncertain spans are not drawn

    const DAY_MS = 86400000;
    const EDGE = 0.7; // percent; where a mark still lies within the width

    function tickTextOf(length) {
        if (length <= 1.1 * DAY_MS) return words.clockOf;
        if (length <= 100 * DAY_MS) return words.dateOf;
        return (time) => moment(time).format("MMM YYYY");
    }

    // Leave out a tick with the same text as the previous one.
    function ticksOf({from, to}, days) {
        const count = days === 7 ? 7 : 6;
        const textOf = tickTextOf(to - from);
        const ticks = _.range(count + 1).map((n) => ({
            left: (n / count) * 100 + "%",
            text: n === count ? gettext("Now") : textOf(from + ((to - from) * n) / count)
        }));
        return ticks.filter(({text}, n) => !n || text !== ticks[n - 1].text);
    }

    function recordedPartOf(history) {
        const [first] = history.octoprint;
        const beginsLater =
            first &&
            first.state === "not_recorded" &&
            first.from <= history.from &&
            first.to < history.to;
        const from = beginsLater ? first.to : history.from;
        const cut = (lane) =>
            lane
                .filter(({to}) => to > from)
                .map((span) => ({...span, from: Math.max(span.from, from)}));
        return {...history, from, octoprint: cut(history.octoprint), host: cut(history.host)};
    }

    function lanesOf({from, to: now, octoprint, host, restarts}) {
        const pixel = (now - from) / WIDTH_PX;
        const percentOf = (time) => ((time - from) / (now - from)) * 100;

        // Runs too short to be seen are merged with the next.
        function joined(runs) {
            const bars = [];
            runs.forEach((run) => {
                const last = bars[bars.length - 1];
                const isNear = last && run.from - last.to < pixel;
                if (isNear && last.to - last.from < pixel) last.to = run.to;
                else bars.push({...run});
            });
            return bars;
        }

        const barOf = (css) => (span) => {
            const [left, right] = [span.from, span.to].map(percentOf);
            // A one-pixel gap after each run shows even the shortest restart.
            const gap = css === "running" && span.to < now ? 1 : 0;
            return {css, place: `left: ${left}%; width: calc(${right - left}% - ${gap}px)`};
        };

        const markOf = (css) => (restart) => ({
            css: "octoprint_uptime_mark " + css,
            place: `left: ${Math.min(100 - EDGE, Math.max(EDGE, percentOf(restart.gap.from)))}%`,
            title: () => `${words.titleOf(restart)}: ${words.whenEnded(restart)}`
        });

        const marksOf = (css, isShown) =>
            _.uniq(
                restarts.filter((restart) => restart.gap.from > from && isShown(restart)),
                ({gap}) => Math.round((gap.from - from) / pixel / MARK_PX)
            ).map(markOf(css));

        function barsOf(lane) {
            const spansOf = (...states) => lane.filter(({state}) => states.includes(state));
            return [
                ...spansOf("not_recorded", "unknown").map(barOf("unrecorded")),
                ...joined(spansOf("running")).map(barOf("running")),
                ...spansOf("maybe_running")
                    .filter((span) => span.to - span.from > UNCERTAIN_PX * pixel)
                    .map(barOf("maybe"))
            ];
        }

        return {
            host: [
                ...barsOf(host),
                ...marksOf("unexpected", (restart) => restart.ofHost && words.isUnexpected(restart))
            ],
            octoprint: [
                ...barsOf(octoprint),
                ...marksOf(
                    "unexpected",
                    (restart) =>
                        !restart.ofHost && !restart.lost_print && words.isUnexpected(restart)
                ),
                ...marksOf("lost", ({lost_print}) => lost_print)
            ]
        };
    }

    function draw({css, place, title}) {
        const bar = document.createElement("i");
        bar.className = css;
        bar.style.cssText = place;
        if (title) bar.onmouseover = () => (bar.title = title());
        return bar;
    }

    // `host` is the label of the upper lane.
    function of(wholeHistory, days, host) {
        const history = recordedPartOf(wholeHistory);
        const begins = gettext(
            "The timeline begins %(when)s, because nothing was recorded earlier in this period."
        );
        const isShorter = history.from > wholeHistory.from;
        const note = isShorter ? _.sprintf(begins, {when: words.atMoment(history.from)}) : "";
        const lanes = lanesOf(history);
        const drawn = [...lanes.host, ...lanes.octoprint].flatMap(({css}) => css.split(" "));
        const label = ngettext(
            "%(host)s and OctoPrint in the last day, as a timeline. The restarts are listed below.",
            "%(host)s and OctoPrint in the last %(count)d days, as a timeline. The restarts are listed below.",
            days
        );
        return {
            ...lanes,
            ticks: ticksOf(history, days),
            // Without bindings, because there may be hundreds of bars.
            drawOn: (host, octoprint) => {
                host.append(...lanes.host.map(draw));
                octoprint.append(...lanes.octoprint.map(draw));
            },
            note,
            label: _.compact([_.sprintf(label, {count: days, host}), note]).join(" "),
            // Where nothing is drawn, nothing was running.
            legend: words.legendOf(["running", "stopped", ...drawn])
        };
    }

    page.timeline = {of};
})();
