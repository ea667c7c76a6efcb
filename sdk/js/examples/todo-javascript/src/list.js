import { ToolError, keyValue, progress, result, t, tool } from "@toolcell/sdk";
import { all, create, item, key } from "./item.js";

export const add = tool({
  name: "add",
  description: "Adds an item to the list.",
  input: { title: t.string({ description: "What is to be done.", minLength: 1, maxLength: 200 }) },
  output: item,
  run({ title }) {
    const made = create(title);
    return result({ structured: made, text: `Added ${made.id}: ${made.title}` });
  },
});

export const list = tool({
  name: "list",
  description: "Lists the items, oldest first.",
  annotations: { readOnly: true },
  input: { state: t.enum(["open", "done", "all"], { description: "Which items to list.", default: "open" }) },
  output: t.object({ items: t.array(item), open: t.integer(), done: t.integer() }),
  run({ state }) {
    const every = all();
    const items = every.filter(({ done }) => state === "all" || done === (state === "done"));
    const done = every.filter((one) => one.done).length;
    const lines = items.map((one) => `[${one.done ? "x" : " "}] ${one.id}: ${one.title}`);
    return result({ structured: { items, open: every.length - done, done }, text: lines.join("\n") || "Nothing to do." });
  },
});

export const complete = tool({
  name: "complete",
  description: "Marks an item as done.",
  input: { id: t.integer({ description: "The item's number, from `list`.", minimum: 1 }) },
  output: item,
  run({ id }) {
    const done = keyValue.update(key(id), (old) => {
      if (!old) throw new ToolError(`there is no item ${id}; call list to see what there is`);
      return { ...old, done: true };
    });
    return result({ structured: done, text: `Done ${id}: ${done.title}` });
  },
});

export const clear = tool({
  name: "clear",
  description: "Removes all items that are done, after asking the person.",
  annotations: { destructive: true },
  output: t.object({ removed: t.integer() }),
  run(_, call) {
    const done = all().filter((one) => one.done);
    if (done.length === 0) return result({ structured: { removed: 0 }, text: "Nothing to remove." });
    const answer = call.elicit("confirm", `Remove ${done.length} items that are done?`, {
      remove: t.boolean({ title: "Remove them" }),
    });
    if (answer.action !== "accept" || !answer.content.remove) {
      return result({ structured: { removed: 0 }, text: "Nothing was removed." });
    }
    for (const [i, { id, title }] of done.entries()) {
      keyValue.delete(key(id));
      progress.report(i + 1, done.length, `Removed ${id}: ${title}`);
    }
    return result({ structured: { removed: done.length }, text: `Removed ${done.length} items.` });
  },
});
