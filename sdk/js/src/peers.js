import * as host from "#host/peers";
import { fromContent } from "./content.js";
import { payload } from "./error.js";
import { json, text } from "./text.js";

/** Why the other tool was not run. `kind` is `denied`, `not-found`, `invalid-arguments`, `limit` or `other`. */
export class PeerError extends Error {
  constructor(kind, message) {
    super(message);
    this.name = "PeerError";
    this.kind = kind;
  }
}

export const peers = {
  call(tool, args = {}) {
    let result;
    try {
      result = host.call(text(tool), json(args, `the arguments of \`${tool}\``));
    } catch (error) {
      const { tag, val } = payload(error) ?? {};
      if (tag === undefined) throw error;
      throw new PeerError(tag, val);
    }
    const { content, structured, isError, meta } = result;
    const blocks = content.map(fromContent);
    return {
      text: blocks.filter(({ type }) => type === "text").map((block) => block.text).join("\n\n"),
      content: blocks,
      structured: structured == null ? undefined : JSON.parse(structured),
      isError,
      meta: meta == null ? undefined : JSON.parse(meta),
    };
  },
};
