import { toCache, toIcons, hints, toResourceInfo } from "./content.js";
import { ofArguments, ofResult } from "./schema.js";
import { json, meta, optional, text } from "./text.js";
import * as uris from "./uri.js";

/** A tool. What is wrong with its description is found here, when the plugin is built. */
export function tool(definition) {
  const { name, description, run, input, output, annotations } = definition;
  const whose = `the tool \`${name}\``;
  requireName(name, "a tool");
  requireFunction(run, "run", whose);
  const args = ofArguments(input, whose);
  return {
    kind: "tool",
    name,
    args,
    run,
    hasOutput: output !== undefined,
    described: {
      name,
      title: optional(definition.title),
      description: optional(description),
      inputSchema: json(args.json, "the schema"),
      outputSchema: output === undefined ? undefined : json(ofResult(output), "the output schema"),
      annotations: annotations && {
        readOnly: annotations.readOnly,
        destructive: annotations.destructive,
        idempotent: annotations.idempotent,
        openWorld: annotations.openWorld,
      },
      icons: toIcons(definition.icons),
      meta: toolMeta(definition, whose),
    },
  };
}

function toolMeta({ meta: more, task, ui }, whose) {
  const all = { ...more };
  if (task !== undefined) {
    if (!["optional", "required", "forbidden"].includes(task)) {
      throw new TypeError(`\`task\` of ${whose} is "optional" (a task where the client can follow one), "required" (only as a task) or "forbidden"`);
    }
    all["io.toolcell/task"] = task;
  }
  if (ui !== undefined) {
    if (!ui.startsWith("ui://")) throw new TypeError(`\`ui\` of ${whose} is the \`ui://\` URI of a resource of this plugin`);
    all.ui = { ...all.ui, resourceUri: ui };
  }
  return Object.keys(all).length > 0 ? json(all, "`meta`") : undefined;
}

/** The media type of a page that a client shows beside a tool's result. */
const APP_MIME_TYPE = "text/html;profile=mcp-app";

/** A resource, or a template of resources where its URI has variables. */
export function resource(definition) {
  const { uri, read, cache } = definition;
  const whose = `the resource \`${uri}\``;
  if (typeof uri !== "string" || !/^[A-Za-z][A-Za-z0-9+.-]*:/.test(uri)) {
    throw new TypeError(`a resource needs a \`uri\` with a scheme, such as \`note://{id}\`; this is ${JSON.stringify(uri)}`);
  }
  requireFunction(read, "read", whose);
  const isTemplate = uris.isTemplate(uri);
  const mimeType = definition.mimeType ?? (uri.startsWith("ui://") ? APP_MIME_TYPE : undefined);
  const name = definition.name ?? uri.replace(/^[A-Za-z][A-Za-z0-9+.-]*:\/*/, "").replace(/[{}]/g, "");
  const names = isTemplate ? uris.variables(uri) : [];
  for (const variable of Object.keys(definition.complete ?? {})) {
    if (!names.includes(variable)) throw new TypeError(`${whose} completes \`${variable}\`, which is no variable of it`);
  }
  const info = { ...definition, name, mimeType };
  return {
    kind: "resource",
    uri,
    isTemplate,
    match: isTemplate ? uris.template(uri) : (asked) => (asked === uri ? {} : undefined),
    mimeType,
    cache: toCache(cache),
    read,
    complete: definition.complete ?? {},
    described: isTemplate ? template(uri, info) : toResourceInfo(info),
  };
}

function template(uri, info) {
  return {
    uriTemplate: text(uri),
    name: text(info.name),
    title: optional(info.title),
    description: optional(info.description),
    mimeType: optional(info.mimeType),
    icons: toIcons(info.icons),
    ...hints(info),
  };
}

/** A prompt: messages that a person can choose. */
export function prompt(definition) {
  const { name, args: schema, get, complete = {} } = definition;
  const whose = `the prompt \`${name}\``;
  requireName(name, "a prompt");
  requireFunction(get, "get", whose);
  const args = ofArguments(schema, whose);
  const { properties = {}, required = [] } = args.json;
  for (const argument of Object.keys(complete)) {
    if (!(argument in properties)) throw new TypeError(`${whose} completes \`${argument}\`, which is no argument of it`);
  }
  return {
    kind: "prompt",
    name,
    args,
    get,
    complete,
    described: {
      name,
      title: optional(definition.title),
      description: optional(definition.description),
      arguments: Object.entries(properties).map(([argument, { title, description }]) => ({
        name: argument,
        title: optional(title),
        description: optional(description),
        required: required.includes(argument),
      })),
      icons: toIcons(definition.icons),
      meta: meta(definition.meta),
    },
  };
}

/** Suggestions for an argument of a prompt, or for a variable of a resource's URI, that are not said there. */
export function complete({ prompt: name, resource: uri, argument, values }) {
  return { kind: "complete", prompt: name, uri, argument, values };
}

/** Everything a plugin offers. */
export class Plugin {
  constructor({ tools = [], resources = [], prompts = [], completions = [], dynamic = {}, cache }) {
    this.tools = byKey(tools, "tool", "name");
    this.resources = byKey(resources, "resource", "uri");
    this.prompts = byKey(prompts, "prompt", "name");
    this.dynamic = dynamic;
    this.cache = toCache(cache);
    for (const completion of completions) this.#addCompletion(completion);
  }

  #addCompletion({ kind, prompt: name, uri, argument, values }) {
    if (kind !== "complete") throw new TypeError("`completions` holds what `complete({…})` makes");
    const target = name === undefined ? this.resources.get(uri) : this.prompts.get(name);
    if (!target) throw new TypeError(`a completion is for \`${name ?? uri}\`, which this plugin does not have`);
    target.complete = { ...target.complete, [argument]: values };
  }

  /** Which interfaces of the contract its component exports. */
  get kinds() {
    const { tools, resources, prompts } = this.dynamic;
    const completes = [...this.resources.values(), ...this.prompts.values()].some(({ complete }) => Object.keys(complete).length > 0);
    return {
      tools: this.tools.size > 0 || tools !== undefined,
      resources: this.resources.size > 0 || resources !== undefined,
      prompts: this.prompts.size > 0 || prompts !== undefined,
      completions: completes,
    };
  }
}

/** Makes a plugin; the default export of its entry file. */
export function plugin(definition) {
  return new Plugin(definition);
}

function byKey(items, kind, key) {
  const map = new Map();
  for (const item of items) {
    if (item?.kind !== kind) throw new TypeError(`\`${kind}s\` holds what \`${kind}({…})\` makes; this is ${item === null ? "null" : typeof item}`);
    if (map.has(item[key])) throw new TypeError(`there are two ${kind}s \`${item[key]}\`; give one of them another ${key}`);
    map.set(item[key], item);
  }
  return map;
}

function requireName(name, what) {
  if (typeof name !== "string" || !/^[A-Za-z0-9_.-]{1,128}$/.test(name)) {
    throw new TypeError(`${what} needs a \`name\` of 1 to 128 of A-Z a-z 0-9 _ - . ; this is ${JSON.stringify(name)}`);
  }
}

function requireFunction(value, property, whose) {
  if (typeof value !== "function") throw new TypeError(`${whose} needs \`${property}\`, a function`);
}

