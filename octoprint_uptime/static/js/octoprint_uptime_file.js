// Shows the file of a lost print in OctoPrint's list of files. Starts nothing.
$(function () {
    const {words} = OctoPrint.plugins.octoprint_uptime._page;
    function OctoPrintUptimeFileViewModel([files, loginState, access]) {
        const self = this;

        const list = () => document.getElementById("files"); // unless OctoPrint's settings leave it out

        // Without a path the file is not known to whoever looks; the list holds OctoPrint's own storage.
        self.canShow = (print) =>
            Boolean(print && print.path && print.origin === "local" && list()) &&
            loginState.hasPermission(access.permissions.FILES_LIST);

        self.show = ({path, origin}) => {
            $(list()).collapse("show");
            return files.requestData().then(
                () => {
                    // OctoPrint would show the root instead, and not say so.
                    if (!files.elementByPath(path))
                        return words.complain(gettext("The file is no longer there."));
                    files.searchQuery("");
                    if (files.changeStorage) files.changeStorage(origin); // from 2.0 on
                    files.changeFolderByPath(path.split("/").slice(0, -1).join("/"));
                    files.highlightFile({path, origin});
                    const row = files.getEntryElement({path, origin});
                    if (row) row.scrollIntoView({block: "center"});
                    else words.complain(gettext("A filter of the list of files hides it."));
                },
                () => words.complain(gettext("The list of files could not be loaded."))
            );
        };
    }

    OCTOPRINT_VIEWMODELS.push({
        construct: OctoPrintUptimeFileViewModel,
        name: "octoprintUptimeFileViewModel",
        dependencies: ["filesViewModel", "loginStateViewModel", "accessViewModel"]
    });
});
