// The plugin's pane in the settings dialog, with a preview of unsaved choices.
$(function () {
    const {words} = OctoPrint.plugins.octoprint_uptime._page;
    const ID = "octoprint_uptime";

    function OctoPrintUptimeSettingsViewModel([asking, restarts, navbar, settingsViewModel]) {
        const self = this;

        self.settings = undefined; // what the dialog edits
        self.saved = asking.saved;
        self.hasLog = restarts.hasDialog;
        self.showLog = restarts.showLog;
        self.clearLog = restarts.clear;
        self.mayConfigure = asking.mayConfigure;
        self.dialogOpen = ko.observable(false);
        self.copied = ko.observable("");

        self.preview = navbar.partsOf(() => _.mapValues(self.settings, ko.unwrap));

        // Return what is wrong with a value, or "". `Whole` in settings.py decides what the server saves.
        self.problemOf = (value, low, high, fallback) => {
            const text = String(value).trim();
            const number = text === "" ? NaN : Number(text);
            const used = isNaN(number)
                ? fallback
                : Math.trunc(Math.min(Math.max(number, low), high));
            const isWhole = /^[+-]?\d+$/.test(text); // as it is written: not 1e3
            if (used === number && isWhole) return "";
            const warning = !isWhole
                ? gettext("Enter a whole number. Otherwise, %(used)d will be saved.")
                : number > high
                  ? gettext("Enter %(used)d or less. Otherwise, %(used)d will be saved.")
                  : gettext("Enter %(used)d or more. Otherwise, %(used)d will be saved.");
            return _.sprintf(warning, {used});
        };

        const apiUrl = new URL("api/plugin/" + ID, window.location);
        self.apiExample = `curl -H "X-Api-Key: YOUR_API_KEY" "${apiUrl}"`;

        self.copyApiExample = (viewModel, event) => words.copy(self.apiExample, event, self.copied);

        self.onBeforeBinding = () => {
            self.settings = settingsViewModel.settings.plugins[ID];
        };

        // OctoPrint does not call this if its settings hide the pane.
        self.onBoundTo = () => asking.watch(self.dialogOpen);

        self.onSettingsShown = () => {
            self.dialogOpen(true);
        };

        self.onSettingsHidden = () => {
            self.dialogOpen(false);
            self.copied("");
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
