// The notice of an end without warning, first of all one that lost a print, until somebody dismisses it.
$(function () {
    const {words} = OctoPrint.plugins.octoprint_uptime._page;
    const ID = "octoprint_uptime";

    const CLOSE = () => gettext("Close the notice"); // which dismisses nothing

    function OctoPrintUptimeNoticeViewModel([asking, file, restarts]) {
        const self = this;

        let notice;
        let told; // what the notice is about
        let hiddenId; // the newest restart when somebody closed, hid or dismissed a notice here

        // Words

        function titleOf({unseen_restart: restart, unseen_lost_prints: prints}) {
            if (!restart.lost_print || prints < 2) return words.titleOf(restart);
            const text = ngettext("%(count)d print was lost", "%(count)d prints were lost", prints);
            return _.sprintf(text, {count: prints});
        }

        // What is known of the print, and that it was not resumed.
        function printOf({lost_print: print}, prints) {
            const known = {print: words.printOf(print, gettext("A file"))};
            if (print.seen_at) {
                known.time = words.momentOf(print.seen_at);
                known.print = _.sprintf(gettext("%(print)s, last seen %(time)s"), known);
            }
            const one = prints > 1 ? gettext("The last one: %(print)s.") : "%(print)s.";
            return _.sprintf(one, known) + " " + gettext("The print was not resumed.");
        }

        function endOf(restart) {
            const ended = restart.lost_print
                ? words.endOf(restart)
                : words.capital(words.whenEnded(restart));
            const sentences = [ended + "."];
            if (restart.started_at) {
                const time = words.momentOf(restart.started_at);
                sentences.push(
                    _.sprintf(gettext("OctoPrint is running again since %(time)s."), {time})
                );
            }
            const unattended = words.unattendedOf(restart);
            if (unattended) sentences.push(unattended);
            else if (!restart.lost_print) sentences.push(gettext("No print was lost."));
            return sentences.join(" ");
        }

        function countOf(ends) {
            if (ends < 2) return "";
            const text = gettext(
                "One of %(count)d ends without warning that nobody has dismissed; the restart log has them all."
            );
            return _.sprintf(text, {count: ends});
        }

        function paragraphsOf({unseen_restart: restart, unseen_restarts, unseen_lost_prints}) {
            const {lost_print, unattended_print} = restart;
            const check = gettext("Check the printer: its heaters may have been on ever since.");
            const lost = lost_print ? printOf(restart, unseen_lost_prints) : "";
            const why = gettext("Why is not known; octoprint.log or System info may tell.");
            const line = (text) => $("<p>").text(text);
            return [
                ..._.compact([lost, endOf(restart), countOf(unseen_restarts)]).map(line),
                ...(lost_print || unattended_print ? [line(check).wrapInner("<b>")] : []),
                line(why)
            ];
        }

        // What can be done

        function hide(id) {
            close();
            hiddenId = id;
        }

        function dismiss(id) {
            hide(id);
            OctoPrint.simpleApiCommand(ID, "dismiss", {id})
                .fail(() => {
                    hiddenId = undefined;
                    words.complain(gettext("The notice could not be dismissed for good."));
                })
                .always(asking.askNow);
        }

        // Both are for all ends up to the newest, not only the one that is told.
        function buttonsOf({last_restart: {id}, unseen_restart: {lost_print}}) {
            const button = (text, click, shown = true) => ({
                text,
                click,
                addClass: shown ? "btn-small" : "hidden"
            });
            return [
                button(gettext("Show file"), () => file.show(lost_print), file.canShow(lost_print)),
                button(gettext("Restart log"), restarts.showLog, restarts.hasDialog),
                asking.mayControl()
                    ? button(gettext("Dismiss"), () => dismiss(id))
                    : button(gettext("Hide until the next visit"), () => hide(id))
            ];
        }

        // Showing

        function close() {
            if (notice) {
                notice.options.animation = "none"; // another may take its place at once
                notice.remove();
            }
            notice = told = undefined;
        }

        function show(answer) {
            const {last_restart, unseen_restart} = answer;
            const hideIt = () => hide(last_restart.id);
            notice = new PNotify({
                title: titleOf(answer),
                title_escape: true,
                text: "",
                addclass: "octoprint_uptime_notice" + (unseen_restart.lost_print ? " lost" : ""),
                width: "340px",
                hide: false,
                buttons: {closer_hover: false, sticker: false, labels: {close: CLOSE()}},
                confirm: {confirm: true, buttons: buttonsOf(answer)}
            });
            notice.elem.attr({role: "region", "aria-label": titleOf(answer)});
            // PNotify's own can be pointed at alone.
            notice.elem
                .find(".ui-pnotify-closer")
                .attr({role: "button", tabindex: 0, "aria-label": CLOSE()})
                .on("click", hideIt)
                .on("keydown", ({key}) => ["Enter", " "].includes(key) && hideIt());
            notice.title_container.attr("role", "presentation"); // no heading of the page
            notice.text_container.attr("role", "alert").append(paragraphsOf(answer));
        }

        // Changes whenever there is something else to tell, and at midnight, when today is another day.
        const tellingOf = ({last_restart, unseen_restart, unseen_restarts, unseen_lost_prints}) =>
            [
                ...[last_restart.id, unseen_restart.id, unseen_restarts, unseen_lost_prints],
                ...[asking.mayControl(), moment().format("L")]
            ].join();

        function update(answer) {
            const {last_restart: last, unseen_restart: unseen} = answer || {};
            const telling = unseen && !(last.id <= hiddenId) ? tellingOf(answer) : undefined;
            if (telling === told) return;
            close();
            if (!telling) return;
            show(answer);
            told = telling;
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
            "octoprintUptimeRestartsViewModel"
        ]
    });
});
