import assert from "node:assert/strict";
import { test } from "node:test";
import { HttpError, ToolError, ask, changes, context, env, http, keyValue, log, peers, plugin, progress, result, t, tool } from "../src/index.js";
import { accept, decline, failed, harness, roots, sample } from "../src/testing.js";
import { resolve, target } from "../src/http/url.js";

const doing = (run, options) => harness(plugin({ tools: [tool({ name: "f", run })] }), options);
const structured = async (run, options) => {
  const { structured, text, isError } = await doing(run, options).call("f");
  assert.equal(isError, false, text);
  return structured;
};

test("a question ends the call, and its answer is there in the next", async () => {
  let rounds = 0;
  const host = doing((_, call) => {
    rounds++;
    const name = call.elicit("name", "Who are you?", { name: t.string({ title: "Name" }) });
    if (name.action !== "accept") return `no: ${name.action}`;
    const model = call.sample("model", { messages: [], maxTokens: 5 });
    return `${name.content.name}: ${model.content.text}`;
  });
  const answers = { name: accept({ name: "Ada" }), model: ({ params }) => sample({ role: "assistant", model: "m", content: { type: "text", text: `${params.maxTokens}` } }) };
  const done = await host.call("f", {}, { answers });
  // The answer to the first question is still there after the second.
  assert.deepEqual([done.text, rounds], ["Ada: 5", 3]);
  assert.deepEqual(done.asked.map(({ key, kind, message }) => [key, kind, message]), [["name", "form", "Who are you?"], ["model", "sample", undefined]]);
  assert.deepEqual(done.asked[0].schema, { type: "object", properties: { name: { type: "string", title: "Name" } }, required: ["name"] });
  assert.equal((await host.call("f", {}, { answers: { name: decline() } })).text, "no: decline");
  assert.match((await host.call("f", {}, { answers: { name: failed("no forms here") } })).text, /could not answer `name`: no forms here/);
});

test("several things are asked at once, and what is done once stays done", async () => {
  let opened = 0;
  const host = doing((_, call) => {
    const ticket = call.once("ticket", () => ++opened);
    const { page, where } = call.ask({ page: ask.url("Please sign", "https://example.com"), where: ask.roots() });
    return { ticket, page: page.action, where: where.map(({ uri }) => uri) };
  });
  const done = await host.call("f", {}, { answers: { page: accept(), where: roots([{ uri: "file:///a" }]) } });
  assert.deepEqual(done.structured, { ticket: 1, page: "accept", where: ["file:///a"] });
  assert.equal(opened, 1);
});

test("a question that the author caught is asked all the same", async () => {
  const host = doing((_, call) => {
    try {
      return call.elicit("q", "Sure?", { yes: t.boolean() }).action;
    } catch {
      return "swallowed";
    }
  });
  assert.equal((await host.call("f", {}, { answers: { q: accept({ yes: true }) } })).text, "accept");
});

test("the store keeps text, bytes and JSON", async () => {
  const got = await structured(() => {
    keyValue.set("a", "é");
    keyValue.set("b", new Uint8Array([255]));
    keyValue.setJson("c", { n: 1 });
    keyValue.delete("old");
    return {
      a: keyValue.getText("a"), b: [...keyValue.get("b")], c: keyValue.getJson("c"), none: keyValue.getJson("none") ?? "none",
      keys: keyValue.keys(), some: keyValue.keys("c"),
      won: keyValue.compareAndSet("a", "é", "f"), lost: keyValue.compareAndSet("a", "é", "g").done, made: keyValue.compareAndSet("new", undefined, "1").done,
    };
  }, { keyValue: { old: "x", z: "z" } });
  assert.deepEqual(got, { a: "é", b: [255], c: { n: 1 }, none: "none", keys: ["a", "b", "c", "z"], some: ["c"], won: { done: true }, lost: false, made: true });
});

test("an update is tried again if another call was faster", async () => {
  const run = () => keyValue.update("n", (old = 0) => old + 1);
  const host = doing(() => ({ n: run() }), { keyValue: { n: "1" }, interfere: (store, key) => store.set(key, "5") });
  assert.deepEqual((await host.call("f")).structured, { n: 6 });
  assert.deepEqual(host.store, { n: 6 });
});

test("a store that is not granted says so in the host's words", async () => {
  const { text, isError } = await doing(() => keyValue.getText("a"), { keyValue: false }).call("f");
  assert.deepEqual([text, isError], ["the operator has not granted a store", true]);
});

