// What the restart log tells of each restart: a row, the facts that it folds out to, and both as text to copy.
(function () {
    const page = OctoPrint.plugins.octoprint_uptime._page;
    const {words} = page;

    const COLUMNS = [
        ..."id kind clean run_started_at ended_after ended_before host_started_at started_at".split(
            " "
        ),
        ..."downtime_seconds_min downtime_seconds_max octoprint_version dismissed".split(" ")
    ];
    const PRINT_COLUMNS = "file path origin progress position_bytes z seen_at started_at".split(
        " "
    );

    const stateOf = ({lost_print, bad}) => (lost_print ? "lost" : bad ? "unexpected" : "stopped");

    // As `whenEnded`, for a column.
    function whenOf(restart) {
        const {ended_after: after, ended_before: before, started_at} = restart;
        if (!after && !before && started_at) return words.momentOf(started_at);
        if (!after || !before) return words.whenEnded(restart);
        const [from, to] = [words.momentOf(after), words.momentOf(before)];
        if (from === to) return from;
        const isOneDay = moment(after).isSame(before, "day");
        return `${from} – ${isOneDay ? words.clockOf(before) : to}`;
    }

    function downtimeOf(restart) {
        const time = words.downtimeOf(restart);
        return time && _.sprintf(gettext("not running for %(time)s"), {time});
    }

    function uptimeOf({bad, run}) {
        const seconds = (run.to - run.from) / 1000;
        if (isNaN(seconds)) return "";
        const text = words.durationOf(seconds);
        return bad ? words.atLeast(text) : text;
    }

    function printingOf(print) {
        const name = print.file === null ? gettext("A file") : print.file;
        if (!print.started_at) return name;
        const time = words.momentOf(print.started_at);
        return _.sprintf(gettext("%(name)s, since %(time)s"), {name, time});
    }

    function progressOf({progress, z, position_bytes, seen_at}) {
        if (progress === null) return "";
        const bytes = position_bytes && words.numberOf(Math.floor(position_bytes / 1000));
        return _.compact([
            words.atLeast(words.percentOf(progress)),
            z !== null && "Z " + words.heightOf(z),
            bytes && _.sprintf(gettext("%(kilobytes)s KB into the file"), {kilobytes: bytes}),
            seen_at && _.sprintf(gettext("last seen %(time)s"), {time: words.momentOf(seen_at)})
        ]).join(", ");
    }

    const what = {
        host: () => gettext("The host"),
        container: () => gettext("The container, while its host went on"),
        octoprint: () => gettext("OctoPrint alone")
    };

    function factsOf(restart) {
        const print = restart.lost_print || restart.unattended_print;
        const facts = [
            [gettext("Ended"), words.capital(words.whenEnded(restart))],
            [
                gettext("Running again"),
                restart.started_at && words.capital(words.momentOf(restart.started_at))
            ],
            [gettext("Not running for"), words.downtimeOf(restart)],
            [gettext("Had been running for"), uptimeOf(restart)],
            [gettext("What was started anew"), what[restart.kind]()],
            [gettext("Was printing"), print && printingOf(print)],
            [gettext("How far"), print && progressOf(print)],
            [
                gettext("Why it ended"),
                restart.clean
                    ? gettext("It was shut down.")
                    : gettext("Not known; octoprint.log or System info may tell.")
            ],
            [gettext("Version"), "OctoPrint " + restart.octoprint_version]
        ];
        return facts.filter(([, value]) => value).map(([name, value]) => ({name, value}));
    }

    function detailOf(restart) {
        const {lost_print} = restart;
        const detail = lost_print ? ": " + words.printOf(lost_print) : "";
        const unattended = words.unattendedOf(restart);
        return detail + (unattended && ". " + unattended);
    }

    const wordsOf = (restart) => ({
        when: words.capital(whenOf(restart)),
        title: words.titleOf(restart),
        detail: detailOf(restart),
        downtime: downtimeOf(restart)
    });

    const rowOf = (restart, file) => {
        const open = ko.observable(false);
        const {lost_print} = restart;
        const state = stateOf(restart);
        return {
            ...wordsOf(restart),
            isBad: words.isMark(state),
            mark: "octoprint_uptime_mark " + state,
            toggle: (row, event) => open(event.target.open),
            facts: ko.pureComputed(() => (open() ? factsOf(restart) : [])),
            file: file.canShow(lost_print) ? lost_print : null,
            showFile: () => file.show(lost_print)
        };
    };

    // Copying

    // A spreadsheet would work a text out that begins like a formula.
    const cellOf = (value) => {
        const isText = typeof value === "string";
        const text = isText
            ? value.replace(/^[=+\-@\t\r]/, "'$&")
            : String(value === null ? "" : value);
        return `"${text.replace(/"/g, '""')}"`;
    };

    const csvOf = (restarts) => {
        const prints = ["lost_print", "unattended_print"];
        const header = [
            ...COLUMNS,
            ...prints.flatMap((name) => PRINT_COLUMNS.map((column) => `${name}_${column}`))
        ];
        const lines = restarts.map((restart) => [
            ...COLUMNS.map((column) => restart[column]),
            ...prints.flatMap((name) =>
                PRINT_COLUMNS.map((column) => (restart[name] ? restart[name][column] : null))
            )
        ]);
        return [header, ...lines].map((line) => line.map(cellOf).join(",")).join("\r\n") + "\r\n";
    };

    function lineOf(restart) {
        const {when, title, detail, downtime} = wordsOf(restart);
        const what = _.compact([title + detail, downtime]).join(", ");
        return `- ${when}: ${what} (OctoPrint ${restart.octoprint_version})\n`;
    }

    const textOf = (restarts) => restarts.map(lineOf).join("");

    page.rows = {rowOf, csvOf, textOf};
})();
