// Words about restarts, the same wherever the page speaks of one; knows no element of the page.
(function () {
    // Modules that the view models share.
    const page = (OctoPrint.plugins.octoprint_uptime._page = {});

    const BRIEF_MS = 2 * 60000; // a span that short is told as one moment

    const NO_BREAK = "\u00a0";

    const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

    // Moments: in milliseconds, or as the API writes them. A day says no more than is needed today.

    const clockOf = (time) => moment(time).format("LT").replace(/ /g, NO_BREAK);

    const dateOf = (time) =>
        moment(time)
            .format("ll")
            .replace(new RegExp(`[,\\s]+${moment().year()}$`), "");

    const daysAgo = (time) => moment().startOf("day").diff(moment(time).startOf("day"), "days");

    const nearDayOf = (time) => [gettext("today"), gettext("yesterday")][daysAgo(time)];

    function momentOf(time) {
        const words = {day: nearDayOf(time), date: dateOf(time), time: clockOf(time)};
        return _.sprintf(
            words.day ? gettext("%(day)s %(time)s") : gettext("%(date)s, %(time)s"),
            words
        );
    }

    const onDayOf = (time) =>
        nearDayOf(time) || _.sprintf(gettext("on %(date)s"), {date: dateOf(time)});

    const atMoment = (time) =>
        _.sprintf(gettext("%(day)s at %(time)s"), {day: onDayOf(time), time: clockOf(time)});

    // Spans: in seconds

    // To the minute, but for less than one.
    const durationOf = (seconds) =>
        OctoPrint.plugins.octoprint_uptime
            .format(seconds < 60 ? seconds : seconds - (seconds % 60))
            .replace(/ 0s$/, "");

    const atLeast = (value) => _.sprintf(gettext("at least %(value)s"), {value});

    function spanOf(leastSeconds, mostSeconds) {
        const [least, most] = [durationOf(leastSeconds), durationOf(mostSeconds)];
        if (least === most) return most;
        const words =
            leastSeconds < 60 ? gettext("up to %(most)s") : gettext("%(least)s to %(most)s");
        return _.sprintf(words, {least, most});
    }

    // "" where it is not known.
    const downtimeOf = ({downtime_seconds_min: least, downtime_seconds_max: most}) =>
        most === null ? "" : spanOf(least, most);

    // Prints

    const percentOf = (progress) => Math.floor(progress) + NO_BREAK + "%";

    const numberOf = (value) => value.toLocaleString(LOCALE.replace("_", "-"));

    const heightOf = (z) => numberOf(z) + NO_BREAK + "mm";

    // A print, and how far it was when it was last seen.
    function printOf({file, progress, z}, unnamed = gettext("a file")) {
        const words = {file: file === null ? unnamed : file};
        if (progress === null) return words.file;
        words.percent = percentOf(progress);
        if (z === null) return _.sprintf(gettext("%(file)s, at least %(percent)s"), words);
        words.z = "Z" + NO_BREAK + heightOf(z);
        return _.sprintf(gettext("%(file)s, at least %(percent)s (%(z)s)"), words);
    }

    // That a print may have gone on, which the printer read from its own storage; or "".
    function unattendedOf({unattended_print}) {
        if (!unattended_print) return "";
        const words = gettext(
            "The printer was printing from its own storage and may have gone on: %(print)s."
        );
        return _.sprintf(words, {print: printOf(unattended_print)});
    }

    // Restarts

    // When the run before it ended, as exactly as is known.
    function whenEnded({clean, ended_after, ended_before, started_at}) {
        if (!ended_after || !ended_before) {
            if (clean && started_at) return atMoment(started_at);
            const [words, time] = ended_after
                ? [gettext("at some time after %(time)s"), ended_after]
                : [gettext("at some time before %(time)s"), ended_before || started_at];
            return time ? _.sprintf(words, {time: momentOf(time)}) : gettext("at an unknown time");
        }
        if (ended_after === ended_before) return atMoment(ended_after);
        const words = {day: onDayOf(ended_after)};
        if (Date.parse(ended_before) - Date.parse(ended_after) <= BRIEF_MS) {
            words.time = clockOf(ended_after);
            return _.sprintf(gettext("%(day)s around %(time)s"), words);
        }
        if (moment(ended_after).isSame(ended_before, "day")) {
            Object.assign(words, {from: clockOf(ended_after), to: clockOf(ended_before)});
            return _.sprintf(gettext("%(day)s between %(from)s and %(to)s"), words);
        }
        Object.assign(words, {from: momentOf(ended_after), to: momentOf(ended_before)});
        return _.sprintf(gettext("between %(from)s and %(to)s"), words);
    }

    const ends = {
        octoprint: () => gettext("OctoPrint stopped unexpectedly"),
        host: () => gettext("The host went down unexpectedly"),
        container: () => gettext("The container went down unexpectedly")
    };
    const endsAt = {
        octoprint: () => gettext("OctoPrint stopped unexpectedly %(when)s"),
        host: () => gettext("The host went down unexpectedly %(when)s"),
        container: () => gettext("The container went down unexpectedly %(when)s")
    };
    const restarted = {
        octoprint: () => gettext("OctoPrint was restarted"),
        host: () => gettext("The host was restarted"),
        container: () => gettext("The container was restarted")
    };
    const restartedAt = {
        octoprint: () => gettext("OctoPrint was restarted %(when)s"),
        host: () => gettext("The host was restarted %(when)s"),
        container: () => gettext("The container was restarted %(when)s")
    };

    const titleOf = (restart) =>
        restart.lost_print
            ? gettext("A print was lost")
            : (restart.clean ? restarted : ends)[restart.kind]();

    // What ended, and when; without a full stop.
    const endOf = (restart) =>
        _.sprintf((restart.clean ? restartedAt : endsAt)[restart.kind](), {
            when: whenEnded(restart)
        });

    function notRunningOf(restart) {
        const time = downtimeOf(restart);
        if (!restart.clean || !time) return "";
        const words =
            restart.kind === "octoprint"
                ? gettext("; it was not running for %(time)s")
                : gettext("; OctoPrint was not running for %(time)s");
        return _.sprintf(words, {time});
    }

    function sentenceOf(restart) {
        const {lost_print} = restart;
        const lost = lost_print
            ? _.sprintf(gettext("; a print was lost: %(print)s"), {print: printOf(lost_print)})
            : "";
        const sentences = [
            endOf(restart) + notRunningOf(restart) + lost + ".",
            unattendedOf(restart)
        ];
        return _.compact(sentences).join(" ");
    }

    // Counts

    const counted = (words, count) => _.sprintf(words, {count});
    const restartsOf = (count) =>
        counted(ngettext("%(count)d restart", "%(count)d restarts", count), count);
    const endsOf = (count) =>
        counted(
            ngettext("%(count)d end without warning", "%(count)d ends without warning", count),
            count
        );
    const lostPrintsOf = (count) =>
        counted(ngettext("%(count)d lost print", "%(count)d lost prints", count), count);

    // The states that a picture shows, in the order of its legend

    const states = {
        running: () => gettext("Running"),
        stopped: () => gettext("Not running"),
        maybe: () => gettext("May have been running"),
        unrecorded: () => gettext("Not recorded"),
        unexpected: () => gettext("End without warning"),
        lost: () => gettext("Lost print")
    };
    const isMark = (state) => ["unexpected", "lost"].includes(state);

    // Of what is shown, which may be in any order and hold a state twice.
    const legendOf = (shown) =>
        Object.keys(states)
            .filter((state) => shown.includes(state))
            .map((state) => ({
                text: states[state](),
                css: isMark(state) ? `octoprint_uptime_mark ${state}` : state
            }));

    // The first minute

    const hasNothingToTell = ({last_restart, recorded_since}) =>
        last_restart === null && (recorded_since === null || daysAgo(recorded_since) === 0);

    // Or "", where that is not known.
    const recordingSince = ({recorded_since}) =>
        recorded_since === null
            ? ""
            : _.sprintf(gettext("Recording since %(time)s."), {time: momentOf(recorded_since)});

    const complain = (text) =>
        new PNotify({title: gettext("OctoPrint Uptime"), text, text_escape: true, type: "error"});

    page.words = {
        complain,
        ...{capital, clockOf, dateOf, momentOf},
        ...{durationOf, spanOf, atLeast, downtimeOf},
        ...{percentOf, numberOf, heightOf, printOf, unattendedOf},
        ...{restartsOf, endsOf, lostPrintsOf, isMark, legendOf},
        ...{whenEnded, titleOf, endOf, sentenceOf, hasNothingToTell, recordingSince}
    };
})();
