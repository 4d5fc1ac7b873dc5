// What the page says about restarts: a notice, and the log.
$(function () {
    const ID = "octoprint_uptime";
    const MOST_RESTARTS = 1000; // that the API gives
    const ROWS_AT_FIRST = 50; // of the table: more take a slow browser a while

    const DAY_MS = 86400000;
    const TIMELINE_DAYS = 30;
    const TIMELINE_WIDTH = 720; // as in the template

    // The timeline. Of moments Date.parse makes milliseconds, by far quicker than moment.js, and NaN of null.

    // When the host was up and when OctoPrint ran, each from a moment to another, newest first.
    function spansOf(answer, now) {
        const ago = (seconds) => (seconds === null ? NaN : now - seconds * 1000);
        const octoprint = [{from: ago(answer.octoprint_seconds), to: now}];
        const host = [{from: ago(answer.seconds), to: now}];
        let nextStartedAt = answer.octoprint_started_at;
        answer.restarts.forEach((restart) => {
            // A run between the two is missing from the log: what the host did then is unknown.
            if (restart.started_at !== nextStartedAt) {
                host.push({from: NaN, to: Date.parse(restart.started_at)});
            }
            nextStartedAt = restart.run_started_at;
            const run = {
                from: Date.parse(restart.run_started_at),
                to: Date.parse(restart.ended_after)
            };
            octoprint.push(run);
            const boot = host[host.length - 1];
            // About an earlier boot we know only that it was up while OctoPrint ran.
            if (restart.kind === "host") {
                boot.from = Date.parse(restart.host_started_at) || boot.from;
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
        // Where an end is not known, nothing is drawn: most of it may have been recorded.
        const gaps = not_recorded.map(({from, to}) => ({
            from: Date.parse(from),
            to: Date.parse(to)
        }));
        return [{from: start, to: Date.parse(recorded_since)}, ...gaps];
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

    function timelineOf(answer, words) {
        const now = Date.now();
        const {octoprint, host} = spansOf(answer, now);
        const lost = answer.restarts
            .filter(({lost_print}) => lost_print)
            .map((restart) => {
                const at = Date.parse(restart.ended_after);
                return {from: at, to: at, text: words.printOf(restart.lost_print)};
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

    function OctoPrintUptimeRestartsViewModel([asking, words]) {
        const self = this;

        const client = OctoPrint.plugins[ID];
        const dialog = () => $("#" + ID);

        self.hasDialog = dialog().length > 0; // unless OctoPrint's settings leave it out
        self.mayConfigure = asking.mayConfigure;
        self.log = ko.observable(); // what the dialog shows, once it has been loaded

        self.lastRestart = ko.pureComputed(() => {
            const {last_restart} = asking.answer() || {};
            return last_restart
                ? words.sentenceOf(last_restart)
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
                text: words.sentenceOf(unseen),
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
            const rows = ko.observableArray(restarts.slice(0, ROWS_AT_FIRST).map(words.rowOf));
            const uptimes = restarts.map(words.uptimeOf).concat(answer.octoprint_seconds);
            self.log({
                ...timelineOf(answer, words),
                rows,
                more: ko.pureComputed(() => rows().length < restarts.length),
                showAll: () => rows(restarts.map(words.rowOf)),
                longest: words.durationOf(Math.max(...uptimes.filter(_.isFinite), 0))
            });
        };

        self.clear = () =>
            showConfirmationDialog({
                message: gettext("This forgets every restart that has been recorded."),
                onproceed: () =>
                    OctoPrint.simpleApiCommand(ID, "clear")
                        .fail(() =>
                            complain(gettext("The restart log could not be cleared for good."))
                        )
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
        dependencies: ["octoprintUptimeViewModel", "octoprintUptimeWordsViewModel"],
        elements: ["#octoprint_uptime"]
    });
});
