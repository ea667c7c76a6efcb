/** StarlingMonkey has 64-bit integers of the contract as BigInts. */
export const u64 = (value) => BigInt(Math.trunc(Number(value)));

/** The engine runs its event loop until an exported function's promise is settled. */
export function settle(promise, done, failed) {
  return promise.then(done, failed);
}
