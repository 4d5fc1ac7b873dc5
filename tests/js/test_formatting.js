// Uptimes as text: the page formats as the server does; both are tested with the same table.
import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {test} from "node:test";

import {openPage} from "./page.js";

const TABLE = JSON.parse(readFileSync(new URL("../uptimes.json", import.meta.url)));
const {client} = openPage({now: "2026-11-25T18:50:00Z"});

test("each format", () => {
    assert.ok(TABLE.length > 40);
    for (const [seconds, full, ...others] of TABLE) {
        assert.equal(client.format(seconds), full);
        const formats = ["full", "dhm", "dh", "d"].map((name) => client.format(seconds, name));
        assert.deepEqual(formats, [full, ...others]);
    }
});

test("what can't be an uptime or a format is an error", () => {
    for (const [seconds, name] of [
        [-1],
        [NaN],
        [Infinity],
        [undefined],
        [null],
        ["90"],
        [true],
        [[60]],
        [60, "toString"],
        [60, "__proto__"],
        [60, "short"],
        [60, "FULL"]
    ])
        assert.throws(() => client.format(seconds, name), /can't format/);
});
