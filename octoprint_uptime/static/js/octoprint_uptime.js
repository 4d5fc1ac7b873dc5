$(function () {
    const ID = "octoprint_uptime";

    // The same rules as in formatting.py; a test compares the two.
    const UNITS = {full: ["dhms", 1], dhm: ["dhm", 2], dh: ["dh", 1], d: ["d", 1]};
    const SECONDS = {d: 86400, h: 3600, m: 60, s: 1};

    function formatUptime(seconds, displayFormat) {
        const [units, always] = UNITS[displayFormat];
        const parts = [];
        let rest = Math.floor(seconds);
        units.split("").forEach((unit, place) => {
            const count = Math.floor(rest / SECONDS[unit]);
            rest -= count * SECONDS[unit];
            if (count || parts.length || place >= units.length - always) {
                parts.push(count + unit);
            }
        });
        return parts.join(" ");
    }

    function UptimeViewModel([settingsViewModel, loginState, access]) {
        const self = this;

        const SUBJECTS = [
            {
                prefix: "",
                setting: "show_system_uptime",
                uptime: gettext("System %(uptime)s"),
                unavailable: gettext("System uptime unavailable"),
                started: gettext("System started: %(date)s")
            },
            {
                prefix: "octoprint_",
                setting: "show_octoprint_uptime",
                uptime: gettext("OctoPrint %(uptime)s"),
                unavailable: gettext("OctoPrint uptime unavailable"),
                started: gettext("OctoPrint started: %(date)s")
            }
        ];

        self.answer = ko.observable();
        self.failures = ko.observable(0); // polls in a row without an answer
        self.now = ko.observable(0); // as performance.now()
        self.tabVisible = ko.observable(!document.hidden);
        self.dialogOpen = ko.observable(false);
        self.saved = ko.observable(); // our settings as the server last gave them
        self.settings = undefined; // the same as observables, which the settings dialog edits

        const startedAt = {};
        let tickTimer;
        let pollTimer;
        let pollAt = 0;
        let latestPoll;

        const shown = (values) => SUBJECTS.filter((subject) => values[subject.setting]);

        const secondsOf = (prefix) => {
            const answer = self.answer();
            if (!answer || answer[prefix + "seconds"] === null) return null;
            const age = Math.max(0, self.now() - answer.readAt);
            return answer[prefix + "seconds"] + age / 1000;
        };

        self.format = formatUptime;

        self.parts = ko.pureComputed(() =>
            shown(self.saved()).map(({prefix, uptime, unavailable}) => {
                const seconds = secondsOf(prefix);
                return seconds === null
                    ? unavailable
                    : _.sprintf(uptime, {
                          uptime: formatUptime(seconds, self.saved().display_format)
                      });
            })
        );

        self.stale = ko.pureComputed(() => self.failures() > 0);

        self.text = ko.pureComputed(() => {
            const known = self.permitted() && (self.answer() || self.stale());
            const parts = known ? self.parts() : [];
            const {compact_display, compact_toggle_interval_seconds} = self.saved();
            if (parts.length < 2 || !compact_display) return parts.join(" | ");
            const turns = self.now() / 1000 / compact_toggle_interval_seconds;
            return parts[Math.floor(turns) % 2];
        });

        self.tooltip = ko.pureComputed(() => {
            const answer = self.answer();
            if (!answer) return self.stale() ? gettext("No answer from the server") : "";
            const lines = [];
            if (self.stale()) {
                const time = answer.receivedOn.toLocaleTimeString();
                lines.push(_.sprintf(gettext("No answer from the server since %(time)s"), {time}));
            }
            SUBJECTS.forEach(({prefix, started}) => {
                if (answer[prefix + "seconds"] === null) return;
                const style = {dateStyle: "medium", timeStyle: "medium"};
                const date = new Date(startedAt[prefix]).toLocaleString(undefined, style);
                lines.push(_.sprintf(started, {date}));
            });
            return lines.concat(answer.uptime_note || []).join("\n");
        });

        // The settings dialog

        const chosen = () => SUBJECTS.filter((subject) => self.settings[subject.setting]());
        self.showsAny = ko.pureComputed(() => chosen().length > 0);
        self.showsBoth = ko.pureComputed(() => chosen().length > 1);

        self.example = (displayFormat) => {
            const seconds = secondsOf("") === null ? secondsOf("octoprint_") : secondsOf("");
            return seconds === null ? "" : ` (${formatUptime(seconds, displayFormat)})`;
        };

        self.outside = (value, low, high) => !/^\d+$/.test(value) || value < low || value > high;

        self.onSettingsShown = () => self.dialogOpen(true);

        self.onSettingsHidden = () => {
            self.dialogOpen(false);
            takeOver();
        };

        function takeOver() {
            const before = self.saved();
            const now = settingsViewModel.lastReceivedSettings.plugins[ID];
            if (_.isEqual(before, now)) return;
            self.saved(_.clone(now));
            if (before && before.poll_interval_seconds !== now.poll_interval_seconds) pollIn(0);
        }

        // Polling and ticking: only while somebody who may see an uptime looks at one

        self.permitted = ko.pureComputed(
            () => loginState.loggedIn() && loginState.hasPermission(access.permissions.STATUS)
        );

        self.active = ko.pureComputed(
            () =>
                self.tabVisible() &&
                self.permitted() &&
                (self.dialogOpen() || shown(self.saved()).length > 0)
        );

        function run() {
            clearTimeout(tickTimer);
            clearTimeout(pollTimer);
            if (!self.active()) return;
            tick();
            pollTimer = setTimeout(poll, Math.max(0, pollAt - performance.now()));
        }

        function tick() {
            // What nobody confirms does not go on counting.
            if (self.stale()) return;
            self.now(performance.now());
            // Wake just after the next whole second of either uptime.
            const waits = SUBJECTS.map(({prefix}) => 1001 - ((secondsOf(prefix) * 1000) % 1000));
            tickTimer = setTimeout(tick, Math.min(...waits));
        }

        const interval = () => (self.answer() || self.saved()).poll_interval_seconds;

        function pollIn(seconds) {
            // No more than a day: a browser takes a longer timeout for none.
            pollAt = performance.now() + Math.min(seconds, 86400) * 1000;
            run();
        }

        function poll() {
            const sentAt = (latestPoll = performance.now());
            const ifLatest = (handle) => (response) =>
                sentAt === latestPoll && handle(response, sentAt);
            pollIn(20); // longer than this request can take
            OctoPrint.simpleApiGet(ID, {timeout: 10000}).then(
                ifLatest(self.fromResponse),
                ifLatest(failed)
            );
        }

        function failed() {
            self.failures(self.failures() + 1);
            pollIn(Math.min(interval() * Math.pow(2, self.failures()), 300));
        }

        const isUptime = (seconds) => seconds === null || _.isFinite(seconds);

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
                // The browser's clock, not the server's, and a moment that does not jitter: see clock.py.
                const moment = Date.now() - response[prefix + "seconds"] * 1000;
                if (!(Math.abs(moment - startedAt[prefix]) <= 2000)) startedAt[prefix] = moment;
            });
            // The server read its clock somewhere between question and answer.
            response.readAt = (sentAt + performance.now()) / 2;
            response.receivedOn = new Date();
            self.answer(response);
            self.failures(0);
            pollIn(poll_interval_seconds);
        };

        self.onBeforeBinding = () => {
            self.settings = settingsViewModel.settings.plugins[ID];
            takeOver();
            _.each(self.settings, (setting) => setting.subscribe(takeOver));
            self.active.subscribe(run);
            self.permitted.subscribe((permitted) => {
                if (!permitted) return;
                self.failures(0);
                pollIn(0);
            });
        };

        self.onAllBound = run;

        self.onBrowserTabVisibilityChange = self.tabVisible;

        // Comes with each of OctoPrint's own attempts to reconnect.
        self.onServerDisconnect = () => {
            self.failures(Math.max(1, self.failures()));
        };

        self.onServerConnect = self.onServerReconnect = () => pollIn(0);
    }

    OCTOPRINT_VIEWMODELS.push({
        construct: UptimeViewModel,
        dependencies: ["settingsViewModel", "loginStateViewModel", "accessViewModel"],
        elements: ["#navbar_plugin_octoprint_uptime", "#settings_plugin_octoprint_uptime"]
    });
});
