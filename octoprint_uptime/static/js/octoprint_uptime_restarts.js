// The restart log: a dialog with figures, a timeline and a list, for a day to a year.
$(function () {
    const {words, spans, figures, timeline, rows} = OctoPrint.plugins.octoprint_uptime._page;
    const ID = "octoprint_uptime";

    const ROWS_AT_FIRST = 50; // more take a slow browser a while
    const RANGES = [1, 7, 30, 365]; // in days
    const LONGEST_AT_FIRST = 30;

    const DAY_MS = 86400000;

    function OctoPrintUptimeRestartsViewModel([asking, file]) {
        const self = this;

        const dialog = () => $("#" + ID);

        self.hasDialog = dialog().length > 0; // unless OctoPrint's settings hide it
        self.mayConfigure = asking.mayConfigure;
        self.days = ko.observable(); // of the range
        self.log = ko.observable(); // what the dialog shows, once loaded
        self.beginning = ko.observable(); // or the text that there is nothing to show yet
        self.since = ko.observable();
        self.copied = ko.observable("");
        self.hostLabel = asking.system.label;
        self.hasRows = ko.pureComputed(() => Boolean(self.log() && self.log().rows().length));

        const rangeNames = {
            1: () => gettext("Day"),
            7: () => gettext("Week"),
            30: () => gettext("30 days"),
            365: () => gettext("Year")
        };
        self.ranges = RANGES.map((days) => ({
            text: ko.pureComputed(rangeNames[days]),
            isPressed: ko.pureComputed(() => self.days() === days),
            press: () => load(days)
        }));

        // Return the shortest range that holds everything recorded.
        function firstRange() {
            const since = Date.parse((asking.answer() || {}).recorded_since);
            const fits = (days) => !(since < Date.now() - days * DAY_MS);
            return RANGES.filter((days) => days <= LONGEST_AT_FIRST).find(fits) || LONGEST_AT_FIRST;
        }

        // Opening, loading, closing

        self.showLog = () => {
            const opener = document.activeElement;
            forget();
            dialog()
                .one("hidden", () => opener.focus())
                .modal("show");
            load(firstRange());
        };

        function forget() {
            request.forget(); // the user may have logged out meanwhile
            self.log(undefined);
            self.beginning(undefined);
        }

        function closeLog() {
            forget();
            dialog().modal("hide");
        }

        function load(days) {
            self.days(days);
            self.copied("");
            request.load(days);
        }

        function fail() {
            closeLog();
            words.complain(gettext("The restart log could not be loaded."));
        }

        // Showing

        function beginningOf(answer) {
            if (answer.recorded_since === null) return gettext("Nothing is recorded yet.");
            const restarted = gettext("OctoPrint hasn't restarted since.");
            return words.recordingSince(answer) + " " + restarted;
        }

        const rowOf = (restart) => rows.rowOf(restart, file);

        self.fromResponse = (answer) => {
            if (words.hasNothingToShow(answer) || !answer.history) {
                self.log(undefined);
                self.beginning({text: beginningOf(answer)});
                dialog().focus(); // the range had it
                return;
            }
            self.beginning(undefined);
            const {restarts} = answer;
            const history = spans.readHistory(answer);
            const shown = ko.observableArray(restarts.slice(0, ROWS_AT_FIRST).map(rowOf));
            self.since(answer.recorded_since && words.momentOf(answer.recorded_since));
            self.log({
                figures: figures.of(history.figures),
                timeline: timeline.of(history, self.days()),
                rows: shown,
                more: ko.pureComputed(() => shown().length < restarts.length),
                showAll: () => {
                    shown(restarts.map(rowOf));
                    dialog().find("summary").eq(ROWS_AT_FIRST).focus(); // the button is gone
                },
                restarts
            });
        };

        const request = asking.askForDays(self.fromResponse, fail);

        // Copying

        function copy(text, viewModel, event) {
            copyToClipboard(text);
            event.target.focus(); // copying has taken it
            self.copied(gettext("Copied."));
        }

        self.copyCsv = (...args) => copy(rows.csvOf(self.log().restarts), ...args);
        self.copyText = (...args) => copy(rows.textOf(self.log().restarts), ...args);

        // Clearing

        self.clear = () =>
            showConfirmationDialog({
                message: gettext("This permanently deletes all recorded restarts."),
                onproceed: () =>
                    OctoPrint.simpleApiCommand(ID, "clear")
                        .fail(() =>
                            words.complain(
                                gettext("The restart log could not be cleared permanently.")
                            )
                        )
                        .always(() => {
                            if (self.log()) load(self.days());
                            asking.askNow();
                        })
            });

        self.onBeforeBinding = () => {
            asking.answer.subscribe((answer) => {
                if (!answer) closeLog(); // the user may have logged out
            });
        };
    }

    OCTOPRINT_VIEWMODELS.push({
        construct: OctoPrintUptimeRestartsViewModel,
        name: "octoprintUptimeRestartsViewModel",
        dependencies: ["octoprintUptimeViewModel", "octoprintUptimeFileViewModel"],
        elements: ["#octoprint_uptime"]
    });
});
