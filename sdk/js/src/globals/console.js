/** `console`, which writes to the plugin's log. Put into a bundle where it uses it. */
import { trace } from "../error.js";
import { write } from "../log.js";

const at = (level) => (...args) => write(level, args.map(shown).join(" "));

export const console = {
  debug: at("debug"),
  trace: at("debug"),
  log: at("info"),
  info: at("info"),
  dir: at("info"),
  table: at("info"),
  warn: at("warning"),
  error: at("error"),
  assert: (condition, ...args) => condition || at("error")("assertion failed", ...args),
  group: at("info"),
  groupEnd() {},
  time() {},
  timeEnd() {},
};

function shown(value) {
  if (typeof value === "string") return value;
  if (value instanceof Error) return trace(value);
  if (typeof value === "object" && value !== null) {
    try {
      return JSON.stringify(value);
    } catch {
      // A circle, for one.
    }
  }
  return String(value);
}
