// Shows a lost print's file in OctoPrint's file list. Doesn't start a print.
$(function () {
    const {words} = OctoPrint.plugins.octoprint_uptime._page;
    function OctoPrintUptimeFileViewModel([files, loginState, access]) {
        const self = this;

        const list = () => document.getElementById("files"); // null if OctoPrint's settings hide it

        // `collapse("show")` closes an open panel the first time, and ignores one that is closing.
        function open() {
            const panel = $(list()).addClass("in overflow_visible").height("auto");
            // A panel that was closing waits for its transition's end, which no longer comes.
            if ($.support.transition) panel.triggerHandler($.support.transition.end);
            files.filesListVisible(true); // the buttons of the panel's heading
        }

        // If there is no path, the user isn't allowed to see files. The list shows only OctoPrint's own storage.
        self.canShow = (print) =>
            Boolean(print && print.path && print.origin === "local" && list()) &&
            loginState.hasPermission(access.permissions.FILES_LIST);

        self.show = ({path, origin}) => {
            open();
            return files.requestData().then(
                () => {
                    // OctoPrint would silently show the root folder.
                    if (!files.elementByPath(path))
                        return words.complain(gettext("The file no longer exists."));
                    files.searchQuery("");
                    if (files.changeStorage) files.changeStorage(origin); // from 2.0 on
                    files.changeFolderByPath(path.split("/").slice(0, -1).join("/"));
                    files.highlightFile({path, origin});
                    const row = files.getEntryElement({path, origin});
                    if (row) row.scrollIntoView({block: "center"});
                    else words.complain(gettext("A filter in the file list is hiding this file."));
                },
                () => words.complain(gettext("The file list could not be loaded."))
            );
        };
    }

    OCTOPRINT_VIEWMODELS.push({
        construct: OctoPrintUptimeFileViewModel,
        name: "octoprintUptimeFileViewModel",
        dependencies: ["filesViewModel", "loginStateViewModel", "accessViewModel"]
    });
});
