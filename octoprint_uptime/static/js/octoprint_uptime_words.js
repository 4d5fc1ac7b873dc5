// Words about restarts, the same wherever the page speaks of one; knows no element of the page.
$(function () {
    const BRIEF_MS = 15 * 60000; // a shorter span is told as one moment, its middle

    // In seconds; NaN where it is not known.
    const uptimeOf = ({run_started_at, ended_after}) =>
        (Date.parse(ended_after) - Date.parse(run_started_at)) / 1000;

    const durationOf = (seconds) => OctoPrint.plugins.octoprint_uptime.format(seconds);

    const isToday = (time) => time.isSame(moment(), "day");

    const wordsForTime = (time) => time.format(isToday(time) ? "LT" : "lll");

    // A print and how far it was when it was last seen, or nothing without one.
    function printOf(print, unnamed = gettext("A file")) {
        if (!print) return "";
        const file = print.file === null ? unnamed : print.file;
        if (print.progress === null) return file;
        const progress = Math.floor(print.progress);
        return _.sprintf(gettext("%(file)s (at least %(progress)d %%)"), {file, progress});
    }

    // That a print may have gone on, which the printer read from its own storage; or nothing.
    function unattendedOf({unattended_print}) {
        if (!unattended_print) return "";
        const words = gettext(
            "The printer was printing %(print)s from its own storage and may have gone on."
        );
        return _.sprintf(words, {print: printOf(unattended_print, gettext("a file"))});
    }

    // As exactly as is known.
    function endOf({ended_after, ended_before}) {
        if (!ended_after || !ended_before) return gettext("at an unknown time");
        const [after, before] = [moment(ended_after), moment(ended_before)];
        if (before - after > BRIEF_MS) {
            const words = gettext("between %(from)s and %(to)s");
            return _.sprintf(words, {from: wordsForTime(after), to: wordsForTime(before)});
        }
        const middle = moment((after.valueOf() + before.valueOf()) / 2);
        return _.sprintf(gettext("around %(time)s"), {time: wordsForTime(middle)});
    }

    function startOf({started_at}) {
        if (!started_at) return gettext("at an unknown time");
        const time = moment(started_at);
        const words = isToday(time) ? gettext("today at %(time)s") : gettext("on %(time)s");
        return _.sprintf(words, {time: wordsForTime(time)});
    }

    function downtimeOf({downtime_seconds_min: least, downtime_seconds_max: most}) {
        if (most === null) return gettext("an unknown time");
        if (least === most) return durationOf(most);
        const words = gettext("%(least)s to %(most)s");
        return _.sprintf(words, {least: durationOf(least), most: durationOf(most)});
    }

    function sentenceOf(restart) {
        return restart.clean ? cleanSentenceOf(restart) : crashSentenceOf(restart);
    }

    const startedAnew = {
        host: () => gettext("The host was restarted."),
        container: () => gettext("The container was restarted."),
        octoprint: () => gettext("OctoPrint was restarted.")
    };

    function crashSentenceOf(restart) {
        const lost = printOf(restart.lost_print, gettext("a file"));
        const stopped = lost
            ? gettext("OctoPrint stopped unexpectedly %(when)s while printing %(lost)s.")
            : gettext("OctoPrint stopped unexpectedly %(when)s.");
        const sentences = [
            _.sprintf(stopped, {when: endOf(restart), lost}),
            unattendedOf(restart),
            startedAnew[restart.kind]()
        ];
        return _.compact(sentences).join(" ");
    }

    const cleanly = {
        host: () =>
            gettext(
                "The host was last restarted %(when)s; OctoPrint did not run for %(downtime)s."
            ),
        container: () =>
            gettext(
                "The container was last restarted %(when)s; OctoPrint did not run for %(downtime)s."
            ),
        octoprint: () =>
            gettext("OctoPrint was last restarted %(when)s; it did not run for %(downtime)s.")
    };

    function cleanSentenceOf(restart) {
        const lost = printOf(restart.lost_print, gettext("a file"));
        const sentences = [
            _.sprintf(cleanly[restart.kind](), {
                when: startOf(restart),
                downtime: downtimeOf(restart)
            }),
            lost && _.sprintf(gettext("The print of %(lost)s was lost."), {lost}),
            unattendedOf(restart)
        ];
        return _.compact(sentences).join(" ");
    }

    const headings = {
        host: () => [gettext("Host restarted"), gettext("Host went down without warning")],
        container: () => [
            gettext("Container restarted"),
            gettext("Container ended without warning")
        ],
        octoprint: () => [
            gettext("OctoPrint restarted"),
            gettext("OctoPrint ended without warning")
        ]
    };

    function whatHappened(restart) {
        const [restarted, ended] = headings[restart.kind]();
        const unattended = unattendedOf(restart);
        return (restart.clean ? restarted : ended) + (unattended && ". " + unattended);
    }

    function uptimeTextOf(restart) {
        const uptime = uptimeOf(restart);
        if (isNaN(uptime)) return gettext("an unknown time");
        if (restart.clean) return durationOf(uptime);
        return _.sprintf(gettext("at least %(uptime)s"), {uptime: durationOf(uptime)});
    }

    const rowOf = (restart) => ({
        when: restart.started_at
            ? moment(restart.started_at).format("lll")
            : gettext("at an unknown time"),
        what: whatHappened(restart),
        downtime: downtimeOf(restart),
        uptime: uptimeTextOf(restart),
        lost: printOf(restart.lost_print)
    });

    function OctoPrintUptimeWordsViewModel() {
        Object.assign(this, {sentenceOf, rowOf, printOf, uptimeOf, durationOf});
    }

    OCTOPRINT_VIEWMODELS.push({
        construct: OctoPrintUptimeWordsViewModel,
        name: "octoprintUptimeWordsViewModel"
    });
});
