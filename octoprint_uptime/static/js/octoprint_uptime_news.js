// The words of the notice of an unexpected shutdown or a lost print. They must stay true while the notice is shown.
(function () {
    const page = OctoPrint.plugins.octoprint_uptime._page;
    const {words, causes} = page;

    function titleOf({unseen_restart: restart, unseen_lost_prints: prints}) {
        if (!restart.lost_print || prints < 2) return words.titleOf(restart);
        const text = ngettext("%(count)d print was lost", "%(count)d prints were lost", prints);
        return _.sprintf(text, {count: prints});
    }

    function lostPrintOf({lost_print: print, printed_since}, prints) {
        if (!print) return "";
        const isOneOfSeveral = prints > 1;
        const unnamed = isOneOfSeveral ? gettext("a file") : gettext("A file");
        const known = {print: words.printOf(print, unnamed)};
        if (print.seen_at) {
            known.when = words.atMoment(print.seen_at);
            known.print = _.sprintf(gettext("%(print)s, last recorded %(when)s"), known);
        }
        const one = isOneOfSeveral ? gettext("The most recent: %(print)s.") : "%(print)s.";
        const resumed = !printed_since && gettext("OctoPrint did not resume the print.");
        return _.compact([_.sprintf(one, known), resumed]).join(" ");
    }

    function endOf(restart) {
        const {lost_print, started_at, ended_after} = restart;
        const ended = lost_print ? words.endOf(restart) : words.capital(words.whenEnded(restart));
        const when = started_at && words.atMoment(started_at);
        const unattended = words.unattendedOf(restart);
        return _.compact([
            ended + ".",
            when && _.sprintf(gettext("OctoPrint came back %(when)s."), {when}),
            unattended ||
                (!lost_print &&
                    ended_after &&
                    // The last heartbeat; a print may have begun after it.
                    _.sprintf(gettext("No print was running %(when)s."), {
                        when: words.atMoment(ended_after)
                    }))
        ]).join(" ");
    }

    function countOf(count, restart) {
        const isCounted = words.isUnexpected(restart);
        if (count < (isCounted ? 2 : 1)) return "";
        const text = isCounted
            ? gettext(
                  "This is one of %(count)d unexpected shutdowns that haven't been dismissed. The restart log lists them all."
              )
            : ngettext(
                  "There was also %(count)d unexpected shutdown that hasn't been dismissed. The restart log lists it.",
                  "There were also %(count)d unexpected shutdowns that haven't been dismissed. The restart log lists them all.",
                  count
              );
        return _.sprintf(text, {count});
    }

    // Return the notice's paragraphs, first what was lost.
    function paragraphsOf({unseen_restart: restart, unseen_restarts, unseen_lost_prints}) {
        const {lost_print, unattended_print, printed_since} = restart;
        const check =
            (lost_print || unattended_print) &&
            !printed_since &&
            gettext("Check your printer: the heaters may still be on.");
        const {what, advice, link} = causes.of(restart);
        return [
            {text: lostPrintOf(restart, unseen_lost_prints)},
            {text: endOf(restart)},
            {text: countOf(unseen_restarts, restart)},
            {text: check, isBold: true},
            {text: _.compact([what, advice]).join(" "), isCause: true, link}
        ].filter(({text}) => text);
    }

    page.news = {titleOf, paragraphsOf};
})();
