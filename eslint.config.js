import js from "@eslint/js";

const readonly = (...names) => Object.fromEntries(names.map((name) => [name, "readonly"]));

export default [
    {ignores: [".docs/", ".octoprint/", ".venv/", "build/", "dist/"]},
    js.configs.recommended,
    {
        // OctoPrint puts all plugins into one script and transpiles none: newer syntax breaks everybody's.
        files: ["octoprint_uptime/static/**/*.js"],
        languageOptions: {
            ecmaVersion: 2018,
            sourceType: "script",
            globals: readonly(
                ...[
                    "Blob",
                    "document",
                    "navigator",
                    "performance",
                    "ResizeObserver",
                    "URL",
                    "window"
                ],
                ...[
                    "clearTimeout",
                    "setTimeout",
                    "$",
                    "_",
                    "gettext",
                    "ko",
                    "LOCALE",
                    "moment",
                    "ngettext"
                ],
                ...["BASEURL", "copyToClipboard", "PNotify", "showConfirmationDialog"],
                ...["OctoPrint", "OctoPrintClient", "OCTOPRINT_VIEWMODELS"]
            )
        }
    },
    {
        files: ["tests/js/**/*.js"],
        languageOptions: {
            globals: readonly(
                "clearTimeout",
                "console",
                "performance",
                "process",
                "setTimeout",
                "URL"
            )
        }
    }
];
