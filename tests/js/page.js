// The plugin's scripts without a browser, with the libraries that OctoPrint itself ships.
import {existsSync, readdirSync, readFileSync} from "node:fs";
import {join} from "node:path";
import {fileURLToPath} from "node:url";
import vm from "node:vm";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const VERSION = process.env.OCTOPRINT || "1.11.8";
const LIBRARIES = ["lodash.min", "sprintf.min", "knockout", "babel", "moment-with-locales.min"];

const read = (...path) => readFileSync(join(ROOT, ...path), "utf8");

// Return the folder of OctoPrint's libraries.
function libraries() {
    const lib = join(".venv", `octoprint-${VERSION}`, "lib");
    const pythons = existsSync(join(ROOT, lib)) ? readdirSync(join(ROOT, lib)) : [];
    const folders = pythons.map((python) =>
        join(lib, python, "site-packages/octoprint/static/js/lib")
    );
    const found = folders.find((folder) => existsSync(join(ROOT, folder)));
    if (!found)
        throw new Error(
            `OctoPrint ${VERSION} is not installed; run make .venv/octoprint-${VERSION}/.installed`
        );
    return found;
}

const cache = {};

const compiled = (path) =>
    (cache[path] = cache[path] || new vm.Script(read(path), {filename: path}));

// Return the plugin's scripts in the order in which OctoPrint loads them.
export function scripts() {
    const plugin = read("octoprint_uptime/plugin.py");
    return [...plugin.matchAll(/"((?:client)?js\/\w+\.js)"/g)].map(([, name]) => name);
}

// Return a catalogue as OctoPrint's page loads it.
function catalogue(language) {
    const path = `translations/${language}/LC_MESSAGES/messages.po`;
    const messages = {};
    for (const entry of read(path).split(/\n{2,}/)) {
        const fields = {};
        for (const [, name, text] of entry.matchAll(/^(msg[\w[\]]+) ((?:".*"\n?)+)/gm))
            fields[name] = text.trim().split("\n").map(JSON.parse).join("");
        const plural = ["msgstr[0]", "msgstr[1]"].map((name) => fields[name]);
        if (fields.msgid) messages[fields.msgid] = fields.msgid_plural ? plural : fields.msgstr;
    }
    return {messages, plural_expr: "(n != 1)", locale: language, domain: "messages"};
}

// Load the page for a reader: the moment `now`, a language and a time zone.
export function openPage({now, locale = "en", zone = "Europe/Berlin", LOCALE = locale}) {
    process.env.TZ = zone;
    const page = vm.createContext({console, setTimeout, clearTimeout, performance, URL});
    page.window = page;
    const run = (path) => compiled(path).runInContext(page);
    const lib = libraries();
    LIBRARIES.forEach((name) => run(join(lib, `${name}.js`)));
    const {moment, _} = page;
    _.mixin({sprintf: page.sprintf});
    page.babel.Translations.load(locale === "en" ? {} : catalogue(locale)).install();
    moment.locale(locale);
    moment.now = () => Date.parse(now);
    vm.runInContext("Date", page).now = moment.now;

    const plugins = {};
    const viewModels = {};
    Object.assign(page, {
        LOCALE,
        $: (given) => (typeof given === "function" ? given() : {index: () => -1}), // no element is there
        document: {getElementById: () => null},
        location: "http://octopi.local/",
        OctoPrint: {plugins},
        OctoPrintClient: {
            registerPluginComponent: (name, Component) => {
                plugins[name] = new Component();
            }
        },
        OCTOPRINT_VIEWMODELS: {
            push: ({construct, name}) => {
                viewModels[name] = construct;
            }
        }
    });
    scripts().forEach((name) => run(join("octoprint_uptime/static", name)));
    const construct = (name, ...dependencies) =>
        new viewModels[`octoprintUptime${name}ViewModel`](dependencies);
    return {
        ...plugins.octoprint_uptime._page,
        client: plugins.octoprint_uptime,
        construct,
        _,
        ko: page.ko,
        moment
    };
}

// Return text, or all text in a value, with plain spaces; a copy, since a page's objects have other prototypes.
export const plain = (value) =>
    JSON.parse(JSON.stringify(value === undefined ? null : value).replaceAll("\u00a0", " "));

export const LANGUAGES = ["en", "de"];

// Write a moment of Berlin, such as "2026-11-25 18:55", as the API does.
export function berlin(text) {
    const isSummer = text < "2026-10-25 03:00";
    const moment = new Date(text.replace(" ", "T") + (isSummer ? "+02:00" : "+01:00"));
    return moment.toISOString().replace(".000", "");
}
