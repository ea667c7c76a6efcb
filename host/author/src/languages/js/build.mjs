// Makes a component of a plugin in JavaScript or TypeScript: checks types, bundles, looks at what the plugin offers, and lets
// the engine evaluate the bundle once, so that a call begins where evaluation ended. Its one argument is the plan, a JSON file.
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import vm from "node:vm";

const plan = JSON.parse(readFileSync(process.argv[2], "utf8"));
const tools = createRequire(join(plan.tools, "package.json"));
const isQuickJs = plan.engine === "quickjs";

/** A fault of the author's, said without our stack. */
class Fault extends Error {}

/**
 * While QuickJS evaluates the bundle, componentize-qjs 0.4 links the real `wasi:io` beside stand-ins for `wasi:http`, whose
 * streams are of another type, and refuses the pair. Under a namespace of their own both are stand-ins; the name is put right in
 * the component. The version differs from the engine's own imports, because no name may occur twice.
 */
const APART = { namespace: "wasj:", version: "0.2.10" };
/** What the SDK is written against. */
const WASI = { namespace: "wasi:", version: "0.2.12" };

/** Text of WIT, or the name of an interface, with WASI set apart for QuickJS. */
function apart(text) {
  return isQuickJs ? text.replaceAll(/\bwasi:/g, APART.namespace).replaceAll(WASI.version, APART.version) : text;
}

/** What to do about a name that the engine does not know. */
const ELSEWHERE = { process: "use `env` of `@toolcell/sdk`", Buffer: "use Uint8Array", require: "use import", Intl: "no engine has it; use a package" };

try {
  await build();
} catch (error) {
  console.error(error instanceof Fault ? error.message : (error.stack ?? String(error)));
  process.exitCode = 1;
}

async function build() {
  const types = checkTypes();
  let source;
  try {
    source = await bundle();
  } catch (error) {
    // Type errors say more than what follows from them.
    await types;
    throw error;
  }
  const world = plan.world ? { path: join(plan.project, "wit"), name: plan.world } : writeWorld(source.imports, await offers(source));
  await types;
  writeFileSync(source.file, source.code);
  const component = isQuickJs ? await withQuickJs(source, world) : await withStarlingMonkey(source, world);
  writeFileSync(plan.out, component);
}

/** Runs the type checker on what the entry file reaches. */
async function checkTypes() {
  if (!plan.typescript) return;
  const own = join(plan.project, "tsconfig.json");
  const config = join(plan.gen, "tsconfig.json");
  const sdk = join(plan.sdk, "src");
  const defaults = {
    target: "es2022", module: "esnext", moduleResolution: "bundler", lib: ["es2023"], types: [], strict: true, skipLibCheck: true,
    allowImportingTsExtensions: true, paths: { "@toolcell/sdk": [join(sdk, "index.d.ts")], "@toolcell/sdk/testing": [join(sdk, "testing.d.ts")] },
  };
  const more = existsSync(own) ? { extends: relative(plan.gen, own) } : { compilerOptions: defaults };
  const compilerOptions = { ...more.compilerOptions, noEmit: true, composite: false, incremental: true, tsBuildInfoFile: join(plan.gen, "types.tsbuildinfo") };
  writeFileSync(config, JSON.stringify({ ...more, compilerOptions, include: [], files: [plan.entry] }));
  const program = [tools.resolve("typescript/package.json").replace(/package\.json$/, "bin/tsc"), "-p", config, "--pretty", "false"];
  const { status, output } = await run(process.execPath, program, plan.project);
  if (status === 0) return;
  const lines = output.trim().split("\n");
  throw new Fault(`${lines.join("\n")}\nthe types do not fit: mend ${lines.length === 1 ? "this" : "these"}, or say \`// @ts-expect-error\` above the line`);
}

/** One ES module of the entry file and all it needs; what is left to import are interfaces of the host. */
async function bundle() {
  const { rolldown } = await import(pathToFileURL(tools.resolve("rolldown")));
  const { transformSync } = await import(pathToFileURL(tools.resolve("rolldown/utils")));
  const input = plan.world ? plan.entry : writeEntry();
  const warnings = [];
  const building = await rolldown({
    input,
    cwd: plan.project,
    platform: "neutral",
    tsconfig: existsSync(join(plan.project, "tsconfig.json")) ? join(plan.project, "tsconfig.json") : false,
    plugins: [hostPlugin(), ...(isQuickJs ? [asyncPlugin(transformSync)] : [])],
    resolve: {
      conditionNames: ["toolcell", `toolcell-${plan.engine}`, "module", "import", "default"],
      mainFields: ["module", "main"],
    },
    transform: { inject: injected(), define: { "process.env.NODE_ENV": '"production"' } },
    onLog: (level, log) => level === "warn" && warnings.push(log.message),
  }).catch(rethrow);
  const { output } = await building.generate({ format: "esm", codeSplitting: false, minify: false }).catch(rethrow);
  await building.close();
  const [{ code, imports }] = output;
  const missing = imports.filter((name) => !isInterface(name));
  if (missing.length > 0) throw new Fault(`not found: ${missing.join(", ")}; run \`npm install\` in ${plan.project}, or correct the import`);
  for (const warning of warnings) console.error(`warning: ${warning}`);
  return { code, imports, file: join(plan.gen, `${plan.name}.js`) };
}

