// Polls the server, keeps its answer and keeps counting from it while someone is looking.
$(function () {
    const {words} = OctoPrint.plugins.octoprint_uptime._page;
    const ID = "octoprint_uptime";

    const LONGEST_TIMEOUT_SECONDS = 86400; // browsers immediately fire timers that are much longer than this
    const REQUEST_TIMEOUT_SECONDS = 10;
    const LONGEST_BACKOFF_SECONDS = 300;
    const JUMP_MS = 1500; // between wall clock and steady clock: the device slept, or a clock was set
    const JITTER_MS = 2000; // of the start that each answer implies; see clock.py

    // Handle only the newest of several requests, and none that was made before `forget`.
    function newestRequest() {
        let newest = 0;
        const forget = () => ++newest;
        const begin = () => {
            const number = forget();
            return (handle) => (response) => number === newest && handle(response);
        };
        return {begin, forget};
    }

    function OctoPrintUptimeViewModel([settingsViewModel, loginState, access]) {
        const self = this;

        const client = OctoPrint.plugins[ID];

        self.answer = ko.observable();
        self.answeredAt = ko.observable(Date.now()); // until the first answer: when the page was loaded
        self.now = ko.observable(0); // on the browser's steady clock, at the last tick
        self.saved = ko.observable(); // settings as the server last sent them

        const failures = ko.observable(0); // in a row
        const tabVisible = ko.observable(OctoPrint.coreui.isVisible());
        const views = ko.observableArray(); // each an observable: whether someone is looking at it
        const answerWanted = ko.observable(true); // even if nobody is looking: it may report a restart

        let tickTimer;
        let askTimer;
        let askAt = 0;
        const question = newestRequest();
        let clockOffset = Date.now() - performance.now();

        self.stale = ko.pureComputed(() => failures() > 0);

        self.permitted = ko.pureComputed(
            () => loginState.loggedIn() && loginState.hasPermission(access.permissions.STATUS)
        );

        self.mayConfigure = ko.pureComputed(() =>
            loginState.hasPermission(access.permissions.SETTINGS)
        );

        self.mayControl = ko.pureComputed(() =>
            loginState.hasPermission(access.permissions.CONTROL)
        );

        self.mayReadLogs = ko.pureComputed(
            () =>
                self.mayConfigure() &&
                loginState.hasPermission(access.permissions.PLUGIN_LOGGING_MANAGE)
        );

        // The two uptimes. Unknown seconds are null.

        const uptime = (prefix, label) => ({
            prefix,
            label: ko.pureComputed(label),
            startedAt: ko.observable(),
            known: ko.pureComputed(() => _.isFinite((self.answer() || {})[prefix + "seconds"])),
            seconds: ko.pureComputed(() => {
                const answer = self.answer();
                if (!answer || answer[prefix + "seconds"] === null) return null;
                const age = Math.max(0, self.now() - answer.receivedAt);
                return answer[prefix + "seconds"] + age / 1000;
            })
        });

        self.system = uptime("", () =>
            (self.answer() || {}).uptime_scope === "container"
                ? gettext("Container")
                : gettext("Host")
        );
        self.octoprint = uptime("octoprint_", () => "OctoPrint");

        // Who is looking

        // Register an observable that says whether someone is looking at a view.
        self.watch = (isLookedAt) => views.push(isLookedAt);

        const mayAsk = ko.pureComputed(() => tabVisible() && self.permitted());
        const counting = ko.pureComputed(
            () => mayAsk() && views().some((isLookedAt) => isLookedAt())
        );
        const mustAsk = ko.pureComputed(() => counting() || (mayAsk() && answerWanted()));

        function reschedule() {
            clearTimeout(tickTimer);
            clearTimeout(askTimer);
            if (counting()) tick();
            if (mustAsk()) askTimer = setTimeout(ask, Math.max(0, askAt - performance.now()));
        }

        // Counting

        function tick() {
            // Stop counting while the server does not respond.
            if (self.stale()) return;
            self.now(performance.now());
            tickTimer = setTimeout(tick, secondsToNextTick() * 1000 + 1);
            // After a sleep or a clock change only the server knows the uptime.
            const offset = Date.now() - performance.now();
            const jumped = Math.abs(offset - clockOffset) > JUMP_MS;
            clockOffset = offset;
            if (jumped) askIn(0);
        }

        // One tick a second serves both uptimes. It comes just after the seconds of one uptime change: the one that
        // changes at most half a second after the other. So neither lags by more than half a second.
        function secondsToNextTick() {
            const [system, octoprint] = [self.system.seconds(), self.octoprint.seconds()];
            const toTurn = (seconds) => 1 - (seconds % 1);
            if (octoprint === null) return toTurn(system || 0);
            if (system === null) return toTurn(octoprint);
            const sinceOctoprintTurned = (octoprint + toTurn(system)) % 1;
            return toTurn(sinceOctoprintTurned <= 0.5 ? system : octoprint);
        }

        // Asking

        // Ask for the history of some days, for another view model.
        self.askForDays = (handle, fail) => {
            const {begin, forget} = newestRequest();
            const load = (days) => {
                const ifNewest = begin();
                client.get({data: {days}}).then(ifNewest(handle), ifNewest(fail));
            };
            return {load, forget};
        };

        // Run a command. With status 503 it took effect, but was not saved.
        self.command = (name, parameters, unsaved, refused) =>
            OctoPrint.simpleApiCommand(ID, name, parameters)
                .fail(({status}) => words.complain(status === 503 ? unsaved : refused))
                .always(self.askNow);

        const interval = () => (self.answer() || self.saved()).poll_interval_seconds;

        self.askNow = () => {
            answerWanted(true);
            askIn(0);
        };

        function askIn(seconds) {
            askAt = performance.now() + Math.min(seconds, LONGEST_TIMEOUT_SECONDS) * 1000;
            reschedule();
        }

        function ask() {
            const ifNewest = question.begin();
            askIn(2 * REQUEST_TIMEOUT_SECONDS);
            client
                .get({timeout: REQUEST_TIMEOUT_SECONDS * 1000})
                .then(ifNewest(self.fromResponse), ifNewest(fail));
        }

        function fail() {
            failures(failures() + 1);
            askIn(Math.min(interval() * 2 ** failures(), LONGEST_BACKOFF_SECONDS));
        }

        const isUptime = (seconds) => seconds === null || (_.isFinite(seconds) && seconds >= 0);

        function isAnswer(response) {
            const {seconds, octoprint_seconds, poll_interval_seconds} = response || {};
            return isUptime(seconds) && isUptime(octoprint_seconds) && poll_interval_seconds >= 1;
        }

        self.fromResponse = (response) => {
            if (!isAnswer(response)) return fail();
            const now = Date.now();
            [self.system, self.octoprint].forEach(({prefix, startedAt}) => {
                const start = now - response[prefix + "seconds"] * 1000;
                if (!(Math.abs(start - startedAt()) <= JITTER_MS)) startedAt(start);
            });
            self.answeredAt(now);
            answerWanted(false);
            failures(0);
            // The server read its clock before now, so the count is never ahead of it.
            self.answer({...response, receivedAt: performance.now()});
            askIn(response.poll_interval_seconds);
        };

        // Settings

        function takeOver() {
            const before = self.saved();
            const now = settingsViewModel.lastReceivedSettings.plugins[ID];
            if (_.isEqual(before, now)) return;
            self.saved(_.clone(now));
            const differs = (key) => before && before[key] !== now[key];
            if (differs("poll_interval_seconds") || differs("restart_log")) askIn(0);
        }

        // OctoPrint's callbacks

        self.onBeforeBinding = () => {
            takeOver();
            _.each(settingsViewModel.settings.plugins[ID], (setting) =>
                setting.subscribe(takeOver)
            );
            self.permitted.subscribe(() => {
                question.forget(); // a pending answer belongs to the previous user
                failures(0);
                self.answer(undefined);
                self.askNow();
            });
        };

        self.onAllBound = () => {
            counting.subscribe(reschedule);
            mustAsk.subscribe(reschedule);
            reschedule();
        };

        self.onSettingsHidden = takeOver;

        self.onBrowserTabVisibilityChange = (visible) => {
            tabVisible(visible);
        };

        // Must return nothing: a value tells OctoPrint whether to show its overlay.
        self.onServerDisconnect = () => {
            failures(failures() || 1);
        };

        self.onServerConnect = self.onServerReconnect = self.askNow;
    }

    OCTOPRINT_VIEWMODELS.push({
        construct: OctoPrintUptimeViewModel,
        name: "octoprintUptimeViewModel",
        dependencies: ["settingsViewModel", "loginStateViewModel", "accessViewModel"]
    });
});
