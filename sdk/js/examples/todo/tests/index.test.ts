import assert from "node:assert/strict";
import { test } from "node:test";
import { accept, decline, harness } from "@toolcell/sdk/testing";
import todo from "../src/index.ts";

const item = (id: number, title: string, done = false) => ({ [`item/${String(id).padStart(10, "0")}`]: { id, title, done } });
const three = { ...item(1, "Buy milk", true), ...item(2, "Cook"), ...item(3, "Eat", true), next: 4 };

test("items get numbers of their own, whoever adds at the same time", async () => {
  assert.equal((await harness(todo).call("add", { title: "Buy milk" })).text, "Added 1: Buy milk");
  // Another call takes number 4 between our read and our write.
  const host = harness(todo, { keyValue: three, interfere: (store) => store.set("next", "5") });
  assert.deepEqual((await host.call("add", { title: "Sleep" })).structured, { id: 5, title: "Sleep", done: false });
  assert.equal(host.store["next"], 6);
});

test("the list is told by state, and counted as a whole", async () => {
  const host = harness(todo, { keyValue: three });
  const open = await host.call("list");
  assert.deepEqual([open.text, open.structured.open, open.structured.done], ["[ ] 2: Cook", 1, 2]);
  assert.equal((await host.call("list", { state: "done" })).text, "[x] 1: Buy milk\n[x] 3: Eat");
  assert.equal((await host.call("list", { state: "all" })).structured.items.length, 3);
  assert.equal((await harness(todo).call("list")).text, "Nothing to do.");
});

test("an item is done, if it is there", async () => {
  const host = harness(todo, { keyValue: three });
  assert.deepEqual((await host.call("complete", { id: 2 })).text, "Done 2: Cook");
  assert.equal(host.store["item/0000000002"].done, true);
  const unknown = await host.call("complete", { id: 7 });
  assert.deepEqual([unknown.isError, unknown.text], [true, "there is no item 7; call list to see what there is"]);
});

test("done items are removed if the person says so", async () => {
  const host = harness(todo, { keyValue: three });
  const kept = await host.call("clear", {}, { answers: { confirm: decline() } });
  assert.deepEqual([kept.text, kept.structured], ["Nothing was removed.", { removed: 0 }]);
  assert.deepEqual(kept.asked[0]?.message, "Remove 2 items that are done?");
  const removed = await host.call("clear", {}, { answers: { confirm: accept({ remove: true }) } });
  assert.deepEqual([removed.text, removed.structured], ["Removed 2 items.", { removed: 2 }]);
  assert.deepEqual(host.progress.map(({ message }) => message), ["Removed 1: Buy milk", "Removed 3: Eat"]);
  assert.equal((await host.call("clear")).text, "Nothing to remove.");
});

test("a list on the web is added, and what is none is refused", async () => {
  const url = "https://example.com/list.json";
  const host = harness(todo, { http: { [url]: { json: ["Buy milk", "Cook"] }, "https://example.com/x": { json: [1] } } });
  assert.equal((await host.call("import", { url })).text, "Added 2 items.");
  assert.deepEqual(host.progress.map(({ progress, total, message }) => [progress, total, message]), [[1, 2, "Added 1: Buy milk"], [2, 2, "Added 2: Cook"]]);
  assert.deepEqual(host.logs, [{ level: "info", logger: "todo", data: { imported: 2, url } }]);
  assert.match((await host.call("import", { url: "https://example.com/none" })).text, /answered 404/);
  assert.match((await host.call("import", { url: "https://example.com/x" })).text, /is no JSON array of titles/);
  assert.match((await harness(todo).call("import", { url })).text, /the host refused the request/);
});
