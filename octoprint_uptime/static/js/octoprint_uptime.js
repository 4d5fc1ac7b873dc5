$(function () {
    const ID = "octoprint_uptime";

    // What the entry gives up for want of room, one more at each step
    const [LABELS, SECOND_UPTIME, SECONDS, TEXT] = [1, 2, 3, 4];

    const TOGETHER_SECONDS = 300; // from the host's start to OctoPrint's

    function UptimeViewModel([settingsViewModel, loginState, access]) {
        const self = this;

        const SUBJECTS = [
            {prefix: "", setting: "show_system_uptime", words: gettext("System %(uptime)s")},
            {
                prefix: "octoprint_",
                setting: "show_octoprint_uptime",
                words: gettext("OctoPrint %(uptime)s")
            }
        ];

        const {format} = OctoPrint.plugins[ID];
        const element = (suffix) => document.getElementById("navbar_plugin_" + ID + suffix);

        self.answer = ko.observable();
        self.failures = ko.observable(0); // polls in a row without an answer
        self.now = ko.observable(0);
        self.tabVisible = ko.observable(!document.hidden);
        self.dialogOpen = ko.observable(false);
        self.saved = ko.observable(); // settings, as the server last gave them
        self.settings = undefined; // what the settings dialog edits
        self.step = ko.observable(0);
        self.measured = ko.observable(false); // with its widest text
        self.open = ko.observable(false);
        self.restart = ko.observable("");
        self.log = ko.observable();
        self.copied = ko.observable(false);

        const startedAt = {};
        let tickTimer;
        let pollTimer;
        let pollAt = 0;
        let latestPoll;
        let restarts;
        let answeredAt = moment().format("LTS");
        let clocksApart = Date.now() - performance.now();

        const shown = (values) => SUBJECTS.filter((subject) => values[subject.setting]);

        const secondsOf = (prefix) => {
            const answer = self.answer();
            if (!answer || answer[prefix + "seconds"] === null) return null;
            const age = Math.max(0, self.now() - answer.readAt);
            return answer[prefix + "seconds"] + age / 1000;
        };

        self.stale = ko.pureComputed(() => self.failures() > 0);

        // The navbar entry

        // One text for each subject, "" for what is not there.
        function textsOf(values, step, widest) {
            const known = self.answer() || self.stale();
            const texts = SUBJECTS.map(({prefix, setting, words}) => {
                if (!values[setting] || step >= TEXT || !(known || widest)) return "";
                // Until it is known: the place that some days need.
                const seconds = known ? secondsOf(prefix) : 864000;
                const {display_format} = values;
                const kept = step >= SECONDS && display_format === "full" ? "dhm" : display_format;
                let uptime = seconds === null ? gettext("uptime unknown") : format(seconds, kept);
                if (widest) uptime = uptime.replace(/\b\d(?=[hms])/g, "00");
                return step < LABELS ? _.sprintf(words, {uptime}) : uptime;
            });
            const [system, octoprint] = texts;
            if (!system || !octoprint || !(values.compact_display || step >= SECOND_UPTIME)) {
                return texts;
            }
            const turns = self.now() / 1000 / values.compact_toggle_interval_seconds;
            const systemsTurn = widest ? system.length > octoprint.length : Math.floor(turns) % 2;
            return systemsTurn ? [system, ""] : ["", octoprint];
        }

        self.texts = ko.pureComputed(() => textsOf(self.saved(), self.step(), self.measured()));

        self.visible = ko.pureComputed(() => self.permitted() && shown(self.saved()).length > 0);

        // All that changes the entry's width, but for the digits.
        const shape = ko.pureComputed(() =>
            [self.visible(), self.saved().compact_display, ...textsOf(self.saved(), 0, true)].join()
        );

        // Give up just enough for a navbar as high as without the entry.
        function fit() {
            const entry = element("").style;
            const texts = element("_texts");
            const navbar = document.getElementById("navbar");
            entry.position = "absolute";
            const height = navbar.offsetHeight;
            entry.position = texts.style.minWidth = "";
            self.measured(true);
            self.step(0);
            while (navbar.offsetHeight > height && self.step() < TEXT) self.step(self.step() + 1);
            texts.style.minWidth = Math.ceil(texts.getBoundingClientRect().width) + "px";
            self.measured(false);
            keepInsideThePage();
        }

        // Words

        self.duration = (prefix) => moment.duration(secondsOf(prefix), "seconds").humanize();
        self.ago = (prefix) => moment.duration(-secondsOf(prefix), "seconds").humanize(true);

        self.problem = ko.pureComputed(() =>
            self.stale()
                ? _.sprintf(gettext("No answer from the server since %(time)s"), {time: answeredAt})
                : ""
        );

        self.details = ko.pureComputed(() =>
            SUBJECTS.filter(({prefix}) => secondsOf(prefix) !== null).map(({prefix, words}) => {
                const since = _.sprintf(gettext("since %(date)s, %(ago)s"), {
                    date: moment(startedAt[prefix]).format("ll LTS"),
                    ago: self.ago(prefix)
                });
                return {
                    uptime: _.sprintf(words, {uptime: format(secondsOf(prefix))}),
                    since,
                    both: _.sprintf(words, {uptime: since})
                };
            })
        );

        self.tooltip = ko.pureComputed(() =>
            [self.problem(), ..._.map(self.details(), "both"), (self.answer() || {}).uptime_note]
                .filter(Boolean)
                .join("\n")
        );

        // The popover

        self.summary = ko.pureComputed(() => {
            const [system, octoprint] = [secondsOf(""), secondsOf("octoprint_")];
            if (system === null || octoprint === null) return "";
            const together = system - octoprint < TOGETHER_SECONDS;
            return self.answer().uptime_scope + (together ? " together" : "");
        });

        self.mayConfigure = ko.pureComputed(() =>
            loginState.hasPermission(access.permissions.SETTINGS)
        );

        // What is to be said about restarts is loaded when needed.
        function withRestarts(then) {
            const url = `${BASEURL}plugin/${ID}/static/js/${ID}_restarts.js`;
            restarts =
                restarts ||
                $.ajax({url, dataType: "script", cache: true}).then(() =>
                    OctoPrint.plugins[ID].restarts(self)
                );
            restarts.then(then, () => (restarts = undefined));
        }

        function tell() {
            const answer = self.answer();
            if (restarts || (answer && (self.open() || answer.unseen_restart))) {
                withRestarts(({tell}) => tell(answer));
            }
        }

        self.showLog = () => {
            self.open(false);
            withRestarts(({show}) => show());
        };

        self.toggle = () => {
            self.open(!self.open());
            tell();
            keepInsideThePage();
        };

        self.configure = () => {
            self.open(false);
            settingsViewModel.show("settings_plugin_" + ID);
        };

        function keepInsideThePage() {
            const {style} = element("_popover");
            style.right = "";
            const left = element("_popover").getBoundingClientRect().left + window.scrollX;
            style.right = Math.min(0, left - 8) + "px";
        }

        function onInput(event) {
            const {key, target} = event;
            const button = element("_button");
            if (key === "Escape" && self.open()) {
                button.focus();
                self.open(false);
            } else if (key === " " && target === button) {
                event.preventDefault();
                self.toggle();
            } else if (!element("").contains(target)) {
                self.open(false);
            }
        }

        // The settings dialog

        self.preview = ko.pureComputed(() => textsOf(_.mapValues(self.settings, ko.unwrap), 0));

        self.outside = (value, low, high) => !/^\d+$/.test(value) || value < low || value > high;

        self.onSettingsShown = () => self.dialogOpen(true);

        self.onSettingsHidden = () => {
            self.dialogOpen(false);
            self.copied(false);
            takeOver();
        };

        function takeOver() {
            const before = self.saved();
            const now = settingsViewModel.lastReceivedSettings.plugins[ID];
            if (_.isEqual(before, now)) return;
            self.saved(_.clone(now));
            if (before && before.poll_interval_seconds !== now.poll_interval_seconds) pollIn(0);
        }

        // Polling and ticking, while somebody looks

        self.permitted = ko.pureComputed(
            () => loginState.loggedIn() && loginState.hasPermission(access.permissions.STATUS)
        );

        // Once for a notice
        self.active = ko.pureComputed(
            () =>
                self.tabVisible() &&
                self.permitted() &&
                (self.visible() || self.dialogOpen() || !self.answer())
        );

        function run() {
            clearTimeout(tickTimer);
            clearTimeout(pollTimer);
            if (!self.active()) return;
            tick();
            pollTimer = setTimeout(poll, Math.max(0, pollAt - performance.now()));
        }

        function tick() {
            // Not counting what nobody confirms
            if (self.stale()) return;
            self.now(performance.now());
            // To the next whole second of either
            const waits = SUBJECTS.map(({prefix}) => 1001 - ((secondsOf(prefix) * 1000) % 1000));
            tickTimer = setTimeout(tick, Math.min(...waits));
            // After a sleep, or when a clock was set, only the server knows.
            const apart = Date.now() - performance.now();
            const jumped = Math.abs(apart - clocksApart) > 1500;
            clocksApart = apart;
            if (jumped) pollIn(0);
        }

        const interval = () => (self.answer() || self.saved()).poll_interval_seconds;

        function pollIn(seconds) {
            // A browser takes too long a timeout for none.
            pollAt = performance.now() + Math.min(seconds, 86400) * 1000;
            run();
        }

        function poll() {
            const sentAt = (latestPoll = performance.now());
            const ifLatest = (handle) => (response) =>
                sentAt === latestPoll && handle(response, sentAt);
            pollIn(20); // longer than this request can take
            OctoPrint.plugins[ID].get({timeout: 10000}).then(
                ifLatest(self.fromResponse),
                ifLatest(failed)
            );
        }

        function failed() {
            self.failures(self.failures() + 1);
            pollIn(Math.min(interval() * Math.pow(2, self.failures()), 300));
        }

        const isUptime = (seconds) => seconds === null || (_.isFinite(seconds) && seconds >= 0);

        self.fromResponse = (response, sentAt) => {
            const {seconds, octoprint_seconds, poll_interval_seconds} = response || {};
            if (
                !isUptime(seconds) ||
                !isUptime(octoprint_seconds) ||
                !(poll_interval_seconds >= 1)
            ) {
                return failed();
            }
            SUBJECTS.forEach(({prefix}) => {
                // By the browser's clock, and without jitter: see clock.py.
                const start = Date.now() - response[prefix + "seconds"] * 1000;
                if (!(Math.abs(start - startedAt[prefix]) <= 2000)) startedAt[prefix] = start;
            });
            // The server has read it somewhere between question and answer.
            response.readAt = (sentAt + performance.now()) / 2;
            answeredAt = moment().format("LTS");
            self.answer(response);
            self.failures(0);
            tell();
            pollIn(poll_interval_seconds);
        };

        self.onBeforeBinding = () => {
            self.settings = settingsViewModel.settings.plugins[ID];
            takeOver();
            _.each(self.settings, (setting) => setting.subscribe(takeOver));
            self.active.subscribe(run);
            self.permitted.subscribe(() => {
                self.failures(0);
                self.answer(undefined);
                tell();
                pollIn(0);
            });
        };

        self.onAllBound = () => {
            shape.subscribe(fit);
            window.addEventListener("resize", fit);
            // Whose sizes do not depend on the entry's: no circles
            const observer = new ResizeObserver(fit);
            $("#navbar .brand")
                .add($(element("")).siblings())
                .each((place, other) => observer.observe(other));
            ["click", "focusin", "keydown"].forEach((type) =>
                document.addEventListener(type, onInput, true)
            );
            run();
        };

        self.onBrowserTabVisibilityChange = self.tabVisible;

        self.onServerDisconnect = () => self.failures(self.failures() || 1);

        self.onServerConnect = self.onServerReconnect = () => {
            if (!self.visible()) self.answer(undefined);
            pollIn(0);
        };
    }

    OCTOPRINT_VIEWMODELS.push({
        construct: UptimeViewModel,
        dependencies: ["settingsViewModel", "loginStateViewModel", "accessViewModel"],
        elements: [
            "#navbar_plugin_octoprint_uptime",
            "#settings_plugin_octoprint_uptime",
            "#octoprint_uptime"
        ]
    });
});
