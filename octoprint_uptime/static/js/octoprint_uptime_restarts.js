// What the page says about restarts: a sentence, a notice, and the log.
$(function () {
    const ID = "octoprint_uptime";
    const MOST_RESTARTS = 1000; // that the API gives
    const ROWS_AT_FIRST = 50; // of the table: more take a slow browser a while
    const BRIEF_MS = 15 * 60000; // a shorter span is told as one moment, its middle

    const DAY_MS = 86400000;
    const TIMELINE_DAYS = 30;
    const TIMELINE_WIDTH = 720; // as in the template

    // Milliseconds, NaN where the moment is not known; by far quicker than moment.js.
    const millisecondsOf = (text) => (text === null ? NaN : Date.parse(text));

    const uptimeOf = ({run_started_at, ended_after}) =>
        (millisecondsOf(ended_after) - millisecondsOf(run_started_at)) / 1000;

    const durationOf = (seconds) => OctoPrint.plugins[ID].format(seconds);

    // Words about one restart

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

    // The timeline

    // When the host was up and when OctoPrint ran, each from a moment to another, newest first.
    function spansOf(answer, now) {
        const ago = (seconds) => (seconds === null ? NaN : now - seconds * 1000);
        const octoprint = [{from: ago(answer.octoprint_seconds), to: now}];
        const host = [{from: ago(answer.seconds), to: now}];
        let nextStartedAt = answer.octoprint_started_at;
        answer.restarts.forEach((restart) => {
            // A run between the two is missing from the log: what the host did then is unknown.
            if (restart.started_at !== nextStartedAt) {
                host.push({from: NaN, to: millisecondsOf(restart.started_at)});
            }
            nextStartedAt = restart.run_started_at;
            const run = {
                from: millisecondsOf(restart.run_started_at),
                to: millisecondsOf(restart.ended_after)
            };
            octoprint.push(run);
            const boot = host[host.length - 1];
            // About an earlier boot we know only that it was up while OctoPrint ran.
            if (restart.kind === "host") {
                boot.from = millisecondsOf(restart.host_started_at) || boot.from;
                host.push({...run});
            } else if (host.length > 1) {
                boot.from = run.from || boot.from;
            }
        });
        return {octoprint, host};
    }

    // When OctoPrint may have run, but nothing was recorded.
    function unrecordedOf({recorded_since, not_recorded}, now) {
        const start = now - TIMELINE_DAYS * DAY_MS;
        const since = recorded_since ? millisecondsOf(recorded_since) : now;
        const gaps = not_recorded.map(({from, to}) => ({
            from: millisecondsOf(from),
            to: to === null ? now : millisecondsOf(to)
        }));
        return [{from: start, to: since}, ...gaps];
    }

    // Where spans lie on the timeline; what lies before it is cut off.
    function barsOf(spans, end) {
        const start = end - TIMELINE_DAYS * DAY_MS;
        const place = (time) => ((Math.max(time, start) - start) / (end - start)) * TIMELINE_WIDTH;
        const textOf = (time) => moment(time).format("lll");
        return spans
            .filter(({from, to}) => from && to > start)
            .map(({from, to, text}) => ({
                x: place(from),
                // With a slit before the next one, so that the shortest gap is seen.
                width: Math.max(1, place(to) - place(from) - 1),
                text: text || `${textOf(from)} – ${textOf(to)}`
            }));
    }

    function timelineOf(answer) {
        const now = Date.now();
        const {octoprint, host} = spansOf(answer, now);
        const lost = answer.restarts
            .filter(({lost_print}) => lost_print)
            .map((restart) => {
                const at = millisecondsOf(restart.ended_after);
                return {from: at, to: at, text: printOf(restart.lost_print)};
            });
        const dayBefore = (days) => moment(now - days * DAY_MS).format("ll");
        return {
            octoprint: barsOf(octoprint, now),
            host: barsOf(host, now),
            lost: barsOf(lost, now),
            unrecorded: barsOf(unrecordedOf(answer, now), now),
            days: [
                {x: 0, text: dayBefore(TIMELINE_DAYS), anchor: "start"},
                {x: TIMELINE_WIDTH / 3, text: dayBefore(20), anchor: "middle"},
                {x: (TIMELINE_WIDTH * 2) / 3, text: dayBefore(10), anchor: "middle"},
                {x: TIMELINE_WIDTH, text: gettext("right now"), anchor: "end"}
            ]
        };
    }

    const complain = (text) => new PNotify({type: "error", text});

    function OctoPrintUptimeRestartsViewModel([asking]) {
        const self = this;

        const client = OctoPrint.plugins[ID];
        const dialog = () => $("#" + ID);

        self.hasDialog = dialog().length > 0; // unless OctoPrint's settings leave it out
        self.mayConfigure = asking.mayConfigure;
        self.log = ko.observable(); // what the dialog shows, once it has been loaded

        self.lastRestart = ko.pureComputed(() => {
            const {last_restart} = asking.answer() || {};
            return last_restart
                ? sentenceOf(last_restart)
                : gettext("No restart has been recorded yet.");
        });

        // The notice of an end without warning, first of all one that lost a print, until it is dismissed.

        let notice;
        let noticeId; // the restart's
        let hiddenId; // the newest of those that somebody has hidden here who may not dismiss them

        function closeNotice() {
            if (notice) notice.remove();
            notice = noticeId = undefined;
        }

        function updateNotice(answer) {
            const {last_restart: last, unseen_restart: unseen} = answer || {};
            if (unseen && unseen.id === noticeId) return;
            closeNotice();
            if (!unseen || unseen.id <= hiddenId) return;
            const mayDismiss = asking.mayControl();
            const dismiss = () => {
                closeNotice();
                // All restarts up to the newest, not only the one that is shown.
                if (mayDismiss) {
                    OctoPrint.simpleApiCommand(ID, "dismiss", {id: last.id}).fail(() =>
                        complain(gettext("The notice could not be dismissed for good."))
                    );
                } else {
                    hiddenId = last.id;
                }
            };
            const dismissAndShowLog = () => {
                dismiss();
                self.showLog();
            };
            noticeId = unseen.id;
            notice = new PNotify({
                text: sentenceOf(unseen),
                text_escape: true,
                addclass: "octoprint_uptime_notice",
                hide: false,
                buttons: {closer: false, sticker: false},
                confirm: {
                    confirm: true,
                    buttons: [
                        {
                            text: gettext("Restart log"),
                            addClass: self.hasDialog ? "" : "hidden",
                            click: dismissAndShowLog
                        },
                        {
                            text: mayDismiss
                                ? gettext("Dismiss notice")
                                : gettext("Hide until the next visit"),
                            click: dismiss
                        }
                    ]
                }
            });
        }

        // The log

        let latestLoad = 0;

        self.showLog = () => {
            self.log(undefined);
            dialog().modal("show");
            load();
        };

        function closeLog() {
            latestLoad++; // what is being loaded is for somebody who has logged out
            self.log(undefined);
            dialog().modal("hide");
        }

        function load() {
            const number = ++latestLoad;
            const ifLatest = (handle) => (response) => number === latestLoad && handle(response);
            client
                .get({data: {restarts: MOST_RESTARTS}})
                .then(ifLatest(self.fromResponse), ifLatest(fail));
        }

        function fail() {
            closeLog();
            complain(gettext("The restart log could not be loaded."));
        }

        self.fromResponse = (answer) => {
            const {restarts} = answer;
            const rows = ko.observableArray(restarts.slice(0, ROWS_AT_FIRST).map(rowOf));
            const uptimes = restarts.map(uptimeOf).concat(answer.octoprint_seconds);
            self.log({
                ...timelineOf(answer),
                rows,
                more: ko.pureComputed(() => rows().length < restarts.length),
                showAll: () => rows(restarts.map(rowOf)),
                longest: durationOf(Math.max(...uptimes.filter(_.isFinite), 0))
            });
        };

        self.clear = () =>
            showConfirmationDialog({
                message: gettext("This forgets every restart that has been recorded."),
                onproceed: () =>
                    OctoPrint.simpleApiCommand(ID, "clear")
                        .fail(() => complain(gettext("The restart log could not be cleared.")))
                        .always(() => {
                            if (self.log()) load();
                            asking.askNow();
                        })
            });

        self.onBeforeBinding = () => {
            asking.answer.subscribe((answer) => {
                if (!answer) closeLog(); // it may be of somebody who has logged out
                updateNotice(answer);
            });
        };
    }

    OCTOPRINT_VIEWMODELS.push({
        construct: OctoPrintUptimeRestartsViewModel,
        name: "octoprintUptimeRestartsViewModel",
        dependencies: ["octoprintUptimeViewModel"],
        elements: ["#octoprint_uptime"]
    });
});
