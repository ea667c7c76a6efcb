import { toContent } from "./content.js";
import { json, meta } from "./text.js";

/** What a tool found or did; made by `result`. */
export class ToolResult {
  constructor(parts) {
    Object.assign(this, parts);
  }
}

/** Text, blocks, structured content and `_meta` in one result. */
export function result(parts) {
  return new ToolResult(parts);
}

/** What `run` returned, as the contract has it. */
export function toResult(value, hasOutput) {
  // What most tools return, without the detour over what could be said besides.
  if (typeof value === "string" && !hasOutput) return { content: [toContent(value)], isError: false };
  if (value instanceof ToolResult) return toolResult(value);
  if (hasOutput) return toolResult({ structured: value });
  if (value === undefined || value === null) return toolResult({});
  if (isBlock(value)) return toolResult({ content: [value] });
  if (Array.isArray(value) && value.length > 0 && value.every(isBlock)) return toolResult({ content: value });
  return toolResult({ structured: value });
}

function toolResult({ text, content = [], structured, isError = false, meta: more }) {
  const written = structured === undefined ? undefined : json(structured, "the structured result");
  const blocks = content.map(toContent);
  if (text !== undefined) blocks.unshift(toContent(text));
  // Models that read only text get the same as JSON.
  else if (written !== undefined && blocks.length === 0) blocks.push(toContent(written));
  return { content: blocks, structured: written, isError, meta: meta(more) };
}

/** The result that tells the model what went wrong. */
export function toErrorResult(message) {
  return toolResult({ text: message, isError: true });
}

const BLOCKS = new Set(["text", "image", "audio", "resource_link", "resource"]);

function isBlock(value) {
  return typeof value === "object" && value !== null && BLOCKS.has(value.type);
}
