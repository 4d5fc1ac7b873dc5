// The navbar entry: its text, its badge, and how it fits into the room there is.
$(function () {
    const {words} = OctoPrint.plugins.octoprint_uptime._page;
    const ID = "octoprint_uptime";

    // The parts that the entry gives up when there is too little room, one after another.
    const GIVEN_UP_IN_TURN = ["labels", "secondUptime", "seconds", "text"];

    // Until an uptime is known, reserve room for one of ten days.
    const PLACEHOLDER_SECONDS = 10 * 86400;

    function OctoPrintUptimeNavbarViewModel([asking, popover]) {
        const self = this;

        const SUBJECTS = [
            {uptime: asking.system, setting: "show_system_uptime"},
            {uptime: asking.octoprint, setting: "show_octoprint_uptime"}
        ];

        const client = OctoPrint.plugins[ID];

        self.popover = popover;
        self.stale = asking.stale;

        const pointedAt = ko.observable(false);
        const focused = ko.observable(false);

        const entry = ko.observable(); // its element, unless OctoPrint's settings hide it
        const givenUp = ko.observable([]);
        const measuringWidest = ko.observable(false);

        self.visible = ko.pureComputed(
            () =>
                entry() !== undefined &&
                asking.permitted() &&
                SUBJECTS.some(({setting}) => asking.saved()[setting])
        );

        // The entry's text

        // Return the widest text with these units. All digits are equally wide, so it changes only when a unit is
        // added or the days get another digit.
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

        // Return each uptime's text, "" if it is not shown.
        function textsOf(values, without, widest) {
            const texts = SUBJECTS.map((subject) => textOf(subject, values, without, widest));
            const oneAtATime = values.compact_display || without.includes("secondUptime");
            if (!oneAtATime || texts.includes("")) return texts;
            const turn = Math.floor(asking.now() / 1000 / values.compact_toggle_interval_seconds);
            const [system, octoprint] = SUBJECTS.map(
                ({uptime}, place) =>
                    texts[place].length + (without.includes("labels") ? 0 : uptime.label().length)
            );
            const systemsTurn = widest ? system > octoprint : turn % 2 === 1;
            return systemsTurn ? [texts[0], ""] : ["", texts[1]];
        }

        // Return an entry's parts. Each is its own observable, so that only changes are drawn.
        self.partsOf = (values, without = () => [], widest = () => false) => {
            const texts = ko.pureComputed(() => textsOf(values(), without(), widest()));
            const labels = ko.pureComputed(() => !without().includes("labels"));
            const [system, octoprint] = SUBJECTS.map(({uptime}, place) => {
                const text = ko.pureComputed(() => texts()[place]);
                const shown = ko.pureComputed(() => text() !== "");
                return {
                    name: uptime.label,
                    label: ko.pureComputed(() => (labels() && shown() ? uptime.label() + " " : "")),
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

        // Changes when the entry's width may change, but not every second.
        const shape = ko.pureComputed(() =>
            [
                self.visible(),
                asking.system.label(),
                asking.saved().compact_display,
                ...textsOf(asking.saved(), [], true)
            ].join()
        );

        const element = (suffix) => document.getElementById(`navbar_plugin_${ID}_${suffix}`);

        // Give up one part after another until the navbar is no higher than without the entry.
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
            popover.fit();
        }

        const unseen = ko.pureComputed(() => {
            const {unseen_restarts: shutdowns, unseen_lost_prints: prints} = asking.answer() || {};
            return _.compact([
                shutdowns && words.shutdownsOf(shutdowns),
                prints && words.lostPrintsOf(prints)
            ]).join(", ");
        });

        self.isMarked = ko.pureComputed(() => unseen() !== "");

        // The icon's name, which a screen reader reads first
        self.name = ko.pureComputed(() => {
            if (!self.isMarked()) return gettext("Uptime:");
            return _.sprintf(gettext("New: %(news)s. Uptime:"), {news: unseen()});
        });

        // The tooltip, computed only while somebody can see or hear it

        self.pointAt = () => pointedAt(true);
        self.pointElsewhere = () => pointedAt(false);
        self.focus = () => focused(true);
        self.blur = () => focused(false);

        self.tooltip = ko.pureComputed(() => {
            if (!(popover.open() || pointedAt() || focused())) return undefined;
            const since = popover.details
                .filter(({known}) => known())
                .map(({label, since}) => `${label()} ${since()}`);
            return [popover.problem(), ...since, popover.note()].filter(Boolean).join("\n");
        });

        // OctoPrint's callbacks

        self.onBoundTo = (target, element) => {
            entry(element);
        };

        self.onAllBound = () => {
            if (!entry()) return;
            asking.watch(self.visible);
            shape.subscribe(fit);
            window.addEventListener("resize", fit);
            // Observe only elements whose size is independent of the entry's, or `fit` would trigger itself.
            if (window.ResizeObserver) {
                const observer = new ResizeObserver(fit);
                $("#navbar .brand")
                    .add($(entry()).siblings())
                    .each((place, other) => observer.observe(other));
            }
            popover.closeFromOutside(entry());
        };
    }

    OCTOPRINT_VIEWMODELS.push({
        construct: OctoPrintUptimeNavbarViewModel,
        name: "octoprintUptimeNavbarViewModel",
        dependencies: ["octoprintUptimeViewModel", "octoprintUptimePopoverViewModel"],
        elements: ["#navbar_plugin_octoprint_uptime"]
    });
});
