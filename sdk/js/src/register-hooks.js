/** Module hooks of register.js; https://nodejs.org/api/module.html#hooks */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import module, { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const SDK = dirname(fileURLToPath(import.meta.url));

export function resolve(specifier, context, next) {
  const [, part = "index"] = /^@toolcell\/sdk(?:\/(.+))?$/.exec(specifier) ?? [];
  const isSdk = specifier === "@toolcell/sdk" || specifier.startsWith("@toolcell/sdk/");
  return isSdk ? { url: pathToFileURL(join(SDK, `${part}.js`)).href, shortCircuit: true } : next(specifier, context);
}

let strip;

export async function load(url, context, next) {
  if (!/\.m?ts$/.test(url) || url.includes("/node_modules/")) return next(url, context);
  strip ??= await stripper();
  const file = fileURLToPath(url);
  return { format: "module", source: strip(file, readFileSync(file, "utf8")), shortCircuit: true };
}

/** What takes the types away: Node.js itself, or the bundler that `toolcell build` has gotten. */
async function stripper() {
  if (module.stripTypeScriptTypes) return (_, code) => module.stripTypeScriptTypes(code, { mode: "transform" });
  const { transformSync } = await import(pathToFileURL(bundler()));
  return (file, code) => {
    const { code: stripped, errors } = transformSync(file, code, { lang: "ts" });
    if (errors.length > 0) throw new SyntaxError(`${file}: ${errors[0].message}`);
    return stripped;
  };
}

function bundler() {
  // .toolcell/sdk/js/src -> .toolcell/tools
  const places = [process.env.TOOLCELL_TOOLS, join(SDK, "../../../tools")].filter((place) => place && existsSync(place));
  for (const place of places) {
    for (const tool of readdirSync(place).filter((name) => /^(componentize-qjs|jco)-/.test(name))) {
      try {
        return createRequire(join(place, tool, "package.json")).resolve("rolldown/utils");
      } catch {
        // Another one may be whole.
      }
    }
  }
  throw new Error(`Node.js ${process.versions.node} does not read TypeScript; run \`toolcell build --get\` first, or use Node.js 22.13 or newer`);
}
