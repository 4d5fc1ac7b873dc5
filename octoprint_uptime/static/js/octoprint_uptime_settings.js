// The plugin's pane in the settings dialog: a preview of choices that are not saved yet, and what stands beside them.
$(function () {
    const ID = "octoprint_uptime";

    function OctoPrintUptimeSettingsViewModel([asking, restarts, navbar, settingsViewModel]) {
        const self = this;

        self.settings = undefined; // what the dialog edits
        self.saved = asking.saved;
        self.hasLog = restarts.hasDialog;
        self.showLog = restarts.showLog;
        self.clearLog = restarts.clear;
        self.mayConfigure = restarts.mayConfigure;
        self.dialogOpen = ko.observable(false);
        self.copied = ko.observable(false);

        self.preview = navbar.partsOf(() => _.mapValues(self.settings, ko.unwrap));

        // What the server will store; "" for a value that it takes as it is. See Whole in settings.py.
        self.problemOf = (value, low, high, fallback) => {
            const number = String(value).trim() === "" ? NaN : Number(value);
            const used = isNaN(number)
                ? fallback
                : Math.trunc(Math.min(Math.max(number, low), high));
            if (used === number) return "";
            const words = gettext(
                "Not a whole number from %(low)d to %(high)d: %(used)d will be used."
            );
            return _.sprintf(words, {low, high, used});
        };

        const apiUrl = new URL("api/plugin/" + ID, window.location);
        self.apiExample = `curl -H "X-Api-Key: YOUR_API_KEY" "${apiUrl}"`;

        self.copyStatus = ko.pureComputed(() => (self.copied() ? gettext("Copied.") : ""));

        self.copyApiExample = (viewModel, event) => {
            copyToClipboard(self.apiExample);
            event.target.focus(); // which the copying has taken
            self.copied(true);
        };

        self.onBeforeBinding = () => {
            self.settings = settingsViewModel.settings.plugins[ID];
        };

        // Not called where OctoPrint's settings leave the pane out.
        self.onBoundTo = () => asking.watch(self.dialogOpen);

        self.onSettingsShown = () => {
            self.dialogOpen(true);
        };

        self.onSettingsHidden = () => {
            self.dialogOpen(false);
            self.copied(false);
        };
    }

    OCTOPRINT_VIEWMODELS.push({
        construct: OctoPrintUptimeSettingsViewModel,
        name: "octoprintUptimeSettingsViewModel",
        dependencies: [
            "octoprintUptimeViewModel",
            "octoprintUptimeRestartsViewModel",
            "octoprintUptimeNavbarViewModel",
            "settingsViewModel"
        ],
        elements: ["#settings_plugin_octoprint_uptime"]
    });
});
