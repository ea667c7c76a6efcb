import { HttpError } from "../http/error.js";
import { decode, encode } from "../text.js";
import { host } from "./state.js";

/** Asks the test instead of the web. */
export function send({ method, url, headers, body }) {
  if (!host.http) throw new HttpError("denied", `the host refused the request: this test has no answer to ${method} ${url}`);
  const answer = host.http({ method, url, headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])), body: decode(body) });
  if (answer instanceof Error) throw answer;
  const { status = 200, headers: said = {}, json, body: text = json === undefined ? "" : JSON.stringify(json) } = answer;
  let rest = typeof text === "string" ? encode(text) : text;
  return {
    status,
    headers: Object.entries(said),
    read(room) {
      if (rest.length === 0) return undefined;
      const chunk = rest.subarray(0, room);
      rest = rest.subarray(chunk.length);
      return chunk;
    },
    close() {},
  };
}
