// The restart log's rows, and the restarts as text and CSV.
(function () {
    const page = OctoPrint.plugins.octoprint_uptime._page;
    const {words, causes} = page;

    const COLUMNS = (
        "id kind clean run_started_at ended_after ended_before host_started_at started_at " +
        "downtime_seconds_min downtime_seconds_max asked_by cause cause_proven crashed_in " +
        "under_voltage_at memory_available_bytes journal octoprint_version dismissed"
    ).split(" ");
    const PRINTS = ["lost_print", "unattended_print"];
    const PRINT_COLUMNS = "file path origin progress position_bytes z seen_at started_at".split(
        " "
    );

    const stateOf = (restart) =>
        restart.lost_print ? "lost" : words.isUnexpected(restart) ? "unexpected" : "stopped";

    // Like `whenEnded`, but for a column.
    function whenOf(restart) {
        const {ended_after: after, ended_before: before, started_at} = restart;
        if (!after && !before && started_at) return words.stampOf(started_at);
        if (!after || !before) return words.whenEnded(restart);
        const [from, to] = [words.stampOf(after), words.stampOf(before)];
        if (from === to) return from;
        const isOneDay = moment(after).isSame(before, "day");
        return `${from} – ${isOneDay ? words.clockOf(before) : to}`;
    }

    function downtimeOf(restart) {
        const time = words.downtimeOf(restart);
        return time && _.sprintf(gettext("down for %(time)s"), {time});
    }

    function uptimeOf({clean, run_started_at, ended_after}) {
        const seconds = (Date.parse(ended_after) - Date.parse(run_started_at)) / 1000;
        if (isNaN(seconds)) return "";
        const text = words.durationOf(seconds);
        return clean ? text : words.atLeast(text);
    }

    function printingOf({file, started_at}) {
        const name = file === null ? gettext("A file") : file;
        if (!started_at) return name;
        const when = words.atMoment(started_at);
        return _.sprintf(gettext("%(name)s, started %(when)s"), {name, when});
    }

    function progressOf(print) {
        const {progress, z, seen_at} = print;
        const [percent, ...rest] = _.compact([
            progress !== null && words.progressOf(progress),
            words.positionOf(print),
            z !== null && "Z " + words.heightOf(z)
        ]);
        if (!percent) return "";
        const when = seen_at && words.atMoment(seen_at);
        return _.compact([
            words.atLeast(percent),
            ...rest,
            when && _.sprintf(gettext("last recorded %(when)s"), {when})
        ]).join(", ");
    }

    const restarted = {
        host: () => gettext("The host"),
        container: () => gettext("The container (the host kept running)"),
        octoprint: () => gettext("OctoPrint only")
    };

    function detailsOf(restart) {
        const {started_at, kind, octoprint_version} = restart;
        const print = restart.lost_print || restart.unattended_print;
        const {what, advice, link} = causes.of(restart);
        return [
            [gettext("Went down"), words.capital(words.whenEnded(restart))],
            [gettext("Came back"), started_at && words.capital(words.atMoment(started_at))],
            [gettext("Downtime"), words.downtimeOf(restart)],
            [gettext("OctoPrint had been up for"), uptimeOf(restart)],
            [gettext("What restarted"), restarted[kind]()],
            [gettext("Was printing"), print && printingOf(print)],
            [gettext("Print progress"), print && progressOf(print)],
            [gettext("Cause"), what || gettext("Clean shutdown")],
            [gettext("What to do"), advice, link],
            [gettext("Version before the restart"), "OctoPrint " + octoprint_version]
        ]
            .filter(([, value, link]) => value || link)
            .map(([name, value, link]) => ({name, value, link}));
    }

    // What follows the title: a lost print continues its sentence, an unattended one has a sentence of its own.
    const lostOf = ({lost_print}) => (lost_print ? ": " + words.printOf(lost_print) : "");
    const unattendedOf = (restart) =>
        restart.unattended_print ? ". " + words.unattendedOf(restart) : "";

    const wordsOf = (restart) => ({
        when: words.capital(whenOf(restart)),
        title: words.titleOf(restart),
        downtime: downtimeOf(restart)
    });

    // `files` shows a file in OctoPrint's list.
    function rowOf(restart, files) {
        const open = ko.observable(false);
        const {lost_print} = restart;
        const state = stateOf(restart);
        return {
            ...wordsOf(restart),
            prints: lostOf(restart) + unattendedOf(restart),
            isBad: words.isMark(state),
            mark: "octoprint_uptime_mark " + state,
            toggle: (row, event) => open(event.target.open),
            details: ko.pureComputed(() => (open() ? detailsOf(restart) : [])),
            file: files.canShow(lost_print) ? lost_print : null,
            showFile: () => files.show(lost_print)
        };
    }

    // As text and CSV

    // A spreadsheet would evaluate a text that begins like a formula.
    const cellOf = (value) => {
        const text =
            typeof value === "string"
                ? value.replace(/^[=+\-@\t\r]/, "'$&")
                : String(value === null ? "" : value);
        return `"${text.replace(/"/g, '""')}"`;
    };

    const lineOf = (cells) => cells.map(cellOf).join(",") + "\r\n";

    function csvOf(restarts) {
        const header = [
            ...COLUMNS,
            ...PRINTS.flatMap((name) => PRINT_COLUMNS.map((column) => `${name}_${column}`))
        ];
        const cellsOf = (restart) => [
            ...COLUMNS.map((column) => restart[column]),
            ...PRINTS.flatMap((name) =>
                PRINT_COLUMNS.map((column) => (restart[name] ? restart[name][column] : null))
            )
        ];
        return [header, ...restarts.map(cellsOf)].map(lineOf).join("");
    }

    function textOf(restarts) {
        const sentenceOf = (restart) => {
            const {when, title, downtime} = wordsOf(restart);
            const what = _.compact([title + lostOf(restart), downtime]).join(", ");
            const {what: cause} = causes.of(restart);
            const more = _.compact([words.unattendedOf(restart), cause]).join(" ");
            const sentences = _.compact([what, more]).join(". ");
            return `- ${when}: ${sentences} (OctoPrint ${restart.octoprint_version})\n`;
        };
        return restarts.map(sentenceOf).join("");
    }

    page.rows = {rowOf, csvOf, textOf};
})();