function rethrow(error) {
  throw new Fault(error.message);
}

function writeEntry() {
  const file = join(plan.gen, "entry.js");
  const engine = isQuickJs ? 'import "@toolcell/sdk/globals/install";\n' : "";
  writeFileSync(
    file,
    `${engine}import plugin from ${JSON.stringify(plan.entry)};
import * as guest from "@toolcell/sdk/guest";
export { plugin };
export const tools = guest.tools(plugin);
export const resources = guest.resources(plugin);
export const prompts = guest.prompts(plugin);
export const completions = guest.completions(plugin);
`,
  );
  return file;
}

/** What engines lack comes from the SDK, where it is used. */
function injected() {
  if (plan.world) return {};
  const from = (file, names) => names.map((name) => [name, [join(plan.sdk, "src/globals", file), name]]);
  const everywhere = from("console.js", ["console"]);
  if (!isQuickJs) return Object.fromEntries(everywhere);
  return Object.fromEntries([
    ...everywhere,
    ...from("text-encoding.js", ["TextEncoder", "TextDecoder"]),
    ...from("timers.js", ["setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "clearImmediate"]),
    ...from("fetch.js", ["fetch", "Headers", "Response"]),
    ...from("url.js", ["URL", "URLSearchParams"]),
    ...from("random.js", ["crypto"]),
    ["Math.random", [join(plan.sdk, "src/globals/random.js"), "random"]],
  ]);
}

/** Interfaces of the host stay imports; what no component has is refused with words. */
function hostPlugin() {
  return {
    name: "toolcell-host",
    resolveId(id, importer) {
      // The SDK of this host goes before any that npm has installed.
      const [, part] = /^@toolcell\/sdk(?:\/(.+))?$/.exec(id) ?? [];
      if (id.startsWith("@toolcell/sdk")) return join(plan.sdk, "src", `${part ?? "index"}.js`);
      if (id.startsWith("node:") || (tools("node:module").isBuiltin(id) && !isInstalled(id, importer))) {
        throw new Fault(`${place(importer)} imports \`${id}\`, which no component has: it is part of Node.js; use what \`@toolcell/sdk\` offers, or a package for browsers`);
      }
      if (isInterface(id)) return { id: id.startsWith(WASI.namespace) && !plan.world ? apart(id) : id, external: true };
      return null;
    },
  };
}

/** Whether a name is that of an interface of WIT: `namespace:package/interface`. */
function isInterface(id) {
  return /^[a-z][a-z0-9-]*:[a-z][a-z0-9-]*\//.test(id);
}

function isInstalled(id, importer) {
  try {
    return createRequire(importer ?? plan.entry).resolve(`${id}/package.json`) !== undefined;
  } catch {
    return false;
  }
}

function place(file) {
  return file ? relative(plan.project, file) : "the entry file";
}

/**
 * QuickJS runs no jobs in a synchronous call, so async functions become generators on a Promise whose jobs the SDK runs.
 */
function asyncPlugin(transformSync) {
  return {
    name: "toolcell-async",
    transform: {
      order: "post",
      handler(code, id) {
        if (plan.world || id.startsWith("\0") || !/\basync\b|\bawait\b/.test(code)) return null;
        const { code: lowered, errors } = transformSync(id.replace(/\.[cm]?tsx?$/, ".js"), code, { target: "es2016", lang: "js" });
        if (errors.length > 0) throw new Fault(errors.map(({ message }) => `${place(id)}: ${message}`).join("\n"));
        return { code: lowered, moduleType: "js" };
      },
    },
  };
}

/** Evaluates the bundle here, with nothing but what the engine has, and asks it which interfaces it answers. */
async function offers({ code, imports, file }) {
  const { parseSync } = await import(pathToFileURL(tools.resolve("rolldown/utils")));
  const context = vm.createContext(engineGlobals(), { codeGeneration: { strings: false, wasm: false } });
  for (const name of ["Intl", "WebAssembly", "console"]) vm.runInContext(`delete globalThis.${name}`, context);
  const module = new vm.SourceTextModule(code, { context, identifier: place(file) });
  const wanted = parseSync(file, code).module.staticImports;
  await module.link((specifier) => {
    const names = wanted.filter(({ moduleRequest }) => moduleRequest.value === specifier).flatMap(({ entries }) => entries.map(({ importName }) => importName.name));
    return new vm.SyntheticModule([...new Set(names)], function () {
      for (const name of names) {
        this.setExport(name, function () {
          throw new Error(`\`${name}\` of ${specifier.replace(APART.namespace, WASI.namespace)} was called while the plugin was built; the host is there in a call: move it into \`run\``);
        });
      }
    }, { context });
  });
  try {
    await module.evaluate();
  } catch (error) {
    throw new Fault(evaluationFault(error));
  }
  const { plugin } = module.namespace;
  const kinds = plugin?.kinds;
  if (!kinds) throw new Fault(`${place(plan.entry)} must export the plugin: export default plugin({ tools: [tool({…})] })`);
  const offered = Object.keys(kinds).filter((kind) => kinds[kind]);
  if (offered.length === 0) throw new Fault(`${place(plan.entry)} offers nothing yet: put a tool into plugin({ tools: [tool({…})] })`);
  return offered;
}

function engineGlobals() {
  const { atob, btoa, performance, queueMicrotask } = globalThis;
  if (isQuickJs) return { atob, btoa, performance: { now: () => performance.now() }, queueMicrotask };
  const { URL, URLSearchParams, TextEncoder, TextDecoder, Headers, Request, Response, structuredClone, crypto } = globalThis;
  const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis;
  const fetch = () => {
    throw new Error("`fetch` was called while the plugin was built; call it in `run`");
  };
  return { atob, btoa, performance, queueMicrotask, URL, URLSearchParams, TextEncoder, TextDecoder, Headers, Request, Response, structuredClone, crypto, setTimeout, clearTimeout, setInterval, clearInterval, fetch };
}

function evaluationFault(error) {
  const missing = /^(\w+) is not defined$/.exec(error?.message ?? "")?.[1];
  const remedy = missing && (ELSEWHERE[missing] ?? (isQuickJs ? 'QuickJS does not have it; try `engine = "starlingmonkey"` in plugin.toml' : undefined));
  const where = (error?.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line)).slice(0, 4);
  return [`the plugin cannot be loaded: ${error?.message ?? error}${remedy ? `; ${remedy}` : ""}`, ...where].join("\n");
}

/** A world of what is used, and no more. */
function writeWorld(imports, offered) {
  const path = join(plan.gen, "wit");
  rmSync(path, { recursive: true, force: true });
  mkdirSync(join(path, "deps"), { recursive: true });
  cpSync(join(plan.wit, "v0.1"), join(path, "deps/toolcell-plugin"), { recursive: true });
  for (const name of ["cli", "clocks", "filesystem", "http", "io", "random", "sockets"]) {
    const file = `deps/${name}.wit`;
    writeFileSync(join(path, file), apart(readFileSync(join(plan.wit, file), "utf8")));
  }
  const lines = [
    ...imports.map((name) => `  import ${name};`),
    ...offered.map((name) => `  export toolcell:plugin/${name}@0.1.0;`),
  ];
  writeFileSync(join(path, "world.wit"), `package toolcell:made;\n\nworld guest {\n${lines.join("\n")}\n}\n`);
  return { path, name: "guest" };
}

async function withQuickJs({ code, file }, world) {
  const { componentize } = tools("componentize-qjs");
  const options = { witPath: world.path, world: world.name, jsSource: code, jsPath: file, sync: true };
  try {
    const { component } = await componentize(options);
    return Buffer.from(plan.world ? component : renamed(component));
  } catch (error) {
    const hint = /mismatched resource types/.test(error.message) ? 'QuickJS cannot take `wasi:http` from a world of one\'s own; say `engine = "starlingmonkey"` in plugin.toml' : "";
    throw new Fault([`QuickJS cannot make a component of ${place(plan.entry)}: ${error.message}`, hint].filter(Boolean).join("\n"));
  }
}

/** The component with `wasi:` in the names of what it imports (section 10 of the binary format, outermost level). */
function renamed(component) {
  const bytes = Uint8Array.from(component);
  let at = 8;
  while (at < bytes.length) {
    const id = bytes[at++];
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      size += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    if (id === 10) replace(bytes.subarray(at, at + size), Buffer.from(APART.namespace), Buffer.from(WASI.namespace));
    at += size;
  }
  return bytes;
}

function replace(bytes, from, to) {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = view.indexOf(from); at >= 0; at = view.indexOf(from, at + 1)) to.copy(view, at);
}

async function withStarlingMonkey({ code, imports, file }, world) {
  const { componentize } = await import(pathToFileURL(join(plan.tools, "node_modules/@bytecodealliance/componentize-js/src/componentize.js")));
  const isOnline = /\bfetch\s*\(/.test(code) || imports.some((name) => name.startsWith("wasi:http/"));
  process.chdir(plan.gen);
  try {
    const { component } = await componentize(code, {
      sourceName: `${plan.name}.js`,
      witPath: world.path,
      worldName: world.name,
      disableFeatures: isOnline ? ["fetch-event"] : ["fetch-event", "http"],
    });
    return component;
  } catch (error) {
    throw new Fault(`StarlingMonkey cannot make a component of ${place(plan.entry)}: ${error.message}`);
  }
}

function run(program, args, cwd) {
  return new Promise((done, failed) => {
    const child = spawn(program, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
    child.on("error", failed).on("close", (status) => done({ status, output }));
  });
}
