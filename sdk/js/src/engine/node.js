/** In unit tests numbers stay numbers, and the test waits. */
export const u64 = Number;

export function settle(promise, done, failed) {
  return promise.then(done, failed);
}
