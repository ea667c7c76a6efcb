import { result, t, tool } from "@toolcell/sdk";
import { json, query, repository, text } from "./api.ts";
import { limit, number, readOnly, repo, shortened } from "./arguments.ts";

interface Issue {
  number: number;
  title: string;
  state: string;
  html_url: string;
  user: { login: string } | null;
  labels: (string | { name?: string })[];
  comments: number;
  created_at: string;
  updated_at: string;
  body: string | null;
  pull_request?: object;
}

interface Comment {
  user: { login: string } | null;
  created_at: string;
  body: string;
}

const MOST = 20_000;

const brief = t.object({
  number: t.integer(),
  title: t.string(),
  state: t.string(),
  kind: t.enum(["issue", "pull-request"]),
  author: t.string(),
  labels: t.array(t.string()),
  comments: t.integer(),
  updated_at: t.string(),
  url: t.string(),
});

function toBrief(issue: Issue) {
  return {
    number: issue.number,
    title: issue.title,
    state: issue.state,
    kind: issue.pull_request ? ("pull-request" as const) : ("issue" as const),
    author: issue.user?.login ?? "ghost",
    labels: issue.labels.map((label) => (typeof label === "string" ? label : (label.name ?? ""))),
    comments: issue.comments,
    updated_at: issue.updated_at,
    url: issue.html_url,
  };
}

export const searchIssues = tool({
  name: "search-issues",
  title: "Search issues and pull requests",
  description:
    "Finds issues and pull requests by GitHub's search syntax, most relevant first. Qualifiers narrow it down: `repo:owner/name is:issue is:open label:bug author:octocat`.",
  annotations: readOnly,
  input: { query: t.string({ description: "What to search for, with qualifiers.", minLength: 1, maxLength: 256, examples: ["repo:octocat/hello-world is:open crash"] }), limit },
  output: t.object({ total: t.integer(), issues: t.array(brief) }),
  run({ query: q, limit: per_page }) {
    const found = json<{ total_count: number; items: Issue[] }>(`/search/issues${query({ q, per_page })}`);
    const issues = found.items.map(toBrief);
    const lines = issues.map(({ number, state, kind, title, url }) => `#${number} [${state} ${kind}] ${title} ${url}`);
    return result({ structured: { total: found.total_count, issues }, text: `${found.total_count} found\n${lines.join("\n")}`.trim() });
  },
});

export const getIssue = tool({
  name: "get-issue",
  title: "Read an issue",
  description: "Reads one issue or pull request with its comments, oldest first.",
  annotations: readOnly,
  input: { repo, number, comments: t.integer({ description: "How many comments at most.", minimum: 0, maximum: 100, default: 30 }) },
  run({ repo: name, number: n, comments: per_page }) {
    const path = `${repository(name)}/issues/${n}`;
    const issue = json<Issue>(path);
    const comments = per_page > 0 && issue.comments > 0 ? json<Comment[]>(`${path}/comments${query({ per_page })}`) : [];
    const { kind, author, labels, state } = toBrief(issue);
    const head = `# ${issue.title}\n${state} ${kind} #${issue.number} by ${author}, ${issue.created_at}${labels.length > 0 ? `, labels: ${labels.join(", ")}` : ""}`;
    const said = comments.map(({ user, created_at, body }) => `## ${user?.login ?? "ghost"}, ${created_at}\n${shortened(body, MOST)}`);
    const left = issue.comments - comments.length;
    const rest = left > 0 ? [`[${left} more comments]`] : [];
    return [head, shortened(issue.body ?? "(no description)", MOST), ...said, ...rest].join("\n\n");
  },
});

export const getDiff = tool({
  name: "get-pull-request-diff",
  title: "Read a pull request's changes",
  description: "Reads what a pull request changes, as a unified diff. Read its description and discussion with get-issue.",
  annotations: readOnly,
  input: { repo, number, max_length: t.integer({ description: "How many characters at most.", minimum: 1000, maximum: 500_000, default: 50_000 }) },
  run: ({ repo: name, number: n, max_length }) =>
    shortened(text(`${repository(name)}/pulls/${n}`, "application/vnd.github.diff"), max_length),
});
