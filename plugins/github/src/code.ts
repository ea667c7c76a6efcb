import { ToolError, result, t, tool } from "@toolcell/sdk";
import { json, query, repository, text } from "./api.ts";
import { limit, readOnly, ref, repo, shortened } from "./arguments.ts";

interface Entry {
  name: string;
  path: string;
  type: string;
  size: number;
}

export const searchRepositories = tool({
  name: "search-repositories",
  title: "Search repositories",
  description: "Finds repositories, best match first. Qualifiers narrow it down: `language:rust stars:>100 topic:wasm`.",
  annotations: readOnly,
  input: { query: t.string({ description: "What to search for, with qualifiers.", minLength: 1, maxLength: 256 }), limit },
  output: t.object({
    total: t.integer(),
    repositories: t.array(t.object({ repo: t.string(), description: t.nullable(t.string()), stars: t.integer(), language: t.nullable(t.string()), archived: t.boolean() })),
  }),
  run({ query: q, limit: per_page }) {
    interface Found {
      full_name: string;
      description: string | null;
      stargazers_count: number;
      language: string | null;
      archived: boolean;
    }
    const found = json<{ total_count: number; items: Found[] }>(`/search/repositories${query({ q, per_page })}`);
    const repositories = found.items.map(({ full_name, description, stargazers_count, language, archived }) => ({
      repo: full_name, description, stars: stargazers_count, language, archived,
    }));
    const lines = repositories.map(({ repo: name, stars, description }) => `${name} (${stars} stars) ${description ?? ""}`.trim());
    return result({ structured: { total: found.total_count, repositories }, text: `${found.total_count} found\n${lines.join("\n")}`.trim() });
  },
});

export const searchCode = tool({
  name: "search-code",
  title: "Search code",
  description: "Finds files by what is in them. GitHub wants a token for it, and a qualifier such as `repo:owner/name` or `org:name`.",
  annotations: readOnly,
  input: { query: t.string({ description: "What to search for, with qualifiers.", minLength: 1, maxLength: 256 }), limit },
  run({ query: q, limit: per_page }) {
    interface Found {
      path: string;
      repository: { full_name: string };
      text_matches?: { fragment: string }[];
    }
    const answer = text(`/search/code${query({ q, per_page })}`, "application/vnd.github.text-match+json");
    const { total_count, items } = JSON.parse(answer) as { total_count: number; items: Found[] };
    const lines = items.map(({ repository: { full_name }, path, text_matches = [] }) =>
      [`${full_name} ${path}`, ...text_matches.slice(0, 2).map(({ fragment }) => fragment.replace(/^/gm, "    "))].join("\n"));
    return [`${total_count} found`, ...lines].join("\n");
  },
});

export const getFile = tool({
  name: "get-file",
  title: "Read a file or a folder",
  description: "Reads a file of a repository as text, or lists a folder. Give no path to list the root.",
  annotations: readOnly,
  input: {
    repo,
    path: t.string({ description: "The file or folder, such as `src/main.rs`.", default: "" }),
    ref,
    max_length: t.integer({ description: "How many characters of a file at most.", minimum: 1000, maximum: 500_000, default: 50_000 }),
  },
  run({ repo: name, path, ref: at, max_length }) {
    const steps = path.split("/").filter((step) => step !== "");
    if (steps.includes("..") || steps.includes(".")) throw new ToolError(`\`${path}\` is no path: leave out \`.\` and \`..\``);
    const where = `${repository(name)}/contents/${steps.map(encodeURIComponent).join("/")}${query({ ref: at })}`;
    const answer = text(where, "application/vnd.github.raw+json");
    const entries = listing(answer, steps.join("/"));
    if (!entries) return answer.includes("\0") ? `${path} is binary, ${answer.length} characters` : shortened(answer, max_length);
    const lines = entries.map(({ type, path: entry, size }) => (type === "dir" ? `${entry}/` : `${entry} (${size} bytes)`));
    return lines.join("\n") || "The folder is empty.";
  },
});

/** A folder's entries; a file that happens to be a JSON array is none, because entries lie in the folder asked for. */
function listing(answer: string, folder: string): Entry[] | undefined {
  if (!answer.startsWith("[")) return undefined;
  try {
    const entries: unknown = JSON.parse(answer);
    const lies = (entry: Partial<Entry> | null) =>
      typeof entry?.type === "string" && typeof entry.name === "string" && entry.path === (folder === "" ? entry.name : `${folder}/${entry.name}`);
    return Array.isArray(entries) && entries.every(lies) ? (entries as Entry[]) : undefined;
  } catch {
    return undefined;
  }
}

export const listCommits = tool({
  name: "list-commits",
  title: "List commits",
  description: "Lists the commits of a repository, newest first: of a branch, of one file, or since a day.",
  annotations: readOnly,
  input: {
    repo,
    ref,
    path: t.string("Only commits that touch this file or folder.").optional(),
    since: t.string({ description: "Only commits since then, ISO 8601: `2026-01-31T00:00:00Z`.", format: "date-time" }).optional(),
    limit,
  },
  run({ repo: name, ref: sha, path, since, limit: per_page }) {
    interface Commit {
      sha: string;
      commit: { message: string; author: { name: string; date: string } | null };
    }
    const commits = json<Commit[]>(`${repository(name)}/commits${query({ sha, path, since, per_page })}`);
    const lines = commits.map(({ sha: id, commit: { message, author } }) => `${id.slice(0, 10)} ${author?.date ?? ""} ${author?.name ?? ""}: ${message.split("\n")[0]}`);
    return lines.join("\n") || "There are no such commits.";
  },
});

export const listReleases = tool({
  name: "list-releases",
  title: "List releases",
  description: "Lists the releases of a repository with their notes, newest first.",
  annotations: readOnly,
  input: { repo, limit: t.integer({ description: "How many at most.", minimum: 1, maximum: 30, default: 5 }) },
  run({ repo: name, limit: per_page }) {
    interface Release {
      tag_name: string;
      name: string | null;
      published_at: string | null;
      prerelease: boolean;
      body: string | null;
    }
    const releases = json<Release[]>(`${repository(name)}/releases${query({ per_page })}`);
    const parts = releases.map(({ tag_name, name: title, published_at, prerelease, body }) =>
      `# ${title || tag_name} (${tag_name}${prerelease ? ", pre-release" : ""}, ${published_at ?? "not published"})\n${shortened(body ?? "", 4000)}`);
    return parts.join("\n\n") || "There are no releases.";
  },
});
