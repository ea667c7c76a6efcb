import * as host from "#host/context";

export const context = {
  current() {
    const { caller, client, abilities, remainingMs, trace, meta } = host.current();
    return {
      caller: caller == null ? undefined : { principal: caller.principal, claims: JSON.parse(caller.claims) },
      client: client ?? undefined,
      abilities: { ...abilities },
      remainingMs: Number(remainingMs),
      trace: trace == null ? undefined : Object.fromEntries(Object.entries(trace).filter(([, value]) => value != null)),
      meta: JSON.parse(meta),
    };
  },
  isCancelled: () => host.isCancelled(),
};
