import * as host from "#host/key-value";
import { payload } from "./error.js";
import { decode, encode, json, text } from "./text.js";

/** Why the store did not do it. `kind` is `denied`, `limit` or `other`. */
export class StoreError extends Error {
  constructor(kind, message) {
    super(message);
    this.name = "StoreError";
    this.kind = kind;
  }
}

function stored(work) {
  try {
    return work();
  } catch (error) {
    const { tag, val } = payload(error) ?? {};
    if (tag === undefined) throw error;
    throw new StoreError(tag, val);
  }
}

const toBytes = (value) => (typeof value === "string" ? encode(value) : value);
const toJson = (value) => encode(json(value, "the value"));

export const keyValue = {
  get: (key) => stored(() => host.get(text(key))) ?? undefined,
  getText(key) {
    const bytes = keyValue.get(key);
    return bytes === undefined ? undefined : decode(bytes);
  },
  getJson(key) {
    const string = keyValue.getText(key);
    return string === undefined ? undefined : JSON.parse(string);
  },
  set: (key, value) => stored(() => host.set(text(key), toBytes(value))),
  setJson: (key, value) => keyValue.set(key, toJson(value)),
  delete: (key) => stored(() => host.delete(text(key))),

  /** Sets a key if its value is still `expected`; undefined stands for no value, on both sides. */
  compareAndSet(key, expected, value) {
    const [from, to] = [expected, value].map((side) => (side === undefined ? undefined : toBytes(side)));
    try {
      host.compareAndSet(text(key), from, to);
      return { done: true };
    } catch (error) {
      const { tag, val } = payload(error) ?? {};
      if (tag === "conflict") return { done: false, current: val ?? undefined };
      return stored(() => {
        throw error;
      });
    }
  },

  /** Changes a JSON value in one step, whoever else changes it: `change` is called again if another was faster. */
  update(key, change) {
    let old = keyValue.get(key);
    for (;;) {
      const value = change(old === undefined ? undefined : JSON.parse(decode(old)));
      const { done, current } = keyValue.compareAndSet(key, old, value === undefined ? undefined : toJson(value));
      if (done) return value;
      old = current;
    }
  },

  /** All keys that begin with `prefix`, in byte order. */
  keys(prefix = "") {
    const keys = [];
    let cursor;
    do {
      const page = stored(() => host.listKeys(text(prefix), cursor));
      for (const key of page.keys) keys.push(key);
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    return keys;
  },
};
