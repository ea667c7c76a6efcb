import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { ToolError, content, plugin, result, t, tool } from "../src/index.js";
import { CallError, harness } from "../src/testing.js";

const of = (...definitions) => harness(plugin({ tools: definitions.map(tool) }));
const returning = (value, more) => of({ name: "f", run: () => value, ...more }).call("f");

test("a tool is described as the contract wants it", async () => {
  const [described] = await of({
    name: "f",
    title: "F",
    description: "Does f.",
    input: { a: t.string("A."), b: t.integer({ minimum: 1 }).optional(), c: t.enum(["x", "y"], { default: "x" }) },
    output: t.object({ n: t.number() }),
    annotations: { readOnly: true, openWorld: false },
    icons: ["https://example.com/i.png", { src: "data:,", sizes: ["48x48"], theme: "dark" }],
    meta: { a: 1 },
    task: "optional",
    ui: "ui://f",
    run: () => ({ n: 1 }),
  }).tools();
  assert.deepEqual(described.inputSchema, {
    type: "object",
    properties: { a: { type: "string", description: "A." }, b: { type: "integer", minimum: 1 }, c: { type: "string", enum: ["x", "y"], default: "x" } },
    required: ["a"],
  });
  assert.deepEqual(described.outputSchema, { type: "object", properties: { n: { type: "number" } }, required: ["n"] });
  assert.deepEqual(described.meta, { a: 1, "io.toolcell/task": "optional", ui: { resourceUri: "ui://f" } });
  assert.equal(described.annotations.readOnly, true);
  assert.equal(described.annotations.destructive, undefined);
  assert.deepEqual(described.icons.map(({ src, sizes, theme }) => [src, sizes, theme]), [["https://example.com/i.png", [], undefined], ["data:,", ["48x48"], "dark"]]);
});

test("what is wrong with a description is said when the plugin is made", () => {
  const run = () => "";
  for (const [definition, expected] of [
    [{ name: "a b", run }, /needs a `name` of 1 to 128/],
    [{ name: "a" }, /the tool `a` needs `run`, a function/],
    [{ name: "a", input: t.string(), run }, /the arguments of the tool `a` must be an object/],
    [{ name: "a", task: "always", run }, /`task` of the tool `a`/],
    [{ name: "a", ui: "https://x", run }, /`ui` of the tool `a`/],
    [{ name: "a", input: { b: 3 }, run }, /the arguments of the tool `a` must be an object/],
  ]) assert.throws(() => tool(definition), expected);
  const one = tool({ name: "a", run });
  assert.throws(() => plugin({ tools: [one, one] }), /there are two tools `a`/);
  assert.throws(() => plugin({ tools: [{}] }), /`tools` holds what `tool\({…}\)` makes/);
});

test("defaults are filled in, deep down as well", async () => {
  const host = of({
    name: "f",
    input: { a: t.integer({ default: 3 }), list: t.array(t.object({ b: t.string({ default: "x" }) })).optional() },
    run: (args) => args,
  });
  assert.deepEqual((await host.call("f", {})).structured, { a: 3 });
  assert.deepEqual((await host.call("f", { a: 1, list: [{}] })).structured, { a: 1, list: [{ b: "x" }] });
});

test("JSON Schema as it is written is passed on", async () => {
  const schema = { type: "object", properties: { a: { type: "string" } }, additionalProperties: false };
  const [described] = await of({ name: "f", input: schema, run: () => "" }).tools();
  assert.deepEqual(described.inputSchema, schema);
});

test("zod describes, checks and changes arguments", async () => {
  const host = of({
    name: "f",
    input: z.object({ word: z.string().trim().min(1).describe("A word."), times: z.number().int().default(2) }),
    output: z.object({ said: z.string() }),
    run: ({ word, times }) => ({ said: word.repeat(times) }),
  });
  const [{ inputSchema, outputSchema }] = await host.tools();
  assert.equal(inputSchema.properties.word.description, "A word.");
  assert.deepEqual(inputSchema.required, ["word"]);
  assert.equal("$schema" in inputSchema, false);
  assert.deepEqual(outputSchema.required, ["said"]);
  assert.deepEqual((await host.call("f", { word: " ab " })).structured, { said: "abab" });
  const refused = await host.call("f", { word: " " });
  assert.equal(refused.isError, true);
  assert.match(refused.text, /arguments of `f`: `word`: /);
});

