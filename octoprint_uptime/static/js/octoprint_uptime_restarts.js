// The restart log: a dialog with figures, a timeline and a list, for a day to a year.
$(function () {
    const {words, spans, figures, timeline, rows} = OctoPrint.plugins.octoprint_uptime._page;
    const ID = "octoprint_uptime";

    const ROWS_AT_FIRST = 50; // more take a slow browser a while
    const RANGES = [1, 7, 30, 365]; // in days
    const LONGEST_AT_FIRST = 30;

    const DAY_MS = 86400000;
    const REVOKE_MS = 60000; // by then a browser has begun to save a file

    function OctoPrintUptimeRestartsViewModel([asking, file]) {
        const self = this;

        const dialog = () => $("#" + ID);

        self.hasDialog = dialog().length > 0; // unless OctoPrint's settings hide it
        self.mayConfigure = asking.mayConfigure;
        self.days = ko.observable(); // of the range
        self.log = ko.observable(); // what the dialog shows, once loaded
        self.beginning = ko.observable(); // or the text shown while there is nothing yet
        self.since = ko.observable();
        self.isInMemory = ko.observable();
        self.copied = ko.observable("");
        self.hostLabel = asking.system.label;
        self.filter = ko.observable();
        self.hasRows = ko.pureComputed(() => Boolean(self.log() && self.log().found().length));

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

        const FILTERS = [
            {name: () => gettext("All"), shows: () => true},
            {name: () => gettext("Unexpected shutdowns"), shows: words.isUnexpected},
            {name: () => gettext("Lost prints"), shows: ({lost_print}) => lost_print}
        ];
        const filtersOf = (restarts) =>
            FILTERS.map((filter) => ({
                text: `${filter.name()} (${restarts.filter(filter.shows).length})`,
                isPressed: ko.pureComputed(() => self.filter() === filter),
                press: () => self.filter(filter)
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
            self.filter(FILTERS[0]);
            dialog()
                .one("hidden", () =>
                    $(opener.isConnected ? opener : `#navbar_plugin_${ID}_button`).focus()
                )
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

        function beginningOf(answer) {
            if (answer.recorded_since === null)
                return gettext("No restarts have been recorded yet.");
            const restarted = gettext("OctoPrint hasn't restarted since.");
            return words.recordingSince(answer) + " " + restarted;
        }

        self.fromResponse = (answer) => {
            self.isInMemory(answer.survives_reboot === false);
            if (words.hasNothingToShow(answer) || !answer.history) {
                self.log(undefined);
                self.beginning({text: beginningOf(answer)});
                dialog().focus(); // the focus was on a range button
                return;
            }
            self.beginning(undefined);
            const {restarts} = answer;
            const history = spans.readHistory(answer);
            const found = ko.pureComputed(() => restarts.filter(self.filter().shows));
            const limit = ko.observable(ROWS_AT_FIRST);
            // Each row once, so that an open one stays open.
            const rowOf = _.memoize(
                (restart) => rows.rowOf(restart, file),
                ({id}) => id
            );
            self.since(answer.recorded_since && words.momentOf(answer.recorded_since));
            self.log({
                figures: figures.of(history.figures),
                timeline: timeline.of(history, self.days(), self.hostLabel()),
                filters: filtersOf(restarts),
                isEmpty: !restarts.length,
                found,
                rows: ko.pureComputed(() => found().slice(0, limit()).map(rowOf)),
                more: ko.pureComputed(() => found().length > limit()),
                showAll: () => {
                    limit(Infinity);
                    dialog().find("summary").eq(ROWS_AT_FIRST).focus(); // the button is gone
                }
            });
            if ($(document.activeElement).is("body, :hidden")) dialog().focus(); // what had the focus has gone
            self.log().timeline.drawOn(...dialog().find(".octoprint_uptime_plate"));
        };

        const request = asking.askForDays(self.fromResponse, fail);

        // Downloading and copying what the filter shows

        self.downloadCsv = () => {
            const csv = ["\ufeff", rows.csvOf(self.log().found())]; // spreadsheets need the mark for UTF-8
            const url = URL.createObjectURL(new Blob(csv, {type: "text/csv"}));
            const today = moment().locale("en").format("YYYY-MM-DD");
            $("<a>")
                .attr({href: url, download: `octoprint-uptime-restarts-${today}.csv`})[0]
                .click();
            setTimeout(() => URL.revokeObjectURL(url), REVOKE_MS);
        };

        self.copyText = (viewModel, event) =>
            words.copy(rows.textOf(self.log().found()), event, self.copied);

        // Clearing

        self.clear = () =>
            showConfirmationDialog({
                message: gettext("This permanently deletes all recorded restarts."),
                onproceed: () => {
                    const unsaved = gettext(
                        "The restart log was cleared, but this could not be saved. The restarts may come back."
                    );
                    const refused = gettext("The restart log could not be cleared.");
                    asking
                        .command("clear", {}, unsaved, refused)
                        .always(() => self.log() && load(self.days()));
                }
                // The dialog doesn't take the focus itself, so Escape would close the log behind it.
            }).focus();

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
