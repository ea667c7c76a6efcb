/** A plugin in a unit test, called as the host calls it, with the test in the place of host, person and web. */
import { host } from "./fake/state.js";
import { fromContent } from "./content.js";
import { completions, prompts, resources, tools } from "./guest.js";
import { decode, encode, json } from "./text.js";

export { HttpError } from "./http/error.js";
export { accept, cancel, decline, failed, roots, sample } from "./testing-answers.js";

/** How often a plugin may ask before the test is told that it never ends. */
const ROUNDS = 20;

/** Puts a plugin into a test of its own: nothing is left of earlier ones. */
export function harness(plugin, options = {}) {
  const { keyValue = {}, http, env = {}, context = {}, tools: peers = {} } = options;
  Object.assign(host, {
    store: keyValue === false ? undefined : new Map(Object.entries(keyValue).map(([key, value]) => [key, bytes(value)])),
    interfere: options.interfere,
    logs: [],
    progress: [],
    changes: [],
    env,
    context,
    http: typeof http === "function" ? http : http && (({ url }) => http[url] ?? { status: 404 }),
    tools: peers,
  });
  return new Harness(plugin);
}

const bytes = (value) => (value instanceof Uint8Array ? value : encode(typeof value === "string" ? value : json(value, "the value")));

/** Why a call failed, as opposed to a result that tells of failure. */
export class CallError extends Error {
  constructor({ tag, val }) {
    super(val ?? tag);
    this.name = "CallError";
    this.kind = tag;
  }
}

class Harness {
  #plugin;

  constructor(plugin) {
    this.#plugin = plugin;
  }

  get logs() {
    return host.logs;
  }

  get progress() {
    return host.progress;
  }

  get changes() {
    return host.changes;
  }

  /** The store as it is now: JSON values read, everything else as text. */
  get store() {
    return Object.fromEntries([...host.store].sort().map(([key, value]) => [key, read(decode(value))]));
  }

  async tools() {
    const { tools: all } = await entered(() => tools(this.#plugin).listTools());
    return all.map(({ inputSchema, outputSchema, meta, ...rest }) =>
      said({ ...rest, inputSchema: JSON.parse(inputSchema), outputSchema: outputSchema && JSON.parse(outputSchema), meta: meta && JSON.parse(meta) }));
  }

  async resources() {
    return (await entered(() => resources(this.#plugin).listResources())).resources.map(said);
  }

  async templates() {
    return (await entered(() => resources(this.#plugin).listTemplates())).templates.map(said);
  }

  async prompts() {
    return (await entered(() => prompts(this.#plugin).listPrompts())).prompts.map(said);
  }

  async call(name, args = {}, { answers = {} } = {}) {
    const { callTool } = tools(this.#plugin);
    const { val, asked } = await rounds((continuation) => callTool({ name, arguments: JSON.stringify(args), continuation }), answers);
    const { content, structured, isError, meta } = val;
    const blocks = content.map(fromContent);
    const text = blocks.filter(({ type }) => type === "text").map((block) => block.text).join("\n\n");
    return said({ text, structured: structured && JSON.parse(structured), isError, content: blocks, meta: meta && JSON.parse(meta), asked });
  }

  async read(uri, { answers = {} } = {}) {
    const { readResource } = resources(this.#plugin);
    const { val, asked } = await rounds((continuation) => readResource({ uri, continuation }), answers);
    const contents = val.contents.map((one) => fromContent({ tag: "resource", val: { contents: one } }).resource);
    return said({ text: contents.map(({ text }) => text).filter((text) => text !== undefined).join("\n\n"), contents, cache: val.cache, asked });
  }

  async prompt(name, args = {}, { answers = {} } = {}) {
    const { getPrompt } = prompts(this.#plugin);
    const { val, asked } = await rounds((continuation) => getPrompt({ name, arguments: Object.entries(args), continuation }), answers);
    const messages = val.messages.map(({ role, content }) => ({ role, content: fromContent(content) }));
    const text = messages.map(({ content }) => content.text).filter((text) => text !== undefined).join("\n\n");
    return said({ description: val.description, messages, text, asked });
  }

  async complete(target, argument, typed, settled = {}) {
    const [tag, val] = target.prompt === undefined ? ["resource-template", target.resource] : ["prompt", target.prompt];
    const request = { target: { tag, val }, argument, value: typed, context: Object.entries(settled) };
    return said(await entered(() => completions(this.#plugin).complete(request)));
  }
}

/** Calls, and calls again with the answers, as the host does. */
async function rounds(work, answers) {
  const asked = [];
  let continuation;
  for (let round = 0; round < ROUNDS; round++) {
    const { tag, val } = await entered(() => work(continuation));
    if (tag === "complete") return { val, asked };
    const responses = val.requests.map(({ key, kind }) => {
      asked.push(question(key, kind));
      if (!(key in answers)) throw new Error(`the plugin asks for \`${key}\`, and the test has no answer: call(…, …, { answers: { ${key}: accept({…}) } })`);
      const answer = answers[key];
      return { key, answer: typeof answer === "function" ? answer(asked.at(-1)) : answer };
    });
    continuation = { responses, state: val.state };
  }
  throw new Error(`the plugin has asked ${ROUNDS} times and still does not answer`);
}

function question(key, { tag, val }) {
  if (tag === "sample") return { key, kind: tag, params: JSON.parse(val) };
  if (tag === "form") return { key, kind: tag, message: val.message, schema: JSON.parse(val.schema) };
  return said({ key, kind: tag, message: val?.message, url: val?.url });
}

async function entered(work) {
  try {
    return await work();
  } catch (error) {
    throw typeof error?.tag === "string" && !(error instanceof Error) ? new CallError(error) : error;
  }
}

/** Without what was not said, so that tests compare what was. */
function said(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
