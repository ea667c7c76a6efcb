import { keyValue, t } from "@toolcell/sdk";

export const item = t.object({ id: t.integer(), title: t.string(), done: t.boolean() });

export const key = (id) => `item/${String(id).padStart(10, "0")}`;

/** Puts an item into the list, under a number that no other call takes. */
export function create(title) {
  const next = keyValue.update("next", (id = 1) => id + 1);
  const made = { id: next - 1, title, done: false };
  keyValue.setJson(key(made.id), made);
  return made;
}

/** All items, oldest first. */
export function all() {
  return keyValue.keys("item/").flatMap((name) => keyValue.getJson(name) ?? []);
}
