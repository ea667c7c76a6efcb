import * as host from "#host/log";

const LEVELS = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

/** Writes one message, if anyone listens: any JSON value. */
export function write(level, data, logger) {
  if (!host.isEnabled(level)) return;
  let json;
  try {
    json = JSON.stringify(data);
  } catch {
    // A circle, for one.
  }
  host.write(level, logger, json ?? JSON.stringify(String(data)));
}

function named(logger) {
  return Object.fromEntries(LEVELS.map((level) => [level, (data) => write(level, data, logger)]));
}

export const log = { ...named(undefined), named };
