import { run } from "../globals/loop.js";

/** QuickJS has 64-bit integers of the contract as numbers. */
export const u64 = Number;

/** Nobody runs what waits for promises in a synchronous call but ourselves. */
export function settle(promise, done, failed) {
  let outcome;
  promise.then(
    (value) => (outcome = () => done(value)),
    (error) => (outcome = () => failed(error)),
  );
  run(() => outcome !== undefined);
  if (outcome === undefined) {
    return failed(new Error("it waits for a promise that nothing in the plugin will ever settle; use blocking calls, such as `http.get`, or `engine = \"starlingmonkey\"` in plugin.toml"));
  }
  return outcome();
}
