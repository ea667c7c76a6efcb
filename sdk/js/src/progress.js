import * as host from "#host/progress";
import { optional } from "./text.js";

export const progress = {
  report: (done, total, message) => host.report(done, total ?? undefined, optional(message)),
  isWanted: () => host.isWanted(),
};
