// The popover of the navbar entry: both uptimes, the last 30 days, and the last restart.
$(function () {
    const {words} = OctoPrint.plugins.octoprint_uptime._page;
    const ID = "octoprint_uptime";

    const MARGIN_PX = 8;

    const element = (suffix) => document.getElementById(`navbar_plugin_${ID}_${suffix}`);

    function OctoPrintUptimePopoverViewModel([asking, strip, restarts, settingsViewModel]) {
        const self = this;

        const client = OctoPrint.plugins[ID];
        const answer = ko.pureComputed(() => asking.answer() || {});

        self.strip = strip;
        self.hasLog = restarts.hasDialog;
        self.open = ko.observable(false);

        // OctoPrint's settings can hide the plugin's pane.
        const pane = document.getElementById("settings_plugin_" + ID);
        self.mayConfigure = ko.pureComputed(() => pane !== null && asking.mayConfigure());

        self.problem = ko.pureComputed(() =>
            asking.stale()
                ? _.sprintf(gettext("No response from the server since %(time)s"), {
                      time: words.momentOf(asking.answeredAt())
                  })
                : ""
        );

        self.details = [asking.system, asking.octoprint].map((uptime) => ({
            label: uptime.label,
            known: uptime.known,
            uptime: ko.pureComputed(() => client.format(uptime.seconds())),
            since: ko.pureComputed(() => {
                asking.answer(); // midnight changes what "today" is
                return _.sprintf(gettext("since %(time)s"), {
                    time: words.momentOf(uptime.startedAt())
                });
            })
        }));

        self.note = ko.pureComputed(() => answer().uptime_note);

        // Omit the usual source.
        self.source = ko.pureComputed(() => {
            const {uptime_source: source} = answer();
            if (!source || source === "proc") return "";
            return _.sprintf(gettext("The host's uptime comes from %(source)s."), {source});
        });

        self.isRecorded = ko.pureComputed(
            () => Boolean(asking.answer()) && asking.saved().restart_log
        );
        self.hasStrip = ko.pureComputed(
            () => self.isRecorded() && !words.hasNothingToShow(answer())
        );

        self.sentence = ko.pureComputed(() => {
            if (!self.isRecorded()) return "";
            const {last_restart, recorded_since} = answer();
            if (last_restart) return words.sentenceOf(last_restart);
            if (self.hasStrip()) {
                const time = words.momentOf(recorded_since);
                return _.sprintf(gettext("No restart since %(time)s."), {time});
            }
            const promise = gettext(
                "This will show, day by day, how long OctoPrint was running and when it stopped unexpectedly."
            );
            return _.compact([words.recordingSince(answer()), promise]).join(" ");
        });

        // What can be done

        self.toggle = () => {
            self.open(!self.open());
            self.fit();
        };

        self.showLog = () => {
            element("button").focus(); // the log returns the focus here
            self.open(false);
            restarts.showLog();
        };

        self.configure = () => {
            self.open(false);
            settingsViewModel.show("settings_plugin_" + ID);
        };

        // Keep it inside the window and, if there is room, left of the notice: neither covers the other's buttons then.
        self.fit = () => {
            if (!self.open()) return;
            const {style} = element("popover");
            style.right = "";
            const {left, right} = element("popover").getBoundingClientRect();
            const notice = document.querySelector(`.${ID}_notice`);
            const room = left - MARGIN_PX;
            const beyond = right + MARGIN_PX - document.documentElement.clientWidth;
            const covered = notice ? right + MARGIN_PX - notice.getBoundingClientRect().left : 0;
            const shift = Math.max(0, beyond, covered <= room ? covered : 0);
            style.right = Math.min(room, shift) + "px";
        };

        // Close it with Escape, or when the mouse is pressed or the focus goes elsewhere.
        self.closeFromOutside = (entry) => {
            const onInput = (event) => {
                const {key, target} = event;
                if (key === "Escape" && self.open()) {
                    element("button").focus();
                    self.open(false);
                } else if (key === " " && target === element("button")) {
                    event.preventDefault();
                    self.toggle();
                } else if (!key && !entry.contains(target)) {
                    self.open(false);
                }
            };
            ["mousedown", "focusin", "keydown"].forEach((type) =>
                document.addEventListener(type, onInput, true)
            );
        };

        // Changes when the strip must be loaded; "" while it is hidden.
        const stripShown = ko.pureComputed(() => {
            const {last_restart, recorded_since} = answer();
            if (!self.open() || !self.hasStrip()) return "";
            return [last_restart && last_restart.id, recorded_since, moment().format("L")].join();
        });

        self.onBeforeBinding = () => {
            stripShown.subscribe((shown) => shown && strip.load());
            asking.answer.subscribe(() => setTimeout(self.fit)); // a notice may have appeared
            // The loaded days may belong to a user who has logged out.
            asking.permitted.subscribe(strip.forget);
        };
    }

    OCTOPRINT_VIEWMODELS.push({
        construct: OctoPrintUptimePopoverViewModel,
        name: "octoprintUptimePopoverViewModel",
        dependencies: [
            "octoprintUptimeViewModel",
            "octoprintUptimeStripViewModel",
            "octoprintUptimeRestartsViewModel",
            "settingsViewModel"
        ]
    });
});
