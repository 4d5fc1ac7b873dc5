// The strip: the last 30 days, a bar for each, and the line that tells of one of them.
$(function () {
    const {words, spans} = OctoPrint.plugins.octoprint_uptime._page;
    const DAYS = 30;
    const HIGHEST_PX = 25; // below the marks
    const PADDING_PX = 7; // as in the style sheet

    const STEPS = {ArrowLeft: -1, ArrowRight: 1, PageUp: -7, PageDown: 7, Home: -DAYS, End: DAYS};

    function OctoPrintUptimeStripViewModel([asking]) {
        const self = this;

        self.days = ko.observableArray(); // each with what the template shows of it; empty until it is loaded
        self.failed = ko.observable(false);
        self.picked = ko.observable(); // the number of the day that is told
        self.reachable = ko.observable(DAYS - 1); // the one that Tab comes to

        const undated = ko.observableArray(); // ends of which no day is known
        const count = (key) => _.sum(self.days().concat(undated()), key);

        self.first = ko.pureComputed(() =>
            self.days().length ? words.dateOf(self.days()[0].start) : ""
        );

        self.states = ko.pureComputed(() => words.legendOf(_.pluck(self.days(), "state")));

        // Words

        const countsOf = ({ends, prints, restarts}) =>
            _.compact([
                ends && words.endsOf(ends),
                prints && words.lostPrintsOf(prints),
                restarts && !ends && words.restartsOf(restarts)
            ]);

        function runningOf({isToday, whole, seconds}) {
            if (whole)
                return isToday ? gettext("running since midnight") : gettext("running all day");
            if (!seconds) return gettext("not running all day");
            return _.sprintf(gettext("running for %(time)s"), {time: words.durationOf(seconds)});
        }

        function wordsOf(day) {
            const date = day.isToday
                ? words.capital(gettext("today"))
                : `${day.start.format("ddd")}, ${words.dateOf(day.start)}`;
            const said =
                day.state === "unrecorded"
                    ? [gettext("not recorded")]
                    : [
                          ...countsOf(day),
                          runningOf(day),
                          day.partly && gettext("the rest not recorded")
                      ];
            return `${date}: ${_.compact(said).join(", ")}`;
        }

        self.line = ko.pureComputed(() => {
            const day = self.days()[self.picked()];
            if (day) return day.words;
            const [ends, prints] = [count("ends"), count("prints")];
            if (!ends && !prints) return gettext("No end without warning.");
            return words.capital(countsOf({ends, prints}).join(", ")) + ".";
        });

        // Data

        self.load = () => request.load(DAYS);

        self.forget = () => {
            request.forget();
            self.failed(false);
            self.days([]);
            self.picked(undefined);
        };

        self.fromResponse = (answer) => {
            const history = spans.historyOf(answer, DAYS);
            const today = moment().startOf("day");
            const starts = _.range(DAYS - 1, -1, -1).map((ago) =>
                today.clone().subtract(ago, "days").startOf("day")
            );
            self.failed(false);
            undated(history.restarts.filter(({end}) => isNaN(end.from)).map(spans.countsOf));
            self.days(
                starts.map((start) => {
                    const day = spans.dayOf(history, start);
                    return {
                        ...day,
                        words: wordsOf(day),
                        height: Math.round(HIGHEST_PX * day.share) + "px",
                        isMarked: words.isMark(day.state)
                    };
                })
            );
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
            return true; // so that a press does what it does: it gives the focus
        };

        // A finger that is lifted leaves its day told.
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