test("log, progress, context, changes, variables and other tools", async () => {
  const host = doing(() => {
    log.info({ a: 1 });
    log.named("part").warning("careful");
    progress.report(1, 2, "half");
    changes.resourceUpdated("a:b");
    changes.toolsChanged();
    const { caller, client, abilities, remainingMs } = context.current();
    const peer = peers.call("add", { a: 1, b: 2 });
    return { caller, client, form: abilities.form, remainingMs, cancelled: context.isCancelled(), tz: env.get("TZ"), none: env.get("X") ?? "none", peer: [peer.structured, peer.text] };
  }, { env: { TZ: "UTC" }, context: { caller: { principal: "ada", claims: { a: 1 } }, abilities: { form: true } }, tools: { add: ({ a, b }) => ({ sum: a + b }) } });
  assert.deepEqual((await host.call("f")).structured, {
    caller: { principal: "ada", claims: { a: 1 } }, form: true, remainingMs: 30000, cancelled: false, tz: "UTC", none: "none", peer: [{ sum: 3 }, '{"sum":3}'],
  });
  assert.deepEqual(host.logs, [{ level: "info", logger: undefined, data: { a: 1 } }, { level: "warning", logger: "part", data: "careful" }]);
  assert.deepEqual(host.progress, [{ progress: 1, total: 2, message: "half" }]);
  assert.deepEqual(host.changes, [{ resource: "a:b" }, "tools"]);
  assert.match((await doing(() => peers.call("none")).call("f")).text, /has not granted the tool `none`/);
});

test("a request and its answer", async () => {
  const seen = [];
  const got = await structured(() => {
    const answer = http.post("https://a.example/x?q=ü y", { headers: { "X-A": "1" }, json: { b: 2 } });
    return { status: answer.status, ok: answer.ok, type: answer.headers.get("Content-Type"), body: answer.json(), again: answer.text() };
  }, { http: (request) => (seen.push(request), { headers: { "content-type": "application/json" }, json: { c: 3 } }) });
  assert.deepEqual(got, { status: 200, ok: true, type: "application/json", body: { c: 3 }, again: '{"c":3}' });
  assert.deepEqual(seen, [{ method: "POST", url: "https://a.example/x?q=ü y", headers: { "x-a": "1", "content-type": "application/json" }, body: '{"b":2}' }]);
});

test("redirects are followed as browsers follow them", async () => {
  const seen = [];
  const answers = {
    "http://a.example/dir/1": { status: 302, headers: { location: "../2" } },
    "http://a.example/2": { status: 307, headers: { location: "https://b.example/3" } },
    "https://b.example/3": { body: "there" },
    "http://a.example/loop": { status: 301, headers: { location: "/loop" } },
  };
  const options = { http: (request) => (seen.push(`${request.method} ${request.url} ${request.headers.authorization} ${request.headers["content-type"]}`), answers[request.url]) };
  const got = await structured(() => {
    const answer = http.post("http://a.example/dir/1", { headers: { authorization: "secret" }, json: 1 });
    return { url: answer.url, text: answer.text(), kept: http.get("http://a.example/dir/1", { redirects: 0 }).status };
  }, options);
  assert.deepEqual(got, { url: "https://b.example/3", text: "there", kept: 302 });
  assert.deepEqual(seen.slice(0, 3), [
    "POST http://a.example/dir/1 secret application/json", "GET http://a.example/2 secret undefined", "GET https://b.example/3 undefined undefined",
  ]);
  assert.match((await doing(() => http.get("http://a.example/loop").text(), options).call("f")).text, /5 redirects were followed/);
});

test("what cannot be asked for, and what does not come, is said in words", async () => {
  const failing = async (run, options) => (await doing(run, options).call("f")).text;
  assert.match(await failing(() => http.get("ftp://a")), /needs http:\/\/ or https:\/\//);
  assert.match(await failing(() => http.get("https://me:pw@a.example/")), /put user and password into the header/);
  assert.match(await failing(() => http.get("https://a.example/"), {}), /the host refused the request/);
  assert.match(await failing(() => http.get("https://a.example/", { maxBytes: 3 }).text(), { http: () => ({ body: "abcd" }) }), /longer than 3 bytes/);
  assert.match(await failing(() => http.get("https://a.example/").json(), { http: () => ({ body: "<html>" }) }), /did not answer with JSON/);
  assert.equal(await failing(() => http.get("https://a.example/"), { http: () => new HttpError("host", "not granted: add hosts") }), "not granted: add hosts");
  assert.equal((await doing(() => result({ text: http.get("https://a.example/").text() }), { http: () => ({ body: "" }) }).call("f")).text, "");
  assert.ok(new ToolError("x") instanceof Error);
});

test("URLs are taken apart and put together", () => {
  assert.deepEqual(target("HTTPS://A.Example:8443"), { scheme: "https", authority: "a.example:8443", pathWithQuery: "/" });
  assert.equal(target("http://a/b c?d=%20ü[1]#e").pathWithQuery, "/b%20c?d=%20%C3%BC[1]");
  for (const [base, reference, expected] of [
    ["http://a/b/c?q", "d", "http://a/b/d"], ["http://a/b/c", "../d?e", "http://a/d?e"], ["http://a/b/c", "/d", "http://a/d"], ["http://a/b/c", "//b/d", "http://b/d"],
    ["http://a/b/c", "?x", "http://a/b/c?x"], ["http://a", "d", "http://a/d"], ["http://a/b/", "./", "http://a/b/"], ["http://a/b", "https://c/", "https://c/"],
  ]) assert.equal(resolve(base, reference), expected, `${base} ${reference}`);
});
