// Why OctoPrint stopped, and what to do about it, in both languages.
import assert from "node:assert/strict";
import {test} from "node:test";

import {restart} from "./answers.js";
import {LANGUAGES, berlin, openPage, plain} from "./page.js";

const now = berlin("2026-11-25 20:50");
const pages = Object.fromEntries(LANGUAGES.map((locale) => [locale, openPage({now, locale})]));
const WHY = "https://ajimaru.github.io/OctoPrint-Uptime/why.html";

// An unexpected shutdown between 8:04 PM and 8:10 PM.
const STOPPED = restart("2026-11-25 20:04", "2026-11-25 20:11", {
    until: "2026-11-25 20:10",
    kind: "octoprint"
});
const CLEAN = restart("2026-11-25 20:04", "2026-11-25 20:05", {kind: "octoprint"});

const MEMORY = {
    en: "Fewer plugins, smaller webcam images or more swap help.",
    de: "Weniger Plugins, kleinere Webcam-Bilder oder mehr Swap helfen."
};
const POWER = {
    en: "A stronger power supply or a shorter cable helps.",
    de: "Ein stärkeres Netzteil oder ein kürzeres Kabel hilft."
};
const LOGGED = {en: "Details are in octoprint.log.", de: "Einzelheiten stehen in octoprint.log."};
const NOTHING = {en: "", de: ""};

function check(name, given, what, advice, link = null) {
    for (const locale of LANGUAGES)
        test(`${name} in ${locale}`, () =>
            assert.deepEqual(plain(pages[locale].causes.of(given)), {
                what: what[locale],
                advice: advice[locale],
                link
            }));
}

// Causes

check(
    "out of memory, proven",
    {...STOPPED, cause: "out_of_memory", cause_proven: true},
    {
        en: "The system ended OctoPrint because memory ran out.",
        de: "Das System hat OctoPrint beendet, weil der Arbeitsspeicher voll war."
    },
    MEMORY
);
check(
    "out of memory, probable",
    {...STOPPED, cause: "out_of_memory", cause_proven: false},
    {
        en: "The system probably ended OctoPrint because memory ran out.",
        de: "Wahrscheinlich hat das System OctoPrint beendet, weil der Arbeitsspeicher voll war."
    },
    MEMORY
);
check(
    "out of memory, clean shutdown",
    {...CLEAN, cause: "out_of_memory", cause_proven: true},
    {
        en: "The system stopped OctoPrint because one of its programs ran out of memory.",
        de: "Das System hat OctoPrint gestoppt, weil einem seiner Programme der Arbeitsspeicher ausging."
    },
    MEMORY
);
check(
    "a crash in a plugin",
    {...STOPPED, cause: "crashed", cause_proven: true, crashed_in: "gpx"},
    {
        en: "OctoPrint crashed in the plugin gpx.",
        de: "OctoPrint ist im Plugin gpx abgestürzt."
    },
    {
        en: `Update or disable gpx. ${LOGGED.en}`,
        de: `Aktualisiere oder deaktiviere gpx. ${LOGGED.de}`
    }
);
const CRASHED = {en: "OctoPrint crashed.", de: "OctoPrint ist abgestürzt."};
check(
    "a crash that left a stack",
    {...STOPPED, cause: "crashed", cause_proven: true},
    CRASHED,
    LOGGED
);
check(
    "a crash that only the journal has",
    {...STOPPED, cause: "crashed", cause_proven: true, journal: "found"},
    CRASHED,
    {
        en: "octoprint.log may have details.",
        de: "Vielleicht stehen Einzelheiten in octoprint.log."
    }
);
check(
    "a shutdown that hung",
    {...STOPPED, cause: "hung", cause_proven: true, journal: "found"},
    {
        en: "OctoPrint did not stop when asked, so the system killed it.",
        de: "OctoPrint hat sich trotz Aufforderung nicht beendet. Das System hat es zwangsweise beendet."
    },
    {
        en: "A plugin may hang during shutdown. Update your plugins.",
        de: "Vielleicht hängt ein Plugin beim Herunterfahren. Aktualisiere deine Plugins."
    }
);
check(
    "a kill",
    {...STOPPED, cause: "killed", cause_proven: true, journal: "found"},
    {
        en: "Something on the host killed OctoPrint.",
        de: "Etwas auf dem Host hat OctoPrint zwangsweise beendet."
    },
    {
        en: "Check who or what runs commands on the host.",
        de: "Prüfe, wer oder was auf dem Host Befehle ausführt."
    }
);
check(
    "under-voltage",
    {...STOPPED, kind: "host", cause: "under_voltage", cause_proven: false},
    {
        en: "The board probably reset because its voltage was too low.",
        de: "Wahrscheinlich ist die Platine neu gestartet, weil die Spannung zu niedrig war."
    },
    POWER
);

