// The figures of a history as text. A figure that is only partly known is shown as "at least …".
(function () {
    const page = OctoPrint.plugins.octoprint_uptime._page;
    const {words} = page;

    const unknown = () => gettext("not known");

    function longestOf({longest_uptime_seconds: seconds, longest_uptime_is_exact: isExact}) {
        if (seconds === null) return unknown();
        const text = words.durationOf(seconds);
        return isExact ? text : words.atLeast(text);
    }

    function downtimeOf({
        unexpected_downtime_seconds_min: least,
        unexpected_downtime_seconds_max: most
    }) {
        if (most !== null) return words.spanOf(least, most);
        return least ? words.atLeast(words.durationOf(least)) : unknown();
    }

    // Return the percentage of the recorded time in which OctoPrint was running; "" if nothing is recorded.
    function availabilityOf({
        running_seconds_min,
        running_seconds_max,
        recorded_seconds: recorded
    }) {
        if (!recorded) return "";
        // Round to a tenth, a minimum down and a maximum up, but show 100 only if OctoPrint ran the whole time.
        const percentOf = (seconds, round) => {
            const tenths = round((seconds / recorded) * 1000);
            return words.percentOf((seconds < recorded ? Math.min(tenths, 999) : 1000) / 10);
        };
        const least = percentOf(running_seconds_min, Math.floor);
        if (running_seconds_max === null) return words.atLeast(least);
        const isExact = running_seconds_min === running_seconds_max;
        return isExact ? least : words.rangeOf(least, percentOf(running_seconds_max, Math.ceil));
    }

    const of = (figures) => ({
        restarts: figures.restarts,
        shutdowns: figures.unexpected_shutdowns,
        prints: figures.lost_prints,
        availability: availabilityOf(figures) || unknown(),
        longest: longestOf(figures),
        downtime: downtimeOf(figures)
    });

    page.figures = {of, availabilityOf};
})();
