/** What authors write for lists, reads, prompts and completions, as the contract has it. */
import { toCache, toContent, toContents, toIcons, toResourceInfo } from "./content.js";
import { json, meta, optional, text } from "./text.js";

/** A tool of a list made at run time; one made by `tool` does as well. */
export function toTool(one) {
  if (one.described) return one.described;
  const { name, title, description, inputSchema, outputSchema, annotations, icons, meta: more } = one;
  return {
    name: text(name),
    title: optional(title),
    description: optional(description),
    inputSchema: json(inputSchema ?? { type: "object" }, "the schema"),
    outputSchema: outputSchema && json(outputSchema, "the output schema"),
    annotations,
    icons: toIcons(icons),
    meta: meta(more),
  };
}

export function toTemplate({ uriTemplate, ...info }) {
  const { uri, size, ...rest } = toResourceInfo({ uri: uriTemplate, ...info });
  return { uriTemplate: uri, ...rest };
}

export function toPrompt(one) {
  if (one.described) return one.described;
  const args = (one.arguments ?? []).map(({ name, title, description, required = false }) => ({
    name: text(name),
    title: optional(title),
    description: optional(description),
    required,
  }));
  return {
    name: text(one.name),
    title: optional(one.title),
    description: optional(one.description),
    arguments: args,
    icons: toIcons(one.icons),
    meta: meta(one.meta),
  };
}

/** What `read` returned: text, bytes, contents, several, with or without how long they stay fresh; anything else is JSON. */
export function toRead(value, uri, of) {
  const isRead = !Array.isArray(value) && Array.isArray(value.contents);
  const { contents, cache, meta: more } = isRead ? value : { contents: value };
  const several = Array.isArray(contents) ? contents : [contents];
  return { contents: several.map((one) => toContents(toParts(one, uri, of))), cache: toCache(cache) ?? of?.cache, meta: meta(more) };
}

function toParts(value, uri, of) {
  if (typeof value === "string") return { uri, mimeType: of?.mimeType, text: value };
  if (value instanceof Uint8Array) return { uri, mimeType: of?.mimeType, blob: value };
  if (typeof value === "object" && value !== null && ("text" in value || "blob" in value)) return { uri, mimeType: of?.mimeType, ...value };
  return { uri, mimeType: of?.mimeType ?? "application/json", text: json(value, "what was read") };
}

/** What `get` returned: a text, a message, several, or all of it with a description. */
export function toMessages(value) {
  const { messages, description, meta: more } = value?.messages ? value : { messages: value };
  const several = Array.isArray(messages) ? messages : [messages];
  return { description: optional(description), messages: several.map(toMessage), meta: meta(more) };
}

function toMessage(message) {
  const { role = "user", content = message } = message?.role ? message : {};
  return { role, content: toContent(content) };
}

/** How many values one answer may have. */
const MOST = 100;

/** The values that begin with what was typed, capitals or not; or an answer that is passed on as it is. */
export function toCompletion(answer, typed) {
  if (!Array.isArray(answer)) {
    const { values, total, hasMore = false } = answer;
    return { values: values.slice(0, MOST).map(text), total, hasMore };
  }
  const start = typed.toLowerCase();
  const fit = answer.map(text).filter((value) => value.toLowerCase().startsWith(start));
  return { values: fit.slice(0, MOST), total: fit.length, hasMore: fit.length > MOST };
}
