import { type HttpResponse, ToolError, env, http } from "@toolcell/sdk";

/** No answer of the API is longer, but for diffs, and those are for people at this size. */
const MAX_BYTES = 4 * 1024 * 1024;

/** Asks GitHub, and turns what it answers with into words that help the model. */
function ask(path: string, accept: string): HttpResponse {
  const base = (env.get("GITHUB_API_URL") ?? "https://api.github.com").replace(/\/+$/, "");
  const token = env.get("GITHUB_TOKEN");
  const headers: Record<string, string> = {
    accept,
    "user-agent": "toolcell-plugin-github",
    "x-github-api-version": "2022-11-28",
  };
  if (token) headers.authorization = `Bearer ${token}`;
  const response = http.get(`${base}${path}`, { headers, maxBytes: MAX_BYTES });
  if (!response.ok) throw new ToolError(explain(response, path, token !== undefined));
  return response;
}

export function json<T>(path: string): T {
  return ask(path, "application/vnd.github+json").json<T>();
}

export function text(path: string, accept: string): string {
  return ask(path, accept).text();
}

function explain(response: HttpResponse, path: string, hasToken: boolean): string {
  const { status, headers } = response;
  const what = path.split("?")[0];
  const said = message(response);
  const more = hasToken ? "" : "; the operator can grant a token: env = { GITHUB_TOKEN = { from-env = \"GITHUB_TOKEN\" } }";
  if (headers.get("x-ratelimit-remaining") === "0") {
    const reset = Number(headers.get("x-ratelimit-reset"));
    const when = reset ? ` until ${new Date(reset * 1000).toISOString()}` : "";
    return `GitHub's limit of requests is used up${when}${more}`;
  }
  switch (status) {
    case 401:
      return "GitHub does not accept the token: the operator should check GITHUB_TOKEN";
    case 403:
      return `GitHub refuses ${what}: ${said}${more}`;
    case 404:
      return `GitHub has no ${what}, or it is private; check owner, name and number${more}`;
    case 422:
      return `GitHub does not understand the request: ${said}`;
    default:
      return `GitHub answered ${status} to ${what}: ${said}; try again later`;
  }
}

function message(response: HttpResponse): string {
  try {
    return response.json<{ message?: string }>().message ?? "it did not say why";
  } catch {
    return "it did not say why";
  }
}

/** `owner/name` as part of a path; anything else is refused before it can become another path. */
export function repository(repo: string): string {
  const [owner, name] = repo.split("/");
  return `/repos/${encodeURIComponent(owner!)}/${encodeURIComponent(name!)}`;
}

export function query(parts: Record<string, string | number | undefined>): string {
  const said = Object.entries(parts).filter(([, value]) => value !== undefined);
  return said.length === 0 ? "" : `?${said.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join("&")}`;
}
