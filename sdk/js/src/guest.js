/** The exports of a component, answered by a plugin. The builder writes an entry that picks those there are methods for. */
import { Call } from "./call.js";
import { closeAll } from "./cleanup.js";
import { toCache, toResourceInfo } from "./content.js";
import { ToolError, trace, words } from "./error.js";
import { write } from "./log.js";
import { toCompletion, toMessages, toPrompt, toRead, toTemplate, toTool } from "./lower.js";
import { fromTexts } from "./prompt-arguments.js";
import { toErrorResult, toResult } from "./result.js";
import { Misfit } from "./schema.js";
import { text } from "./text.js";
import { settle } from "#engine";

export function tools(plugin) {
  const fixed = [...plugin.tools.values()].map(({ described }) => described);
  const { dynamic: { tools: dynamic }, cache } = plugin;
  const dynamicWay = dynamic && toolWay((args, call) => dynamic.call(call.name, args, call), false);
  // Made once and not for each call, which then has less to make.
  const ways = new Map();
  for (const [name, { args, run, hasOutput }] of plugin.tools) {
    ways.set(name, toolWay((given, call) => then(args.read(given), (read) => run(read, call)), hasOutput));
  }
  return {
    listTools: () => list(fixed, dynamic?.list, toTool, (all) => ({ tools: all, cache: toCache(dynamic?.cache) ?? cache })),

    callTool({ name, arguments: args, continuation }) {
      const way = ways.get(name) ?? dynamicWay;
      if (!way) throw { tag: "not-found", val: `this plugin has no tool \`${name}\`` };
      return run(way, new Call(name, continuation), args);
    },
  };
}

/** How a tool is run, and what becomes of what it returns or throws. */
function toolWay(work, hasOutput) {
  const refused = (message) => ({ tag: "complete", val: toErrorResult(message) });
  return {
    work: (call, args) => work(JSON.parse(args), call),
    done: (value) => ({ tag: "complete", val: toResult(value, hasOutput) }),
    failed(error, { name }) {
      if (error instanceof Misfit) return refused(`arguments of \`${name}\`: ${error.message}`);
      if (error instanceof ToolError && error.kind !== undefined) throw toCallError(error);
      if (!(error instanceof ToolError)) write("error", trace(error), name);
      return refused(words(error));
    },
  };
}

export function resources(plugin) {
  const all = [...plugin.resources.values()];
  const described = (isTemplate) => all.filter((one) => one.isTemplate === isTemplate).map((one) => one.described);
  const [resources, templates] = [described(false), described(true)];
  const { dynamic: { resources: dynamic }, cache } = plugin;
  const hint = () => toCache(dynamic?.cache) ?? cache;
  return {
    listResources: () => list(resources, dynamic?.list, toResourceInfo, (all) => ({ resources: all, cache: hint() })),
    listTemplates: () => list(templates, dynamic?.templates, toTemplate, (all) => ({ templates: all, cache: hint() })),

    readResource({ uri, continuation }) {
      const call = new Call(uri, continuation);
      const unknown = () => ({ tag: "not-found", val: `there is no resource \`${uri}\`` });
      const found = first(all, (one) => one.match(uri));
      const work = found
        ? () => found.of.read(found.match, call)
        : dynamic && (() => dynamic.read(uri, call));
      if (!work) throw unknown();
      const done = (value) => {
        if (value === undefined || value === null) throw unknown();
        return { tag: "complete", val: toRead(value, uri, found?.of) };
      };
      return run({ work, done, failed: (error) => fail(error, uri) }, call);
    },
  };
}

export function prompts(plugin) {
  const fixed = [...plugin.prompts.values()].map(({ described }) => described);
  const { dynamic: { prompts: dynamic }, cache } = plugin;
  return {
    listPrompts: () => list(fixed, dynamic?.list, toPrompt, (all) => ({ prompts: all, cache: toCache(dynamic?.cache) ?? cache })),

    getPrompt({ name, arguments: pairs, continuation }) {
      const call = new Call(name, continuation);
      const texts = Object.fromEntries(pairs);
      const found = plugin.prompts.get(name);
      const work = found
        ? () => then(found.args.read(fromTexts(found.args.json, texts)), (read) => found.get(read, call))
        : dynamic && (() => dynamic.get(name, texts, call));
      if (!work) throw { tag: "not-found", val: `this plugin has no prompt \`${name}\`` };
      const done = (value) => ({ tag: "complete", val: toMessages(value) });
      const failed = (error) => {
        if (error instanceof Misfit) throw { tag: "invalid-arguments", val: `arguments of \`${name}\`: ${error.message}` };
        return fail(error, name);
      };
      return run({ work, done, failed }, call);
    },
  };
}

export function completions(plugin) {
  return {
    complete({ target, argument, value, context }) {
      const found =
        target.tag === "prompt"
          ? plugin.prompts.get(target.val)
          : (plugin.resources.get(target.val) ?? first([...plugin.resources.values()], (one) => one.match(target.val))?.of);
      if (!found && target.tag === "prompt") throw { tag: "not-found", val: `this plugin has no prompt \`${target.val}\`` };
      const values = found?.complete[argument];
      if (values === undefined && target.tag === "prompt" && !(argument in (found.args.json.properties ?? {}))) {
        const known = Object.keys(found.args.json.properties ?? {}).map((name) => `\`${name}\``).join(", ") || "none";
        throw { tag: "invalid-arguments", val: `the prompt \`${target.val}\` has no argument \`${argument}\`; it has ${known}` };
      }
      const work = () => (typeof values === "function" ? values(value, Object.fromEntries(context)) : (values ?? []));
      return run({ work, done: (answer) => toCompletion(answer, value), failed: (error) => fail(error, argument) });
    },
  };
}

/**
 * Runs what the author wrote: it returns, or throws, or asks; at once, or through a promise. A way has `work`, and what makes the
 * answer of what that returned (`done`) or threw (`failed`).
 */
function run(way, call, input) {
  let value;
  try {
    value = way.work(call, input);
  } catch (error) {
    return end(way, way.failed, error, call);
  }
  if (typeof value !== "string" && typeof value?.then === "function") {
    return settle(value, (later) => end(way, way.done, later, call), (error) => end(way, way.failed, error, call));
  }
  return end(way, way.done, value, call);
}

function end(way, finish, value, call) {
  closeAll();
  const asked = call?.inputRequired;
  if (asked) return { tag: "input-required", val: asked };
  try {
    return finish(value, call);
  } catch (error) {
    // What is no error of the contract by now is a result that cannot be passed on.
    return finish === way.done && !isCallError(error) ? way.failed(error, call) : rethrow(error);
  }
}

function rethrow(error) {
  throw error;
}

function then(value, next) {
  return typeof value?.then === "function" ? value.then(next) : next(value);
}

function isCallError(error) {
  return typeof error?.tag === "string" && !(error instanceof Error);
}

/** Resources and prompts have no results that tell of failure: every error fails the call. */
function fail(error, whose) {
  if (!(error instanceof ToolError)) write("error", trace(error), whose);
  throw toCallError(error);
}

function toCallError(error) {
  const { kind = "other" } = error;
  return kind === "cancelled" ? { tag: kind } : { tag: kind, val: text(words(error)) };
}

function list(fixed, dynamic, describe, done) {
  if (!dynamic) return done(fixed);
  return run({ work: dynamic, done: (more) => done([...fixed, ...more.map(describe)]), failed: (error) => fail(error, "list") });
}

function first(all, match) {
  for (const of of all) {
    const found = match(of);
    if (found) return { of, match: found };
  }
  return undefined;
}
