// The notice of an unexpected shutdown or a lost print, which stays until somebody dismisses it.
$(function () {
    const {words, news} = OctoPrint.plugins.octoprint_uptime._page;
    const ID = "octoprint_uptime";

    const LOG_FILE = "octoprint.log";
    const LOG_VIEWER = "settings_plugin_logging"; // OctoPrint's own plugin, which can be disabled

    const CLOSE = () => gettext("Close the notice"); // without dismissing it

    function OctoPrintUptimeNoticeViewModel([asking, file, restarts, settingsViewModel]) {
        const self = this;

        let notice;
        let shown; // what the notice is about
        let hiddenId; // the newest restart when the reader closed, hid or dismissed a notice

        function hide(id) {
            close();
            hiddenId = id;
        }

        function dismiss(id) {
            hide(id);
            const unsaved = gettext(
                "The notice was dismissed, but this could not be saved. It may come back."
            );
            const refused = gettext("The notice could not be dismissed.");
            asking.command("dismiss", {id}, unsaved, refused).fail(() => {
                hiddenId = undefined;
            });
        }

        // Hiding and dismissing apply to all restarts up to the newest.
        function buttonsOf({last_restart: {id}, unseen_restart: {lost_print}}) {
            const button = (text, click, isShown = true) => ({
                text,
                click,
                addClass: isShown ? "btn-small" : "hidden"
            });
            return [
                button(gettext("Show file"), () => file.show(lost_print), file.canShow(lost_print)),
                button(gettext("Restart log"), restarts.showLog, restarts.hasDialog),
                asking.mayControl()
                    ? button(gettext("Dismiss"), () => dismiss(id))
                    : button(gettext("Hide until the next visit"), () => hide(id))
            ];
        }

        const canShowLogFile = () =>
            document.getElementById(LOG_VIEWER) !== null && asking.mayReadLogs();

        const logFileLink = () =>
            $('<a href="#">')
                .text(LOG_FILE)
                .on("click", () => settingsViewModel.show(LOG_VIEWER));

        const whyLink = (href) =>
            $("<a target='_blank' rel='noopener'>")
                .attr({href})
                .text(gettext("How to find out next time"));

        function paragraphOf({text, isBold, isCause, link}) {
            if (isBold) return $("<p>").append($("<b>").text(text));
            const parts = isCause && canShowLogFile() ? text.split(LOG_FILE) : [text];
            const spans = parts.map((part) => $("<span>").text(part));
            if (spans[1]) spans.splice(1, 0, logFileLink());
            return $("<p>").append(spans, link && [" ", whyLink(link)]);
        }

        function close() {
            if (notice) {
                notice.options.animation = "none"; // another may take its place at once
                notice.remove();
            }
            notice = shown = undefined;
        }

        function show(answer) {
            const {last_restart, unseen_restart} = answer;
            const title = news.titleOf(answer);
            const hideIt = () => hide(last_restart.id);
            notice = new PNotify({
                title,
                title_escape: true,
                text: "",
                addclass: "octoprint_uptime_notice" + (unseen_restart.lost_print ? " lost" : ""),
                width: "340px",
                hide: false,
                buttons: {closer_hover: false, sticker: false, labels: {close: CLOSE()}},
                confirm: {confirm: true, buttons: buttonsOf(answer)}
            });
            notice.elem.attr({role: "region", "aria-label": title});
            // The keyboard can't reach PNotify's own button.
            notice.elem
                .find(".ui-pnotify-closer")
                .attr({role: "button", tabindex: 0, "aria-label": CLOSE()})
                .on("click", hideIt)
                .on("keydown", (event) => {
                    if (!["Enter", " "].includes(event.key)) return;
                    event.preventDefault();
                    hideIt();
                });
            notice.title_container.attr("role", "presentation"); // not a heading of the page
            notice.text_container
                .attr("role", "alert")
                .append(news.paragraphsOf(answer).map(paragraphOf));
        }

        // Changes with the notice's content, and at midnight, when "today" becomes "yesterday".
        const contentOf = ({last_restart, unseen_restart, unseen_restarts, unseen_lost_prints}) =>
            [
                ...[last_restart.id, unseen_restart.id, unseen_restarts, unseen_lost_prints],
                ...[unseen_restart.cause, unseen_restart.journal],
                ...[unseen_restart.printed_since, asking.mayControl(), moment().format("L")]
            ].join();

        function update(answer) {
            const {last_restart: last, unseen_restart: unseen} = answer || {};
            const content = unseen && !(last.id <= hiddenId) ? contentOf(answer) : undefined;
            if (content === shown) return;
            const hadFocus = notice && notice.elem[0].contains(document.activeElement);
            words.redraw(`.${ID}_notice button, .${ID}_notice [role=button]`, () => {
                close();
                if (content) show(answer);
            });
            // The focus was on a link, which may have gone.
            if (hadFocus && document.activeElement === document.body)
                $(`.${ID}_notice .ui-pnotify-closer`).focus();
            shown = content;
        }

        self.onBeforeBinding = () => {
            asking.answer.subscribe(update);
        };
    }

    OCTOPRINT_VIEWMODELS.push({
        construct: OctoPrintUptimeNoticeViewModel,
        name: "octoprintUptimeNoticeViewModel",
        dependencies: [
            "octoprintUptimeViewModel",
            "octoprintUptimeFileViewModel",
            "octoprintUptimeRestartsViewModel",
            "settingsViewModel"
        ]
    });
});
