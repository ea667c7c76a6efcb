import { t } from "@toolcell/sdk";

export const repo = t.string({
  description: "The repository as `owner/name`, such as `octocat/hello-world`.",
  pattern: "^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$",
  examples: ["octocat/hello-world"],
});

export const number = t.integer({ description: "The number of the issue or pull request.", minimum: 1 });

export const limit = t.integer({ description: "How many at most.", minimum: 1, maximum: 100, default: 20 });

export const ref = t.string("A branch, a tag or a commit; default is the default branch.").optional();

export const readOnly = { readOnly: true, openWorld: true };

/** The beginning of a text, and how much was left out. */
export function shortened(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most)}\n[cut here: ${text.length - most} more characters]`;
}