// Unknown causes

const POWER_OR_HANG = {
    en: "The cause is unknown: the power may have failed, or the host may have hung.",
    de: "Die Ursache ist unbekannt: Vielleicht fiel der Strom aus, oder der Host hat sich aufgehängt."
};
const WHILE_HOST_RAN = {
    en: "The cause is unknown: OctoPrint ended while the host kept running.",
    de: "Die Ursache ist unbekannt: OctoPrint fiel aus, während der Host weiterlief."
};
check("unknown, host", {...STOPPED, kind: "host"}, POWER_OR_HANG, NOTHING, WHY);
check(
    "unknown, container",
    {...STOPPED, kind: "container"},
    {
        en: "The cause is unknown: the container stopped while its host kept running.",
        de: "Die Ursache ist unbekannt: Der Container fiel aus, während sein Host weiterlief."
    },
    NOTHING,
    WHY
);
for (const journal of [null, "nothing_found", "unavailable"])
    check(
        `unknown, OctoPrint, journal ${journal}`,
        {...STOPPED, journal},
        WHILE_HOST_RAN,
        NOTHING,
        WHY
    );
check("unknown to the journal", {...STOPPED, journal: "found"}, WHILE_HOST_RAN, NOTHING);

// The host restarted later

const KILLED = {...STOPPED, kind: "host", cause: "killed", cause_proven: true};
const CHECK = {
    en: "Check who or what runs commands on the host.",
    de: "Prüfe, wer oder was auf dem Host Befehle ausführt."
};
check(
    "a kill before a restart of the host",
    KILLED,
    {
        en: "Something on the host killed OctoPrint. The host restarted later.",
        de: "Etwas auf dem Host hat OctoPrint zwangsweise beendet. Der Host startete später neu."
    },
    CHECK
);
check(
    "a kill before a restart of the container",
    {...KILLED, kind: "container"},
    {
        en: "Something on the host killed OctoPrint. The container restarted later.",
        de: "Etwas auf dem Host hat OctoPrint zwangsweise beendet. Der Container startete später neu."
    },
    CHECK
);

// Signs

const LOW = {
    en: "Under-voltage was reported at 8:03 PM today.",
    de: "Unterspannung wurde heute um 20:03 gemeldet."
};
const FULL = {
    en: "Only 14 MB of memory was left at 8:04 PM today.",
    de: "Es waren heute um 20:04 nur noch 14 MB Arbeitsspeicher frei."
};
const both = (one, other) => ({en: `${one.en} ${other.en}`, de: `${one.de} ${other.de}`});
check(
    "under-voltage before an unknown cause",
    {...STOPPED, kind: "host", under_voltage_at: berlin("2026-11-25 20:03")},
    both(POWER_OR_HANG, LOW),
    POWER,
    WHY
);
check(
    "little memory before an unknown cause",
    {...STOPPED, kind: "host", memory_available_bytes: 14999999},
    both(POWER_OR_HANG, FULL),
    MEMORY,
    WHY
);
check(
    "both signs, and a cause whose advice is that of one",
    {
        ...STOPPED,
        cause: "out_of_memory",
        cause_proven: true,
        under_voltage_at: berlin("2026-11-25 20:03"),
        memory_available_bytes: 14000000
    },
    {
        en: `The system ended OctoPrint because memory ran out. ${LOW.en} ${FULL.en}`,
        de: `Das System hat OctoPrint beendet, weil der Arbeitsspeicher voll war. ${LOW.de} ${FULL.de}`
    },
    both(MEMORY, POWER)
);

