import { encode } from "../text.js";
import { host, refuse } from "./state.js";

const same = (a, b) => (a === undefined || b === undefined ? a === b : a.length === b.length && a.every((byte, i) => byte === b[i]));

function store() {
  return host.store ?? refuse("denied", "the operator has not granted a store");
}

export const get = (key) => store().get(key);

export function set(key, value) {
  if (!(value instanceof Uint8Array)) throw new TypeError("a value is a text or a Uint8Array");
  store().set(key, value.slice());
}

const remove = (key) => void store().delete(key);
export { remove as delete };

export function compareAndSet(key, expected, value) {
  const interfere = host.interfere;
  host.interfere = undefined;
  interfere?.({ set: (other, value) => set(other, typeof value === "string" ? encode(value) : value), delete: remove }, key);
  const current = store().get(key);
  if (!same(current, expected)) refuse("conflict", current);
  if (value === undefined) store().delete(key);
  else set(key, value);
}

/** Pages of two, so that tests cross from one to the next. */
export function listKeys(prefix, cursor) {
  const all = [...store().keys()].filter((key) => key.startsWith(prefix)).sort();
  const rest = cursor === undefined ? all : all.filter((key) => key > cursor);
  const keys = rest.slice(0, 2);
  return { keys, next: rest.length > keys.length ? keys.at(-1) : undefined };
}
