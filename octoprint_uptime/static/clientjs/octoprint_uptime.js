(function () {
    const UNITS = {__proto__: null, full: ["dhms", 1], dhm: ["dhm", 2], dh: ["dh", 1], d: ["d", 1]};
    const SECONDS = {d: 86400, h: 3600, m: 60, s: 1};

    class OctoPrintUptimeClient {
        constructor(base) {
            this.base = base;
        }

        // Return a promise of the API's response
        get(opts) {
            return this.base.simpleApiGet("octoprint_uptime", opts);
        }

        // Like formatting.py; a test compares the two
        format(seconds, displayFormat = "full") {
            if (!(displayFormat in UNITS && Number.isFinite(seconds) && seconds >= 0)) {
                throw new RangeError(`can't format ${seconds} as ${displayFormat}`);
            }
            const [units, always] = UNITS[displayFormat];
            const parts = [];
            let rest = Math.floor(seconds);
            units.split("").forEach((unit, place) => {
                const count = Math.floor(rest / SECONDS[unit]);
                rest -= count * SECONDS[unit];
                if (count || parts.length || place >= units.length - always) {
                    parts.push(count + unit);
                }
            });
            return parts.join(" ");
        }
    }

    OctoPrintClient.registerPluginComponent("octoprint_uptime", OctoPrintUptimeClient);
})();