test("a sign is at most an hour older than the end", () => {
    const whatAt = (at, changes = {}) =>
        plain(pages.en.causes.of({...STOPPED, under_voltage_at: at, ...changes}).what);
    assert.match(whatAt(berlin("2026-11-25 19:04")), /Under-voltage was reported at 7:04 PM/);
    assert.doesNotMatch(whatAt(berlin("2026-11-25 19:03")), /Under-voltage/);
    assert.doesNotMatch(whatAt(berlin("2026-11-25 19:04"), {ended_after: null}), /Under-voltage/);
});

test("little memory at an unknown time is no sign", () => {
    const unknown = {...STOPPED, ended_after: null, memory_available_bytes: 14000000};
    assert.doesNotMatch(pages.en.causes.of(unknown).what, /memory/);
});

// Who asked

const ASKED = {
    restart: ["Restarted through OctoPrint.", "Über OctoPrint neu gestartet."],
    restart_safe: [
        "Restarted through OctoPrint in safe mode.",
        "Über OctoPrint im Sicherheitsmodus neu gestartet."
    ],
    reboot: ["Host rebooted through OctoPrint.", "Host über OctoPrint neu gestartet."],
    shutdown: ["Host shut down through OctoPrint.", "Host über OctoPrint heruntergefahren."],
    update: ["Restarted after an update.", "Nach einem Update neu gestartet."]
};
for (const [asked_by, [en, de]] of Object.entries(ASKED))
    check(`a clean shutdown by ${asked_by}`, {...CLEAN, kind: "host", asked_by}, {en, de}, NOTHING);
// A reboot may have failed, or have restarted only a container.
const REQUESTED = {
    reboot: [
        "A reboot was requested through OctoPrint.",
        "Über OctoPrint wurde ein Neustart des Systems angefordert."
    ],
    shutdown: [
        "A shutdown was requested through OctoPrint.",
        "Über OctoPrint wurde angefordert, das System herunterzufahren."
    ]
};
for (const [asked_by, [en, de]] of Object.entries(REQUESTED))
    for (const kind of ["container", "octoprint"])
        check(
            `${asked_by}, but not of the host: ${kind}`,
            {...CLEAN, kind, asked_by},
            {en, de},
            NOTHING
        );
check(
    "a reboot that was asked for and did not end cleanly",
    {...STOPPED, kind: "host", asked_by: "reboot"},
    {
        en: "Host rebooted through OctoPrint. OctoPrint did not shut down cleanly. The cause is unknown.",
        de: "Host über OctoPrint neu gestartet. OctoPrint wurde nicht sauber beendet. Die Ursache ist unbekannt."
    },
    NOTHING,
    WHY
);
check("a clean shutdown that nobody asked for", CLEAN, NOTHING, NOTHING);
check(
    "a restart that was asked for and hung",
    {...STOPPED, asked_by: "restart", cause: "killed", cause_proven: true},
    {
        en: "Restarted through OctoPrint. Something on the host killed OctoPrint.",
        de: "Über OctoPrint neu gestartet. Etwas auf dem Host hat OctoPrint zwangsweise beendet."
    },
    CHECK
);
test("a clean shutdown with signs only is a clean shutdown", () => {
    const under_voltage_at = berlin("2026-11-25 20:03");
    assert.equal(pages.en.causes.of({...CLEAN, under_voltage_at}).what, "");
});
