import { host } from "./state.js";

const NONE = { form: false, url: false, sample: false, sampleTools: false, roots: false, apps: false };

export function current() {
  const { caller, client, abilities, remainingMs = 30_000, trace, meta = {} } = host.context;
  return {
    caller: caller && { principal: caller.principal, claims: JSON.stringify(caller.claims ?? {}) },
    client,
    abilities: { ...NONE, ...abilities },
    remainingMs,
    trace,
    meta: JSON.stringify(meta),
  };
}

export const isCancelled = () => host.context.isCancelled ?? false;
