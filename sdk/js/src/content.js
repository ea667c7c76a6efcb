import { meta, optional, text } from "./text.js";
import { u64 } from "#engine";

/** Blocks of a result or of a prompt, in the form in which the protocol writes them. */
export const content = {
  text: (value, more) => ({ type: "text", text: text(value), ...more }),
  image: (data, mimeType, more) => ({ type: "image", data, mimeType, ...more }),
  audio: (data, mimeType, more) => ({ type: "audio", data, mimeType, ...more }),
  link: (info, more) => ({ type: "resource_link", ...info, ...more }),
  embedded: (resource, more) => ({ type: "resource", resource, ...more }),
};

/** A block as the contract has it. */
export function toContent(block) {
  if (typeof block === "string") return { tag: "text", val: { text: text(block) } };
  switch (block?.type) {
    case "text":
      return { tag: "text", val: { text: text(block.text), ...hints(block) } };
    case "image":
    case "audio":
      return { tag: block.type, val: { data: bytes(block.data, block.type), mimeType: text(block.mimeType), ...hints(block) } };
    case "resource_link":
      return { tag: "resource-link", val: toResourceInfo(block) };
    case "resource":
      return { tag: "resource", val: { contents: toContents(block.resource), ...hints(block) } };
    default:
      throw new TypeError("a block of content is a text or made by `content`, such as `content.image(bytes, \"image/png\")`");
  }
}

/** The description of a resource. */
export function toResourceInfo(info) {
  return {
    uri: text(info.uri),
    name: text(info.name),
    title: optional(info.title),
    description: optional(info.description),
    mimeType: optional(info.mimeType),
    size: info.size === undefined ? undefined : u64(info.size),
    icons: toIcons(info.icons),
    ...hints(info),
  };
}

/** The contents of a resource: text, or bytes as `blob`. */
export function toContents(contents) {
  const body =
    contents.blob === undefined
      ? { tag: "text", val: text(contents.text) }
      : { tag: "blob", val: bytes(contents.blob, "blob") };
  return { uri: text(contents.uri), mimeType: optional(contents.mimeType), body, meta: meta(contents.meta) };
}

export function toIcons(icons = []) {
  return icons.map((icon) => {
    const { src, mimeType, sizes = [], theme } = typeof icon === "string" ? { src: icon } : icon;
    return { src: text(src), mimeType: optional(mimeType), sizes: sizes.map(text), theme };
  });
}

/** How long something stays fresh; not said is left to the host. */
export function toCache(cache) {
  if (cache === undefined) return undefined;
  const { ttlMs, scope = "private" } = cache;
  return { ttlMs: u64(ttlMs), scope };
}

export function hints({ annotations, meta: more }) {
  return { annotations: toAnnotations(annotations), meta: meta(more) };
}

function toAnnotations(annotations) {
  if (annotations === undefined) return undefined;
  const { audience = [], priority, lastModified } = annotations;
  return { audience: [...audience], priority, lastModified: optional(lastModified) };
}

function bytes(data, what) {
  if (data instanceof Uint8Array) return data;
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  throw new TypeError(`the data of \`${what}\` are bytes, a Uint8Array; this is ${data === null ? "null" : typeof data}`);
}

/** A block of the contract in the form of `content`, as results of other tools have it. */
export function fromContent({ tag, val }) {
  const more = fromHints(val);
  switch (tag) {
    case "text":
      return { type: "text", text: val.text, ...more };
    case "image":
    case "audio":
      return { type: tag, data: val.data, mimeType: val.mimeType, ...more };
    case "resource-link": {
      const said = Object.entries(val).filter(([key, value]) => value != null && key !== "annotations" && key !== "meta");
      const info = Object.fromEntries(said);
      if (info.size !== undefined) info.size = Number(info.size);
      return { type: "resource_link", ...info, ...more };
    }
    default: {
      const { uri, mimeType, body, meta: inner } = val.contents;
      const resource = { uri, ...(body.tag === "text" ? { text: body.val } : { blob: body.val }) };
      if (mimeType != null) resource.mimeType = mimeType;
      if (inner != null) resource.meta = JSON.parse(inner);
      return { type: "resource", resource, ...more };
    }
  }
}

function fromHints({ annotations, meta: more }) {
  const out = {};
  if (annotations != null) out.annotations = Object.fromEntries(Object.entries(annotations).filter(([, value]) => value != null));
  if (more != null) out.meta = JSON.parse(more);
  return out;
}

