import { toResult } from "../result.js";
import { host, refuse } from "./state.js";

export function call(tool, args) {
  const run = host.tools[tool] ?? refuse("denied", `the operator has not granted the tool \`${tool}\``);
  return toResult(run(JSON.parse(args)), false);
}
