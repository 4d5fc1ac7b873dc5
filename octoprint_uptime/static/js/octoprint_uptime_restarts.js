// What the page says about restarts. Loaded by octoprint_uptime.js once there is something to say.
OctoPrint.plugins.octoprint_uptime.restarts = function (viewModel) {
    const ID = "octoprint_uptime";
    const DAY = 86400000;
    const DAYS = 30;
    const WIDTH = 720;
    const ROWS = 50; // of the table, before somebody asks for more
    const BRIEF = 15 * 60000; // what one moment can stand for

    const client = OctoPrint.plugins[ID];
    let notice;

    const timeOf = (moment_) => moment_.format(moment_.isSame(moment(), "day") ? "LT" : "lll");

    const lostPrint = ({lost_print}, unnamed = gettext("A file")) => {
        if (!lost_print) return "";
        const file = lost_print.file === null ? unnamed : lost_print.file;
        return lost_print.progress === null
            ? file
            : _.sprintf(gettext("%(file)s (%(progress)d %%)"), {
                  file,
                  progress: Math.floor(lost_print.progress)
              });
    };

    // As exactly as is known.
    function ended({ended_after, ended_before}) {
        if (!ended_after || !ended_before) return gettext("at an unknown time");
        const [from, to] = [moment(ended_after), moment(ended_before)];
        if (to - from > BRIEF) {
            return _.sprintf(gettext("between %(from)s and %(to)s"), {
                from: timeOf(from),
                to: timeOf(to)
            });
        }
        return _.sprintf(gettext("around %(time)s"), {time: timeOf(moment((+from + +to) / 2))});
    }

    const downtime = ({downtime_seconds_min: least, downtime_seconds_max: most}) => {
        if (most === null) return gettext("an unknown time");
        if (least === most) return client.format(most);
        return _.sprintf(gettext("%(least)s to %(most)s"), {
            least: client.format(least),
            most: client.format(most)
        });
    };

    function sentence(restart) {
        const {clean, kind, started_at} = restart;
        const host = kind === "host";
        const lost = lostPrint(restart, gettext("a file"));
        if (!clean) {
            const stopped = lost
                ? gettext("OctoPrint stopped unexpectedly %(when)s while printing %(lost)s.")
                : gettext("OctoPrint stopped unexpectedly %(when)s.");
            const next = host
                ? gettext("The host was restarted.")
                : gettext("OctoPrint was restarted.");
            return _.sprintf(stopped, {when: ended(restart), lost}) + " " + next;
        }
        const restarted = host
            ? gettext(
                  "The host was last restarted %(when)s; OctoPrint did not run for %(downtime)s."
              )
            : gettext("OctoPrint was last restarted %(when)s; it did not run for %(downtime)s.");
        const when = started_at ? moment(started_at).fromNow() : gettext("at an unknown time");
        return (
            _.sprintf(restarted, {when, downtime: downtime(restart)}) +
            (lost ? " " + _.sprintf(gettext("The print of %(lost)s was lost."), {lost}) : "")
        );
    }

    const what = ({kind, clean}) =>
        kind === "host"
            ? clean
                ? gettext("Host restarted")
                : gettext("Host went down without warning")
            : clean
              ? gettext("OctoPrint restarted")
              : gettext("OctoPrint ended without warning");

    // Milliseconds, NaN where the moment is not known; by far quicker than moment.js.
    const timeAt = (text) => (text === null ? NaN : Date.parse(text));

    const uptimeOf = ({run_started_at, ended_after}) =>
        (timeAt(ended_after) - timeAt(run_started_at)) / 1000;

    const row = (restart) => {
        const uptime = uptimeOf(restart);
        return {
            when: restart.started_at
                ? moment(restart.started_at).format("lll")
                : gettext("at an unknown time"),
            what: what(restart),
            downtime: downtime(restart),
            uptime: isNaN(uptime)
                ? gettext("an unknown time")
                : restart.clean
                  ? client.format(uptime)
                  : _.sprintf(gettext("at least %(uptime)s"), {uptime: client.format(uptime)}),
            lost: lostPrint(restart)
        };
    };

    // The bars of one lane; what lies before the timeline is cut off.
    function bars(spans) {
        const end = Date.now();
        const start = end - DAYS * DAY;
        const place = (time) => ((Math.max(time, start) - start) / (end - start)) * WIDTH;
        return spans
            .filter(([from, to]) => from && to > start)
            .map(([from, to, lost]) => ({
                x: place(from),
                // With a slit before the next one, so that the shortest gap is seen.
                width: Math.max(1, place(to) - place(from) - 1),
                text: lost || `${moment(from).format("lll")} – ${moment(to).format("lll")}`
            }));
    }

    function fill(answer) {
        const {restarts} = answer;
        const now = Date.now();
        const ago = (seconds) => (seconds === null ? NaN : now - seconds * 1000);
        const octoprint = [[ago(answer.octoprint_seconds), now]];
        const host = [[ago(answer.seconds), now]];
        let began = answer.octoprint_started_at;
        restarts.forEach((restart) => {
            // Between the two was a run that is not in the log.
            if (restart.started_at !== began) host.push([NaN, timeAt(restart.started_at)]);
            began = restart.run_started_at;
            const run = [timeAt(restart.run_started_at), timeAt(restart.ended_after)];
            octoprint.push(run);
            const up = host[host.length - 1];
            // Of an earlier boot it is known that it was up while OctoPrint ran.
            if (restart.kind === "host") {
                up[0] = timeAt(restart.host_started_at) || up[0];
                host.push([...run]);
            } else if (host.length > 1) {
                up[0] = run[0] || up[0];
            }
        });
        const uptimes = restarts.map(uptimeOf).concat(answer.octoprint_seconds);
        const dayBefore = (days) => moment(now - days * DAY).format("ll");
        const rows = ko.observableArray(restarts.slice(0, ROWS).map(row));
        viewModel.log({
            rows,
            more: ko.pureComputed(() => rows().length < restarts.length),
            showAll: () => rows(restarts.map(row)),
            clear,
            octoprint: bars(octoprint),
            host: bars(host),
            lost: bars(
                restarts
                    .filter(({lost_print}) => lost_print)
                    .map((restart) => {
                        const at = timeAt(restart.ended_after);
                        return [at, at, lostPrint(restart)];
                    })
            ),
            days: [
                {x: 0, text: dayBefore(DAYS), anchor: "start"},
                {x: WIDTH / 3, text: dayBefore(20), anchor: "middle"},
                {x: (WIDTH * 2) / 3, text: dayBefore(10), anchor: "middle"},
                {x: WIDTH, text: gettext("right now"), anchor: "end"}
            ],
            longest: client.format(Math.max(...uptimes.filter(_.isFinite), 0))
        });
    }

    function load() {
        client.get({data: {restarts: 1000}}).then(fill, () => {
            $("#" + ID).modal("hide");
            new PNotify({type: "error", text: gettext("The restart log could not be loaded.")});
        });
    }

    function clear() {
        showConfirmationDialog({
            message: gettext("This forgets every restart that has been recorded."),
            onproceed: () =>
                OctoPrint.simpleApiCommand(ID, "clear").done(() => {
                    load();
                    viewModel.onServerConnect(); // asks at once
                })
        });
    }

    return {
        // The popover's sentence, and a notice of an end without warning until somebody has dismissed it.
        tell(answer) {
            if (!answer) $("#" + ID).modal("hide"); // it may be of somebody who has logged out
            const {last_restart: last, unseen_restart: unseen} = answer || {};
            viewModel.restart(last ? sentence(last) : gettext("No restart has been recorded yet."));
            if (notice && !(unseen && unseen.id === notice.restart)) {
                notice.remove();
                notice = undefined;
            }
            if (!unseen || notice) return;
            const dismiss = () => {
                notice.remove();
                OctoPrint.simpleApiCommand(ID, "dismiss", {id: last.id});
            };
            notice = new PNotify({
                text: sentence(unseen),
                text_escape: true,
                addclass: "octoprint_uptime_notice",
                hide: false,
                buttons: {closer: false, sticker: false},
                confirm: {
                    confirm: true,
                    buttons: [
                        {
                            text: gettext("Restart log"),
                            click: () => {
                                dismiss();
                                viewModel.showLog();
                            }
                        },
                        {text: gettext("Dismiss notice"), click: dismiss}
                    ]
                }
            });
            notice.restart = unseen.id;
        },

        show() {
            viewModel.log(undefined);
            $("#" + ID).modal("show");
            load();
        }
    };
};
