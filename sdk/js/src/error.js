/** How a tool fails: text for the model that says what is wrong and what would be right. */
export class ToolError extends Error {
  /** Which error of the contract it is, if it fails the call itself; undefined makes it a result the model reads. */
  kind;

  constructor(message, options) {
    super(message, options);
    this.name = "ToolError";
  }

  static notFound(message) {
    return ofKind("not-found", message);
  }
  static invalidArguments(message) {
    return ofKind("invalid-arguments", message);
  }
  static denied(message) {
    return ofKind("denied", message);
  }
  static unavailable(message) {
    return ofKind("unavailable", message);
  }
  static cancelled() {
    return ofKind("cancelled", "cancelled");
  }
  static failed(message) {
    return ofKind("other", message);
  }
}

function ofKind(kind, message) {
  const error = new ToolError(message);
  error.kind = kind;
  return error;
}

/** The error of a host function: what it threw, or what its binding wrapped. */
export function payload(error) {
  return error instanceof Error && "payload" in error ? error.payload : error;
}

/** What was thrown, in words: a text, an `Error` with its causes, anything else as it prints. */
export function words(thrown) {
  if (!(thrown instanceof Error)) return typeof thrown === "string" ? thrown : `${printed(thrown)} was thrown`;
  let text = thrown.message || thrown.name;
  for (let cause = thrown.cause; cause instanceof Error; cause = cause.cause) {
    if (cause.message && !text.includes(cause.message)) text += `: ${cause.message}`;
  }
  return text;
}

/** Name, message and where it was thrown. */
export function trace(thrown) {
  if (!(thrown instanceof Error)) return words(thrown);
  const head = `${thrown.name}: ${words(thrown)}`;
  const stack = (thrown.stack ?? "").split("\n").filter((line) => /^\s*at |@/.test(line)).join("\n");
  return stack ? `${head}\n${stack}` : head;
}

function printed(value) {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}