test("whatever is returned becomes a result", async () => {
  const cases = [
    ["a", { text: "a", content: [{ type: "text", text: "a" }] }],
    ["", { text: "", content: [{ type: "text", text: "" }] }],
    [undefined, { text: "", content: [] }],
    [{ a: 1 }, { text: '{"a":1}', structured: { a: 1 } }],
    [[1, 2], { text: "[1,2]", structured: [1, 2] }],
    [[content.text("a"), content.text("b")], { text: "a\n\nb" }],
    [result({ structured: { a: 1 }, text: "one" }), { text: "one", structured: { a: 1 } }],
    [result({ text: "bad", isError: true, meta: { m: 1 } }), { isError: true, meta: { m: 1 } }],
    ["half \ud800 pair", { text: "half \ufffd pair" }],
  ];
  for (const [value, expected] of cases) {
    const got = await returning(value);
    for (const [key, wanted] of Object.entries(expected)) assert.deepEqual(got[key], wanted, JSON.stringify(value));
  }
  // A typed result is structured, whatever it looks like.
  assert.deepEqual((await returning({ type: "text", text: "a" }, { output: t.any() })).structured, { type: "text", text: "a" });
});

test("every kind of block arrives", async () => {
  const bytes = new Uint8Array([1, 2]);
  const blocks = [
    content.text("t", { annotations: { audience: ["user"], priority: 0.5 }, meta: { m: 1 } }),
    content.image(bytes, "image/png"),
    content.audio(bytes, "audio/wav"),
    content.link({ uri: "x:1", name: "one", size: 3 }),
    content.embedded({ uri: "x:2", text: "two", mimeType: "text/plain" }),
    content.embedded({ uri: "x:3", blob: bytes }),
  ];
  const got = (await returning(blocks)).content;
  assert.deepEqual(got[0], { type: "text", text: "t", annotations: { audience: ["user"], priority: 0.5 }, meta: { m: 1 } });
  assert.deepEqual(got[1], { type: "image", data: bytes, mimeType: "image/png" });
  assert.deepEqual(got[3], { type: "resource_link", uri: "x:1", name: "one", size: 3, icons: [] });
  assert.deepEqual(got[4], { type: "resource", resource: { uri: "x:2", text: "two", mimeType: "text/plain" } });
  assert.deepEqual(got[5].resource.blob, bytes);
  assert.match((await returning(content.image("no bytes", "image/png"))).text, /the data of `image` are bytes/);
});

test("an error is a result the model reads, and its stack goes to the log", async () => {
  const failing = (error) => of({ name: "f", run() { throw error; } });
  const host = failing(new TypeError("no such city", { cause: new Error("the map ends there") }));
  const { text, isError } = await host.call("f");
  assert.deepEqual([text, isError], ["no such city: the map ends there", true]);
  assert.match(host.logs[0].data, /^TypeError: no such city: the map ends there\n\s+at .*tools\.test\.js/);
  assert.deepEqual([host.logs[0].level, host.logs[0].logger], ["error", "f"]);

  const quiet = failing(new ToolError("there is no item 7"));
  assert.equal((await quiet.call("f")).text, "there is no item 7");
  assert.deepEqual(quiet.logs, []);
  for (const [thrown, expected] of [["text", "text"], [{ a: 1 }, '{"a":1} was thrown'], [undefined, "undefined was thrown"]]) {
    assert.equal((await failing(thrown).call("f")).text, expected);
  }
});

test("the named kinds fail the call itself", async () => {
  for (const [error, kind] of [
    [ToolError.notFound("x"), "not-found"],
    [ToolError.invalidArguments("x"), "invalid-arguments"],
    [ToolError.denied("x"), "denied"],
    [ToolError.unavailable("x"), "unavailable"],
    [ToolError.cancelled(), "cancelled"],
    [ToolError.failed("x"), "other"],
  ]) {
    const host = of({ name: "f", run() { throw error; } });
    await assert.rejects(host.call("f"), (failed) => failed instanceof CallError && failed.kind === kind);
  }
  await assert.rejects(of().call("g"), { kind: "not-found", message: "this plugin has no tool `g`" });
});

test("run may be async", async () => {
  const host = of({ name: "f", run: async ({ bad }) => { await null; if (bad) throw new Error("bad"); return "good"; } });
  assert.equal((await host.call("f")).text, "good");
  assert.deepEqual(((({ text, isError }) => [text, isError]))(await host.call("f", { bad: true })), ["bad", true]);
});

test("a result that cannot be passed on is an error, not a crash", async () => {
  const circle = {};
  circle.self = circle;
  const { isError, text } = await returning(circle);
  assert.equal(isError, true);
  assert.match(text, /circular/i);
});

test("lists made at run time come after the others", async () => {
  const host = harness(plugin({
    tools: [tool({ name: "fixed", run: () => "fixed" })],
    dynamic: { tools: { list: () => [{ name: "made", inputSchema: { type: "object" } }], call: (name, args) => `${name} ${args.a}` } },
  }));
  assert.deepEqual((await host.tools()).map(({ name }) => name), ["fixed", "made"]);
  assert.equal((await host.call("made", { a: 1 })).text, "made 1");
});
