import assert from "node:assert/strict";
import { test } from "node:test";
import { ToolError, complete, content, plugin, prompt, resource, t } from "../src/index.js";
import { harness } from "../src/testing.js";
import { template } from "../src/uri.js";

test("a URI is taken apart", () => {
  const cases = [
    ["note://{id}", "note://alpha", { id: "alpha" }],
    ["note://{id}", "note://a%20b%2Fc", { id: "a b/c" }],
    ["note://{id}", "note://a,b", { id: "a,b" }],
    ["note://{id}", "note://", undefined],
    ["note://{id}", "note://a/b", undefined],
    ["note://{id}", "note://a?b", undefined],
    ["note://{id}", "note://%zz", undefined],
    ["note://{id}", "note://%ff", undefined],
    ["note://{id}", "nota://a", undefined],
    ["test://template/{id}/data", "test://template/123/data", { id: "123" }],
    ["test://template/{id}/data", "test://template//data", undefined],
    ["file:///{+path}", "file:///a/b?c#d", { path: "a/b?c#d" }],
    ["map:{x,y}", "map:1,2", { x: "1", y: "2" }],
    ["map:{x,y}", "map:1", { x: "1" }],
    ["map:{x,y}", "map:1,2,3", undefined],
    ["book:{id}{?lang,page}{#part}", "book:7", { id: "7" }],
    ["book:{id}{?lang,page}{#part}", "book:7?page=2&lang=en#end", { id: "7", page: "2", lang: "en", part: "end" }],
    ["book:{id}{?lang,page}", "book:7?pages=2", undefined],
    ["book:{id}{?lang,page}", "book:7?page=2&page=3", undefined],
    ["tree:{/a,b}{;v}", "tree:/x/y;v=1", { a: "x", b: "y", v: "1" }],
    ["tree:{/a,b}{;v}", "tree:", {}],
    ["q:?fixed=1{&x}", "q:?fixed=1&x=2", { x: "2" }],
    ["p:{a}é{b}", "p:üéü", { a: "ü", b: "ü" }],
  ];
  for (const [source, uri, expected] of cases) assert.deepEqual(template(source)(uri), expected, `${source} ${uri}`);
  assert.throws(() => template("a:{b"), /brace that is not closed/);
  assert.throws(() => template("a:{b*}"), /no expression of RFC 6570/);
});

const notes = plugin({
  cache: { ttlMs: 5000, scope: "public" },
  resources: [
    resource({ uri: "config://app", description: "The settings.", mimeType: "application/json", read: () => ({ a: 1 }) }),
    resource({
      uri: "note://{folder}/{number}{?lang}",
      name: "note",
      cache: { ttlMs: 10 },
      complete: { folder: ["work", "home", "Woods"] },
      read: ({ folder, number, lang }) => (Number(number) < 10 ? `${folder} ${number} ${lang}` : undefined),
    }),
    resource({ uri: "ui://page", read: () => "<!doctype html>" }),
    resource({ uri: "raw://bytes", read: () => new Uint8Array([1]) }),
    resource({ uri: "many://all", read: () => [{ uri: "many://1", text: "one" }, { uri: "many://2", blob: new Uint8Array([2]) }] }),
    resource({ uri: "bad://x", read() { throw ToolError.unavailable("later"); } }),
  ],
  prompts: [
    prompt({
      name: "review",
      description: "Asks for a review.",
      args: { language: t.string("The language the code is in."), most: t.integer({ description: "How many remarks.", minimum: 1 }).optional(), strict: t.boolean({ default: false }) },
      complete: { language: (typed, { most }) => [`${typed}ust`, most ?? "no most"] },
      get: ({ language, most, strict }) => `Review this ${language}, ${most ?? 10} remarks, ${strict}.`,
    }),
    prompt({ name: "talk", get: () => ({ description: "A talk.", messages: ["Hello", { role: "assistant", content: "Hi" }, { role: "user", content: content.image(new Uint8Array([1]), "image/png") }] }) }),
  ],
  completions: [complete({ prompt: "review", argument: "most", values: Array.from({ length: 250 }, (_, i) => String(i)) })],
});

