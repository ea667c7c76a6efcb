// Waiting, for whatever the clients wait for.

/** How long any one thing may take before the script fails. It is for a machine under load, not an expectation. */
const DEADLINE_MS = 60_000;

/** Rejects with a message that says what was awaited if `promise` takes too long. */
export function within(what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} within ${DEADLINE_MS} ms`)), DEADLINE_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Something that happens once, for whoever waits for it. */
export function event() {
  let happen;
  const happened = new Promise(resolve => (happen = resolve));
  return { happen, happened };
}
