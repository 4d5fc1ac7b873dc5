// The strip: a bar for each of the last 30 days, and the line that describes one of them.
$(function () {
    const {words, spans, figures} = OctoPrint.plugins.octoprint_uptime._page;
    const DAYS = 30;
    const DAYS_ASKED = DAYS + 1; // 30 of the reader's days can exceed 30 times 24 hours
    const HIGHEST_PX = 25; // below the marks
    const PADDING_PX = 7; // as in the style sheet

    const STEPS = {ArrowLeft: -1, ArrowRight: 1, PageUp: -7, PageDown: 7, Home: -DAYS, End: DAYS};

    function OctoPrintUptimeStripViewModel([asking]) {
        const self = this;

        self.days = ko.observableArray(); // empty until they are loaded
        self.failed = ko.observable(false);
        self.picked = ko.observable(); // the number of the day that the line describes
        self.reachable = ko.observable(DAYS - 1); // the day that Tab reaches

        const undated = ko.observableArray(); // the counts of restarts whose day is unknown
        const count = (key) => _.sum(self.days().concat(undated()), key);

        self.first = ko.pureComputed(() =>
            self.days().length ? words.dateOf(self.days()[0].start) : ""
        );

        self.states = ko.pureComputed(() => words.legendOf(_.pluck(self.days(), "state")));

        const countsOf = ({shutdowns, prints, restarts}) =>
            _.compact([
                shutdowns && words.shutdownsOf(shutdowns),
                prints && words.lostPrintsOf(prints),
                restarts && !shutdowns && words.restartsOf(restarts)
            ]);

        function runningOf({isToday, running, maybe, recorded, seconds}) {
            if (running === seconds)
                return isToday ? gettext("running since midnight") : gettext("running all day");
            if (running || maybe) {
                const time = words.spanOf(running, running + maybe);
                return _.sprintf(gettext("running for %(time)s"), {time});
            }
            if (recorded === seconds) return gettext("down all day");
            return _.sprintf(gettext("down for %(time)s"), {time: words.durationOf(recorded)});
        }

        function wordsOf(day) {
            const date = day.isToday
                ? words.capital(gettext("today"))
                : `${day.start.format("ddd")}, ${words.dateOf(day.start)}`;
            const parts =
                day.state === "unrecorded"
                    ? [gettext("not recorded")]
                    : [
                          ...countsOf(day),
                          runningOf(day),
                          day.recorded < day.seconds && gettext("part of the day not recorded")
                      ];
            return `${date}: ${_.compact(parts).join(", ")}`;
        }

        self.line = ko.pureComputed(() => {
            const day = self.days()[self.picked()];
            if (day) return day.words;
            const [shutdowns, prints] = [count("shutdowns"), count("prints")];
            if (!shutdowns && !prints) return gettext("No unexpected shutdowns.");
            return words.capital(countsOf({shutdowns, prints}).join(", ")) + ".";
        });

        // Of the days shown, so that it agrees with their bars.
        self.availability = ko.pureComputed(() => {
            const sum = (key) => _.sum(self.days(), key);
            const percent = figures.availabilityOf({
                running_seconds_min: sum("running"),
                running_seconds_max: sum("running") + sum("maybe"),
                recorded_seconds: sum("recorded")
            });
            return percent && _.sprintf(gettext("Availability: %(percent)s"), {percent});
        });

        self.load = () => request.load(DAYS_ASKED);

        self.forget = () => {
            request.forget();
            self.failed(false);
            self.days([]);
            self.picked(undefined);
        };

        self.fromResponse = (answer) => {
            self.failed(false);
            if (!answer.history) return self.days([]); // the log has just been switched off
            const history = spans.readHistory(answer);
            const today = moment(history.to).startOf("day");
            undated(history.restarts.filter(({gap}) => isNaN(gap.from)).map(spans.countsOf));
            const days = _.range(DAYS - 1, -1, -1).map((ago) => {
                const start = today.clone().subtract(ago, "days").startOf("day");
                const day = spans.dayOf(history, start);
                const share = day.recorded ? day.running / day.recorded : 1;
                return {
                    ...day,
                    words: wordsOf(day),
                    height: Math.round(HIGHEST_PX * share) + "px",
                    isMarked: words.isMark(day.state)
                };
            });
            const picked = self.picked();
            words.redraw(".octoprint_uptime_strip > *", () => self.days(days));
            self.picked(picked);
        };

        const request = asking.askForDays(self.fromResponse, () => self.failed(true));

        // Keys, mouse, pen and finger

        let focused; // the number of the day that has the focus

        self.move = (viewModel, event) => {
            const step = STEPS[event.key];
            const isOthers = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
            if (!step || isOthers) return true;
            const options = [...event.currentTarget.children];
            const place = options.indexOf(event.target) + step;
            options[Math.min(DAYS - 1, Math.max(0, place))].focus();
        };

        self.focus = (viewModel, event) => {
            const place = [...event.currentTarget.children].indexOf(event.target);
            self.reachable(place);
            focused = place;
            self.picked(place);
        };

        self.blur = () => {
            focused = undefined;
            self.picked(undefined);
        };

        self.point = (viewModel, event) => {
            const {left, width} = event.currentTarget.getBoundingClientRect();
            const share = (event.clientX - left - PADDING_PX) / (width - 2 * PADDING_PX);
            self.picked(Math.min(DAYS - 1, Math.max(0, Math.floor(share * DAYS))));
            return true; // so that a press keeps its default action, which moves the focus
        };

        // After a touch, keep describing the touched day.
        self.leave = (viewModel, event) => {
            if (event.pointerType !== "touch") self.picked(focused);
        };
    }

    OCTOPRINT_VIEWMODELS.push({
        construct: OctoPrintUptimeStripViewModel,
        name: "octoprintUptimeStripViewModel",
        dependencies: ["octoprintUptimeViewModel"]
    });
});
