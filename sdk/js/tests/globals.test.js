/** What stands in for the parts of a browser that QuickJS lacks, against what Node.js has. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "../src/globals/loop.js";
import { Promise as Ours } from "../src/globals/promise.js";
import { TextDecoder as OurDecoder, TextEncoder as OurEncoder } from "../src/globals/text-encoding.js";
import { crypto, random } from "../src/globals/random.js";
import { setInterval, clearInterval, setTimeout } from "../src/globals/timers.js";
import { harness } from "../src/testing.js";
import { plugin } from "../src/index.js";
import { console } from "../src/globals/console.js";
import { decode, encode, text } from "../src/text.js";

const TEXTS = ["", "a", "é€😀", "\0", "\ufeffbom", "x".repeat(20_000) + "é", "half \ud800 pair \udc00"];

test("UTF-8 is as in Node.js", () => {
  const [theirs, back] = [new TextEncoder(), new TextDecoder("utf-8", { ignoreBOM: true })];
  for (const string of TEXTS) {
    assert.deepEqual(encode(string), theirs.encode(string));
    assert.equal(decode(encode(string)), back.decode(theirs.encode(string)));
    assert.equal(text(string), string.toWellFormed());
  }
});

test("bytes that are not UTF-8 are replaced as in Node.js", () => {
  const theirs = new TextDecoder("utf-8", { ignoreBOM: true });
  let seed = 7;
  const next = () => (seed = (seed * 1103515245 + 12345) % 2 ** 31) % 256;
  for (let i = 0; i < 3000; i++) {
    // Bytes of every class, so that many sequences are nearly right.
    const bytes = Uint8Array.from({ length: next() % 8 }, () => [next(), 0xe0 + (next() % 21), 0x80 + (next() % 64), 0x41][next() % 4]);
    assert.equal(decode(bytes), theirs.decode(bytes), [...bytes].join(" "));
  }
  assert.throws(() => decode(new Uint8Array([0xff]), true), TypeError);
});

test("a decoder takes a stream in pieces", () => {
  const bytes = encode("\ufeffaé€😀");
  for (const size of [1, 2, 3]) {
    const decoder = new OurDecoder();
    let out = "";
    for (let at = 0; at < bytes.length; at += size) out += decoder.decode(bytes.subarray(at, at + size), { stream: true });
    assert.equal((out + decoder.decode()).replace("\ufeff", ""), "aé€😀");
  }
  assert.deepEqual(new OurEncoder().encodeInto("aé", new Uint8Array(2)), { read: 1, written: 1 });
});

const settled = (promise) => {
  let outcome = "pending";
  promise.then((value) => (outcome = ["ok", value]), (error) => (outcome = ["no", error]));
  run(() => false);
  return outcome;
};

test("promises are settled by running their jobs", () => {
  const no = new Error("no");
  const cases = [
    [Ours.resolve(1).then((n) => n + 1), ["ok", 2]],
    [Ours.reject(no).catch(() => "caught"), ["ok", "caught"]],
    [Ours.resolve(1).then(() => { throw no; }), ["no", no]],
    [Ours.resolve(1).finally(() => 2), ["ok", 1]],
    [Ours.reject(no).finally(() => 2), ["no", no]],
    [new Ours((resolve) => resolve({ then: (done) => done("thenable") })), ["ok", "thenable"]],
    [Ours.all([1, Ours.resolve(2), { then: (done) => done(3) }]), ["ok", [1, 2, 3]]],
    [Ours.all([]), ["ok", []]],
    [Ours.all([1, Ours.reject(no)]), ["no", no]],
    [Ours.allSettled([1, Ours.reject(no)]), ["ok", [{ status: "fulfilled", value: 1 }, { status: "rejected", reason: no }]]],
    [Ours.any([Ours.reject(no), 2]), ["ok", 2]],
    [Ours.race([new Ours(() => {}), 3]), ["ok", 3]],
    [Ours.try(() => { throw no; }), ["no", no]],
    [new Ours(() => { throw no; }), ["no", no]],
    [new Ours(() => {}), "pending"],
  ];
  for (const [promise, expected] of cases) assert.deepEqual(settled(promise), expected);
  assert.equal(settled(Ours.any([Ours.reject(no)]))[1] instanceof AggregateError, true);
});

test("jobs run in the order of Node.js", async () => {
  const order = async (Type, wait) => {
    const said = [];
    Type.resolve().then(() => said.push(1)).then(() => said.push(2));
    Type.resolve().then(() => said.push(3)).then(() => said.push(4));
    new Type((resolve) => resolve(Type.resolve())).then(() => said.push(5));
    await wait();
    return said;
  };
  const theirs = await order(Promise, () => new Promise((done) => setImmediate(done)));
  assert.deepEqual(await order(Ours, () => run(() => false)), theirs);
});

test("timers run by their time", () => {
  const said = [];
  setTimeout((what) => said.push(what), 20, "late");
  setTimeout(() => said.push("soon"), 1);
  let times = 0;
  const id = setInterval(() => ++times === 3 && clearInterval(id), 1);
  run(() => false);
  assert.deepEqual([said, times], [["soon", "late"], 3]);
});

test("console writes to the log", () => {
  const host = harness(plugin({}));
  console.log("a", 1, { b: 2 });
  console.error(new TypeError("bad"));
  assert.deepEqual([host.logs[0].level, host.logs[0].data], ["info", 'a 1 {"b":2}']);
  assert.match(host.logs[1].data, /^TypeError: bad\n/);
});

test("randomness is the host's", () => {
  assert.match(crypto.randomUUID(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.notEqual(crypto.randomUUID(), crypto.randomUUID());
  const many = Array.from({ length: 200 }, random);
  assert.ok(many.every((n) => n >= 0 && n < 1) && new Set(many).size === 200);
});
