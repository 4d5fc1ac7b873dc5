// The navbar's entry and its popover: their words, and how the entry fits into the room there is.
$(function () {
    const ID = "octoprint_uptime";

    // What the entry gives up for want of room, one more each time.
    const GIVEN_UP_IN_TURN = ["labels", "secondUptime", "seconds", "text"];

    // Until an uptime is known, the entry keeps the place for one of some days.
    const PLACEHOLDER_SECONDS = 10 * 86400;

    function OctoPrintUptimeNavbarViewModel([asking, restarts, settingsViewModel]) {
        const self = this;

        const SUBJECTS = [
            {
                uptime: asking.system,
                setting: "show_system_uptime",
                labelled: gettext("System %(uptime)s")
            },
            {
                uptime: asking.octoprint,
                setting: "show_octoprint_uptime",
                labelled: gettext("OctoPrint %(uptime)s")
            }
        ].map((subject) => ({...subject, label: _.sprintf(subject.labelled, {uptime: ""}).trim()}));

        const client = OctoPrint.plugins[ID];

        self.restarts = restarts;
        self.saved = asking.saved;
        self.stale = asking.stale;
        // OctoPrint's settings may leave the plugin's pane out.
        const pane = document.getElementById("settings_plugin_" + ID);
        self.mayConfigure = ko.pureComputed(() => pane !== null && asking.mayConfigure());

        self.open = ko.observable(false);

        const pointedAt = ko.observable(false);
        const focused = ko.observable(false);

        const entry = ko.observable(); // its element, unless OctoPrint's settings leave it out
        const givenUp = ko.observable([]);
        const measuringWidest = ko.observable(false);

        self.visible = ko.pureComputed(
            () =>
                entry() !== undefined &&
                asking.permitted() &&
                SUBJECTS.some(({setting}) => asking.saved()[setting])
        );

        // The entry's text

        // The widest text with these units. All digits are equally wide, so that it changes only with a
        // unit, or with the number of the days' digits.
        const widestOf = (text) => text.replace(/\b\d(?=[hms])/g, "00").replace(/\d/g, "0");

        function textOf({uptime, setting}, values, without, widest) {
            const known = asking.answer() || asking.stale();
            if (!values[setting] || without.includes("text") || !(known || widest)) return "";
            const seconds = known ? uptime.seconds() : PLACEHOLDER_SECONDS;
            if (seconds === null) return gettext("uptime unknown");
            const withoutSeconds = without.includes("seconds") && values.display_format === "full";
            const text = client.format(seconds, withoutSeconds ? "dhm" : values.display_format);
            return widest ? widestOf(text) : text;
        }

        // The text of each uptime after its label, "" for one that is not shown.
        function textsOf(values, without, widest) {
            const texts = SUBJECTS.map((subject) => textOf(subject, values, without, widest));
            const oneAtATime = values.compact_display || without.includes("secondUptime");
            if (!oneAtATime || texts.includes("")) return texts;
            const turn = Math.floor(asking.now() / 1000 / values.compact_toggle_interval_seconds);
            const [system, octoprint] = SUBJECTS.map(
                ({label}, place) =>
                    texts[place].length + (without.includes("labels") ? 0 : label.length)
            );
            const systemsTurn = widest ? system > octoprint : turn % 2 === 1;
            return systemsTurn ? [texts[0], ""] : ["", texts[1]];
        }

        // The parts of an entry with these settings, for the template. Each is an observable of its own, so
        // that only what has changed is drawn again.
        self.partsOf = (values, without = () => [], widest = () => false) => {
            const texts = ko.pureComputed(() => textsOf(values(), without(), widest()));
            const labels = ko.pureComputed(() => !without().includes("labels"));
            const [system, octoprint] = SUBJECTS.map(({uptime, label}, place) => {
                const text = ko.pureComputed(() => texts()[place]);
                const shown = ko.pureComputed(() => text() !== "");
                return {
                    label: ko.pureComputed(() => (labels() && shown() ? label + " " : "")),
                    icon: ko.pureComputed(() => !labels() && shown()),
                    text,
                    shown,
                    counts: uptime.known
                };
            });
            const both = ko.pureComputed(() => system.shown() && octoprint.shown());
            return {system, octoprint, both};
        };

        self.parts = self.partsOf(asking.saved, givenUp, measuringWidest);

        // Fitting

        // Changes whenever the entry's width may change, but not with each second.
        const shape = ko.pureComputed(() =>
            [
                self.visible(),
                asking.saved().compact_display,
                ...textsOf(asking.saved(), [], true)
            ].join()
        );

        const element = (suffix) => document.getElementById(`navbar_plugin_${ID}_${suffix}`);

        // Gives up one thing after the other until the navbar is no higher than without the entry.
        function fit() {
            const navbar = document.getElementById("navbar");
            const texts = element("texts");
            const {style} = entry();
            style.position = "absolute";
            const height = navbar.offsetHeight;
            style.position = texts.style.minWidth = "";
            measuringWidest(true);
            let count = 0;
            givenUp([]);
            while (navbar.offsetHeight > height && count < GIVEN_UP_IN_TURN.length) {
                givenUp(GIVEN_UP_IN_TURN.slice(0, ++count));
            }
            texts.style.minWidth = Math.ceil(texts.getBoundingClientRect().width) + "px";
            measuringWidest(false);
            if (self.open()) keepInsideThePage();
        }

        function keepInsideThePage() {
            const popover = element("popover");
            popover.style.right = "";
            const left = popover.getBoundingClientRect().left + window.scrollX;
            popover.style.right = Math.min(0, left - 8) + "px";
        }

        // Words, for as long as somebody can see or hear them

        self.pointAt = () => pointedAt(true);
        self.pointElsewhere = () => pointedAt(false);
        self.focus = () => focused(true);
        self.blur = () => focused(false);

        self.problem = ko.pureComputed(() =>
            asking.stale()
                ? _.sprintf(gettext("No answer from the server since %(time)s"), {
                      time: moment(asking.answeredAt()).format("LTS")
                  })
                : ""
        );

        self.details = SUBJECTS.map(({uptime, labelled}) => {
            const since = ko.pureComputed(() =>
                _.sprintf(gettext("since %(date)s"), {
                    date: moment(uptime.startedAt()).format("ll LTS")
                })
            );
            const labelledUptime = ko.pureComputed(() =>
                _.sprintf(labelled, {uptime: client.format(uptime.seconds())})
            );
            return {known: uptime.known, labelled, labelledUptime, since};
        });

        const ofAnswer = (key) => ko.pureComputed(() => (asking.answer() || {})[key]);
        const scope = ofAnswer("uptime_scope");
        const source = ofAnswer("uptime_source");

        self.note = ofAnswer("uptime_note");
        self.inContainer = ko.pureComputed(() => scope() === "container");
        self.source = ko.pureComputed(() => (source() === "proc" ? "/proc/uptime" : source()));

        self.tooltip = ko.pureComputed(() => {
            if (!(self.open() || pointedAt() || focused())) return undefined;
            const since = self.details
                .filter(({known}) => known())
                .map(({labelled, since}) => _.sprintf(labelled, {uptime: since()}));
            return [self.problem(), ...since, self.note()].filter(Boolean).join("\n");
        });

        // The popover

        self.toggle = () => {
            self.open(!self.open());
            if (self.open()) keepInsideThePage();
        };

        self.showLog = () => {
            self.open(false);
            restarts.showLog();
        };

        self.configure = () => {
            self.open(false);
            settingsViewModel.show("settings_plugin_" + ID);
        };

        function onInput(event) {
            const {key, target} = event;
            const button = element("button");
            if (key === "Escape" && self.open()) {
                button.focus();
                self.open(false);
            } else if (key === " " && target === button) {
                event.preventDefault();
                self.toggle();
            } else if (!entry().contains(target)) {
                self.open(false);
            }
        }

        // OctoPrint's callbacks

        self.onBoundTo = (target, element) => {
            entry(element);
        };

        self.onAllBound = () => {
            if (!entry()) return;
            asking.watch(self.visible);
            shape.subscribe(fit);
            window.addEventListener("resize", fit);
            // Only elements whose size does not depend on the entry's; otherwise `fit` would trigger itself.
            const observer = new ResizeObserver(fit);
            $("#navbar .brand")
                .add($(entry()).siblings())
                .each((place, other) => observer.observe(other));
            ["click", "focusin", "keydown"].forEach((type) =>
                document.addEventListener(type, onInput, true)
            );
        };
    }

    OCTOPRINT_VIEWMODELS.push({
        construct: OctoPrintUptimeNavbarViewModel,
        name: "octoprintUptimeNavbarViewModel",
        dependencies: [
            "octoprintUptimeViewModel",
            "octoprintUptimeRestartsViewModel",
            "settingsViewModel"
        ],
        elements: ["#navbar_plugin_octoprint_uptime"]
    });
});
