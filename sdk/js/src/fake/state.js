/** What stands for the host in unit tests; `testing.js` fills it. */
export const host = {
  store: new Map(),
  /** Changes a key between the read and the compare-and-set of the plugin, as another call would. */
  interfere: undefined,
  logs: [],
  progress: [],
  changes: [],
  env: {},
  context: {},
  http: undefined,
  tools: {},
};

/** Throws as a host function does: an error with the contract's error in it. */
export function refuse(tag, val) {
  throw Object.assign(new Error(typeof val === "string" ? val : tag), { payload: { tag, val } });
}
