// Why OctoPrint stopped, if known, and what to do about it.
(function () {
    const page = OctoPrint.plugins.octoprint_uptime._page;
    const {words} = page;

    const WHY = "https://ajimaru.github.io/OctoPrint-Uptime/why.html";
    const SIGN_MS = 3600000; // older signs say nothing about the shutdown

    // A reboot may have failed, or have restarted only a container.
    const askedBy = (kind) => ({
        restart: gettext("Restarted through OctoPrint."),
        restart_safe: gettext("Restarted through OctoPrint in safe mode."),
        reboot:
            kind === "host"
                ? gettext("Host rebooted through OctoPrint.")
                : gettext("A reboot was requested through OctoPrint."),
        shutdown:
            kind === "host"
                ? gettext("Host shut down through OctoPrint.")
                : gettext("A shutdown was requested through OctoPrint."),
        update: gettext("Restarted after an update.")
    });

    const later = () => ({
        host: gettext("The host restarted later."),
        container: gettext("The container restarted later.")
    });

    const unknown = () => ({
        host: gettext(
            "The cause is unknown: the power may have failed, or the host may have hung."
        ),
        container: gettext(
            "The cause is unknown: the container stopped while its host kept running."
        ),
        octoprint: gettext("The cause is unknown: OctoPrint ended while the host kept running."),
        asked: gettext("OctoPrint did not shut down cleanly. The cause is unknown.")
    });

    const causes = ({clean, cause_proven, crashed_in}) => ({
        out_of_memory: clean
            ? gettext("The system stopped OctoPrint because one of its programs ran out of memory.")
            : cause_proven
              ? gettext("The system ended OctoPrint because memory ran out.")
              : gettext("The system probably ended OctoPrint because memory ran out."),
        crashed: crashed_in
            ? gettext("OctoPrint crashed in the plugin %(crashed_in)s.")
            : gettext("OctoPrint crashed."),
        hung: gettext("OctoPrint did not stop when asked, so the system killed it."),
        killed: gettext("Something on the host killed OctoPrint."),
        under_voltage: gettext("The board probably reset because its voltage was too low.")
    });

    // Return what to do, by cause. The plugin logs a crash's stack; the journal has none.
    const remedies = ({crashed_in, journal}) => ({
        out_of_memory: gettext("Fewer plugins, smaller webcam images or more swap help."),
        crashed: crashed_in
            ? gettext("Update or disable %(crashed_in)s. Details are in octoprint.log.")
            : journal === "found"
              ? gettext("octoprint.log may have details.")
              : gettext("Details are in octoprint.log."),
        hung: gettext("A plugin may hang during shutdown. Update your plugins."),
        killed: gettext("Check who or what runs commands on the host."),
        under_voltage: gettext("A stronger power supply or a shorter cable helps.")
    });

    // Return what happened and what to do, each "" if there is nothing to say, and a link if the cause is unknown.
    function of(restart) {
        const {kind, cause, journal, ended_after: end} = restart;
        const {under_voltage_at: lowAt, memory_available_bytes: bytes} = restart;
        const asked = askedBy(kind)[restart.asked_by];
        if (!words.isUnexpected(restart)) return {what: asked || "", advice: "", link: null};
        const wasLow = Date.parse(end) - Date.parse(lowAt) <= SIGN_MS;
        const wasFull = bytes !== null && end !== null;
        const helps = remedies(restart);
        const values = {
            ...restart,
            megabytes: Math.floor(bytes / 1e6),
            ended: words.atMoment(end),
            reported: words.atMoment(lowAt)
        };
        const textOf = (...sentences) => _.sprintf(_.uniq(_.compact(sentences)).join(" "), values);
        return {
            what: textOf(
                asked,
                cause ? causes(restart)[cause] : unknown()[asked ? "asked" : kind],
                words.stoppedFirst(restart) && later()[kind],
                wasLow && gettext("Under-voltage was reported %(reported)s."),
                wasFull && gettext("Only %(megabytes)d MB of memory was left %(ended)s.")
            ),
            advice: textOf(
                helps[cause],
                wasLow && helps.under_voltage,
                wasFull && helps.out_of_memory
            ),
            link: cause || journal === "found" ? null : WHY
        };
    }

    page.causes = {of};
})();
