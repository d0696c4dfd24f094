/* sum.test.js: a suite of node's own test runner, which is one process for each file. */
const test = require("node:test"), assert = require("node:assert");
const { execFileSync } = require("node:child_process"), { createHash } = require("node:crypto");
const { sum, base } = require("./sum.js");

test("sums", () => assert.equal(sum(1, 2), 3));
test("reads a variable", () => assert.equal(base(), "none"));
test("runs a program", () => assert.match(execFileSync("uname").toString(), /Linux/));
test("digests", () => assert.equal(createHash("sha256").update("x").digest("hex").length, 64));
