// The words of the notice of an unexpected shutdown or a lost print.
(function () {
    const page = OctoPrint.plugins.octoprint_uptime._page;
    const {words} = page;

    function titleOf({unseen_restart: restart, unseen_lost_prints: prints}) {
        if (!restart.lost_print || prints < 2) return words.titleOf(restart);
        const text = ngettext("%(count)d print was lost", "%(count)d prints were lost", prints);
        return _.sprintf(text, {count: prints});
    }

    function lostPrintOf({lost_print: print}, prints) {
        if (!print) return "";
        const known = {print: words.printOf(print, gettext("A file"))};
        if (print.seen_at) {
            known.when = words.atMoment(print.seen_at);
            known.print = _.sprintf(gettext("%(print)s, last recorded %(when)s"), known);
        }
        const one = prints > 1 ? gettext("The last one: %(print)s.") : "%(print)s.";
        return _.sprintf(one, known) + " " + gettext("The print was not resumed.");
    }

    function endOf(restart) {
        const {lost_print, started_at} = restart;
        const ended = lost_print ? words.endOf(restart) : words.capital(words.whenEnded(restart));
        const when = started_at && words.atMoment(started_at);
        const unattended = words.unattendedOf(restart);
        return _.compact([
            ended + ".",
            when && _.sprintf(gettext("OctoPrint came back %(when)s."), {when}),
            unattended || (!lost_print && gettext("No print was lost."))
        ]).join(" ");
    }

    const countOf = (count) =>
        count > 1 &&
        _.sprintf(
            gettext(
                "This is one of %(count)d unexpected shutdowns that haven't been dismissed. The restart log lists them all."
            ),
            {count}
        );

    // Return the notice's paragraphs, first what was lost.
    function paragraphsOf({unseen_restart: restart, unseen_restarts, unseen_lost_prints}) {
        const {lost_print, unattended_print} = restart;
        const check =
            (lost_print || unattended_print) &&
            gettext("Check your printer: the heaters may still be on.");
        const cause = gettext("The cause is unknown. octoprint.log may have clues.");
        return [
            {text: lostPrintOf(restart, unseen_lost_prints)},
            {text: endOf(restart)},
            {text: countOf(unseen_restarts)},
            {text: check, isBold: true},
            {text: cause, namesLogFile: true}
        ].filter(({text}) => text);
    }

    page.news = {titleOf, paragraphsOf};
})();
