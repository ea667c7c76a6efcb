import { ToolError, http, log, progress, result, t, tool } from "@toolcell/sdk";
import { create } from "./item.js";

export const importList = tool({
  name: "import",
  description: "Adds the items of a list on the web: a JSON array of titles.",
  annotations: { openWorld: true },
  input: { url: t.string("Where the list is: an http or https URL.") },
  output: t.object({ added: t.integer() }),
  run({ url }) {
    const response = http.get(url);
    if (response.status !== 200) {
      throw new ToolError(`${url} answered ${response.status}; check the URL, it must lead to a JSON array of titles`);
    }
    const titles = read(response.text());
    if (!titles) throw new ToolError(`${url} is no JSON array of titles; each is a string of 1 to 200 characters`);
    for (const [i, title] of titles.entries()) {
      const { id } = create(title);
      progress.report(i + 1, titles.length, `Added ${id}: ${title}`);
    }
    log.named("todo").info({ imported: titles.length, url });
    return result({ structured: { added: titles.length }, text: `Added ${titles.length} items.` });
  },
});

function read(text) {
  try {
    const value = JSON.parse(text);
    return Array.isArray(value) && value.every(isTitle) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isTitle(value) {
  return typeof value === "string" && [...value].length >= 1 && [...value].length <= 200;
}