test("resources are listed apart from templates", async () => {
  const host = harness(notes);
  assert.deepEqual((await host.resources()).map(({ uri, mimeType }) => [uri, mimeType]), [
    ["config://app", "application/json"], ["ui://page", "text/html;profile=mcp-app"], ["raw://bytes", undefined], ["many://all", undefined], ["bad://x", undefined],
  ]);
  assert.deepEqual((await host.templates()).map(({ uriTemplate, name }) => [uriTemplate, name]), [["note://{folder}/{number}{?lang}", "note"]]);
});

test("a read is what was returned", async () => {
  const host = harness(notes);
  assert.deepEqual((await host.read("config://app")).contents, [{ uri: "config://app", mimeType: "application/json", text: '{"a":1}' }]);
  const note = await host.read("note://work/7?lang=en");
  assert.deepEqual([note.text, note.cache], ["work 7 en", { ttlMs: 10, scope: "private" }]);
  assert.deepEqual((await host.read("raw://bytes")).contents, [{ uri: "raw://bytes", blob: new Uint8Array([1]) }]);
  assert.deepEqual((await host.read("many://all")).contents, [{ uri: "many://1", text: "one" }, { uri: "many://2", blob: new Uint8Array([2]) }]);
  for (const uri of ["note://work/70", "note://work", "none://"]) await assert.rejects(host.read(uri), { kind: "not-found", message: `there is no resource \`${uri}\`` });
  await assert.rejects(host.read("bad://x"), { kind: "unavailable", message: "later" });
});

test("a prompt's texts become what its arguments are", async () => {
  const host = harness(notes);
  const [review] = await host.prompts();
  assert.deepEqual(review.arguments.map(({ name, required }) => [name, required]), [["language", true], ["most", false], ["strict", false]]);
  assert.equal((await host.prompt("review", { language: "rust", most: "3", strict: "true" })).text, "Review this rust, 3 remarks, true.");
  assert.equal((await host.prompt("review", { language: "rust" })).text, "Review this rust, 10 remarks, false.");
  for (const [args, expected] of [
    [{}, "arguments of `review`: `language` is missing"],
    [{ language: "c", most: "x" }, "arguments of `review`: `most` is `x`; expected an integer"],
    [{ language: "c", most: "0" }, "arguments of `review`: `most` is 0; expected 1 or more"],
    [{ language: "c", strict: "yes" }, "arguments of `review`: `strict` is `yes`; expected `true` or `false`"],
  ]) await assert.rejects(host.prompt("review", args), { kind: "invalid-arguments", message: expected });
  const talk = await host.prompt("talk");
  assert.deepEqual([talk.description, talk.messages.map(({ role, content }) => `${role} ${content.type}`)], ["A talk.", ["user text", "assistant text", "user image"]]);
});

test("what fits is suggested", async () => {
  const host = harness(notes);
  assert.deepEqual(await host.complete({ resource: "note://{folder}/{number}{?lang}" }, "folder", "wo"), { values: ["work", "Woods"], total: 2, hasMore: false });
  assert.deepEqual((await host.complete({ resource: "note://work/1" }, "folder", "h")).values, ["home"]);
  assert.deepEqual((await host.complete({ prompt: "review" }, "language", "r", { most: "rare" })).values, ["rust", "rare"]);
  const many = await host.complete({ prompt: "review" }, "most", "");
  assert.deepEqual([many.values.length, many.total, many.hasMore], [100, 250, true]);
  assert.deepEqual((await host.complete({ prompt: "review" }, "strict", "")).values, []);
  await assert.rejects(host.complete({ prompt: "review" }, "x", ""), { kind: "invalid-arguments", message: "the prompt `review` has no argument `x`; it has `language`, `most`, `strict`" });
});

test("a completion for something that is not there is found at once", () => {
  assert.throws(() => plugin({ completions: [complete({ prompt: "p", argument: "a", values: [] })] }), /for `p`, which this plugin does not have/);
  assert.throws(() => resource({ uri: "a:{b}", complete: { c: [] }, read: () => "" }), /completes `c`, which is no variable of it/);
});
