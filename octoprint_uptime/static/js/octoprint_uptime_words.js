// Words about times, prints and restarts, and how the page reports errors, redraws and copies.
(function () {
    // The modules; this file is loaded first.
    const page = (OctoPrint.plugins.octoprint_uptime._page = {});

    const NO_BREAK = "\u00a0";

    const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

    // Moments: in milliseconds, or as the API writes them. Recent days have names.

    const clockOf = (time) => moment(time).format("LT").replace(/ /g, NO_BREAK);

    const dateOf = (time) =>
        moment(time)
            .format("ll")
            .replace(new RegExp(`[,\\s]+${moment().year()}$`), "");

    // From noon, because some days begin at 1:00.
    const daysAgo = (time) => moment().hour(12).diff(moment(time).startOf("day"), "days");

    const nearDayOf = (time) => [gettext("today"), gettext("yesterday")][daysAgo(time)];

    // For a column: "Nov 23, 11:59 PM", "today, 7:04 PM"
    const stampOf = (time) =>
        _.sprintf(gettext("%(date)s, %(time)s"), {
            date: nearDayOf(time) || dateOf(time),
            time: clockOf(time)
        });

    // For a sentence, after "since" and the like: "7:04 PM today"
    const momentOf = (time) =>
        nearDayOf(time)
            ? _.sprintf(gettext("%(time)s %(day)s"), {day: nearDayOf(time), time: clockOf(time)})
            : stampOf(time);

    const onDayOf = (time) =>
        nearDayOf(time) || _.sprintf(gettext("on %(date)s"), {date: dateOf(time)});

    // "at 7:04 PM today"
    const atMoment = (time) =>
        _.sprintf(gettext("at %(time)s %(day)s"), {day: onDayOf(time), time: clockOf(time)});

    // Ranges

    function rangeOf(least, most) {
        return least === most ? most : _.sprintf(gettext("%(least)s to %(most)s"), {least, most});
    }

    const atLeast = (value) => _.sprintf(gettext("at least %(value)s"), {value});

    // Round down to minutes, or to seconds below a minute. Pass Math.ceil for a maximum.
    function durationOf(seconds, round = Math.floor) {
        const rounded = round(seconds < 60 ? seconds : round(seconds / 60) * 60);
        return OctoPrint.plugins.octoprint_uptime.format(rounded).replace(/ 0s$/, "");
    }

    function spanOf(leastSeconds, mostSeconds) {
        const isExact = leastSeconds === mostSeconds;
        const least = durationOf(leastSeconds);
        const most = isExact ? least : durationOf(mostSeconds, Math.ceil);
        return least !== most && leastSeconds < 60
            ? _.sprintf(gettext("up to %(most)s"), {most})
            : rangeOf(least, most);
    }

    // "" if it is unknown.
    const downtimeOf = ({downtime_seconds_min: least, downtime_seconds_max: most}) =>
        most === null ? "" : spanOf(least, most);

    // Prints

    const numberOf = (value) => value.toLocaleString(LOCALE.replace(/_/g, "-"));

    const percentOf = (value) => _.sprintf(gettext("%(number)s%%"), {number: numberOf(value)});

    const progressOf = (progress) => percentOf(Math.floor(progress));

    const heightOf = (z) => numberOf(z) + NO_BREAK + "mm";

    // "" at the beginning of the file.
    function positionOf({position_bytes: count}) {
        if (!count) return "";
        if (count < 1000) {
            const words = ngettext(
                "%(count)d byte of the file",
                "%(count)d bytes of the file",
                count
            );
            return _.sprintf(words, {count});
        }
        const kilobytes = numberOf(Math.floor(count / 1000));
        return _.sprintf(gettext("%(kilobytes)s KB of the file"), {kilobytes});
    }

    function printOf(print, unnamed = gettext("a file")) {
        const {file, progress, z} = print;
        const words = {file: file === null ? unnamed : file};
        words.progress = progress === null ? positionOf(print) : progressOf(progress);
        if (!words.progress) return words.file;
        const height = z === null ? "" : ` (Z${NO_BREAK}${heightOf(z)})`;
        return _.sprintf(gettext("%(file)s, at least %(progress)s printed"), words) + height;
    }

    function unattendedOf({unattended_print}) {
        if (!unattended_print) return "";
        const words = gettext("An unattended print may have continued: %(print)s.");
        return _.sprintf(words, {print: printOf(unattended_print)});
    }

    // Restarts

    // Return when a run ended.
    function whenEnded({ended_after: after, ended_before: before, started_at}) {
        if (!after || !before) {
            const [words, time] = after
                ? [gettext("sometime after %(time)s"), after]
                : [gettext("sometime before %(time)s"), before || started_at];
            return time ? _.sprintf(words, {time: momentOf(time)}) : gettext("at an unknown time");
        }
        if (moment(after).isSame(before, "minute")) return atMoment(after);
        if (moment(after).isSame(before, "day"))
            return _.sprintf(gettext("between %(from)s and %(to)s %(day)s"), {
                day: onDayOf(after),
                from: clockOf(after),
                to: clockOf(before)
            });
        return _.sprintf(gettext("between %(from)s and %(to)s"), {
            from: momentOf(after),
            to: momentOf(before)
        });
    }

    const wentDown = {
        octoprint: () => gettext("OctoPrint stopped unexpectedly"),
        host: () => gettext("The host went down unexpectedly"),
        container: () => gettext("The container went down unexpectedly")
    };
    const wentDownAt = {
        octoprint: () => gettext("OctoPrint stopped unexpectedly %(when)s"),
        host: () => gettext("The host went down unexpectedly %(when)s"),
        container: () => gettext("The container went down unexpectedly %(when)s")
    };
    const restarted = {
        octoprint: () => gettext("OctoPrint was restarted"),
        host: () => gettext("The host was restarted"),
        container: () => gettext("The container was restarted")
    };
    const shutDownAt = {
        octoprint: () => gettext("OctoPrint was shut down %(when)s"),
        host: () => gettext("The host was shut down %(when)s"),
        container: () => gettext("The container was stopped %(when)s")
    };

    // A clean shutdown with a cause counts, too: the system stopped OctoPrint because something had gone wrong.
    const isUnexpected = ({clean, cause}) => !clean || Boolean(cause);

    // Whether OctoPrint stopped by itself, before the host or the container restarted.
    const stoppedFirst = ({kind, cause}) =>
        kind !== "octoprint" && Boolean(cause) && cause !== "under_voltage";

    const whatStopped = (restart) => (stoppedFirst(restart) ? "octoprint" : restart.kind);

    const titleOf = (restart) =>
        restart.lost_print
            ? gettext("A print was lost")
            : (isUnexpected(restart) ? wentDown : restarted)[whatStopped(restart)]();

    const wasCutOff = (restart) => restart.lost_print && !isUnexpected(restart);

    // Return what ended, and when; without a full stop.
    function endOf(restart) {
        const words = wasCutOff(restart)
            ? gettext("OctoPrint was shut down %(when)s, during a print")
            : (isUnexpected(restart) ? wentDownAt : shutDownAt)[whatStopped(restart)]();
        return _.sprintf(words, {when: whenEnded(restart)});
    }

    function downOf(restart) {
        const time = downtimeOf(restart);
        if (isUnexpected(restart) || !time) return "";
        const words =
            restart.kind === "octoprint" || wasCutOff(restart)
                ? gettext(" (down for %(time)s)")
                : gettext(" (OctoPrint was down for %(time)s)");
        return _.sprintf(words, {time});
    }

    function sentenceOf(restart) {
        const {lost_print} = restart;
        return _.compact([
            endOf(restart) + downOf(restart) + ".",
            lost_print &&
                _.sprintf(gettext("Lost print: %(print)s."), {print: printOf(lost_print)}),
            unattendedOf(restart)
        ]).join(" ");
    }

    // Counts

    const counted = (words, count) => _.sprintf(words, {count});
    const restartsOf = (count) =>
        counted(ngettext("%(count)d restart", "%(count)d restarts", count), count);
    const shutdownsOf = (count) =>
        counted(
            ngettext("%(count)d unexpected shutdown", "%(count)d unexpected shutdowns", count),
            count
        );
    const lostPrintsOf = (count) =>
        counted(ngettext("%(count)d lost print", "%(count)d lost prints", count), count);

    // The states that a chart shows, in the order of its legend

    const states = {
        running: () => gettext("Running"),
        stopped: () => gettext("Not running"),
        maybe: () => gettext("May have been running"),
        unrecorded: () => gettext("Not recorded"),
        unexpected: () => gettext("Unexpected shutdown"),
        lost: () => gettext("Lost print")
    };
    const isMark = (state) => ["unexpected", "lost"].includes(state);

    const legendOf = (shown) =>
        Object.keys(states)
            .filter((state) => shown.includes(state))
            .map((state) => ({
                text: states[state](),
                css: isMark(state) ? `octoprint_uptime_mark ${state}` : state
            }));

    // The first day

    const hasNothingToShow = ({last_restart, recorded_since}) =>
        last_restart === null && (recorded_since === null || daysAgo(recorded_since) === 0);

    // "" if it is unknown.
    const recordingSince = ({recorded_since}) =>
        recorded_since === null
            ? ""
            : _.sprintf(gettext("Recording started %(when)s."), {when: atMoment(recorded_since)});

    const complain = (text) =>
        new PNotify({title: gettext("OctoPrint Uptime"), text, text_escape: true, type: "error"});

    // Redraw, and return the focus to the element at the same place.
    const redraw = (selector, draw) => {
        const place = $(selector).index(document.activeElement);
        draw();
        if (place >= 0) $(selector).eq(place).focus();
    };

    const copy = (text, {target}, copied) => {
        copyToClipboard(text);
        target.focus(); // copying has taken it
        copied(gettext("Copied."));
    };

    page.words = {
        ...{complain, redraw, copy},
        ...{capital, clockOf, dateOf, stampOf, momentOf, atMoment},
        ...{rangeOf, atLeast, durationOf, spanOf, downtimeOf},
        ...{numberOf, percentOf, progressOf, heightOf, positionOf, printOf, unattendedOf},
        ...{restartsOf, shutdownsOf, lostPrintsOf, isMark, legendOf},
        ...{isUnexpected, stoppedFirst, whatStopped},
        ...{whenEnded, titleOf, endOf, sentenceOf, hasNothingToShow, recordingSince}
    };
})();
