import * as host from "#host/env";

/** The variables the operator granted. */
export const env = {
  get: (name) => host.getEnvironment().find(([known]) => known === name)?.[1],
  all: () => Object.fromEntries(host.getEnvironment()),
};
