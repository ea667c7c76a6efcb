import assert from "node:assert/strict";
import { test } from "node:test";
import { type HarnessOptions, harness } from "@toolcell/sdk/testing";
import github from "../src/index.ts";

const API = "https://api.github.com";
const host = (http: HarnessOptions["http"], env = {}) => harness(github, { http, env });

const issue = {
  number: 7, title: "It crashes", state: "open", html_url: "https://github.com/o/r/issues/7", user: { login: "ada" }, labels: [{ name: "bug" }],
  comments: 2, created_at: "2026-01-01", updated_at: "2026-01-02", body: "When I start it.",
};

test("every tool says what it does, and changes nothing", async () => {
  for (const { name, description, annotations, inputSchema } of await host({}).tools()) {
    assert.ok(description.length > 30, name);
    assert.equal(annotations.readOnly, true, name);
    for (const [argument, schema] of Object.entries<{ description?: string }>(inputSchema.properties)) assert.ok(schema.description, `${name} ${argument}`);
  }
});

test("issues are found", async () => {
  const found = await host({ [`${API}/search/issues?q=is%3Aopen%20crash&per_page=20`]: { json: { total_count: 1, items: [{ ...issue, pull_request: {} }] } } })
    .call("search-issues", { query: "is:open crash" });
  assert.deepEqual(found.structured.issues[0], {
    number: 7, title: "It crashes", state: "open", kind: "pull-request", author: "ada", labels: ["bug"], comments: 2, updated_at: "2026-01-02", url: issue.html_url,
  });
  assert.equal(found.text, "1 found\n#7 [open pull-request] It crashes https://github.com/o/r/issues/7");
});

test("an issue is read with its comments", async () => {
  const http = {
    [`${API}/repos/o/r/issues/7`]: { json: issue },
    [`${API}/repos/o/r/issues/7/comments?per_page=1`]: { json: [{ user: null, created_at: "2026-01-02", body: "Me too." }] },
  };
  const { text } = await host(http).call("get-issue", { repo: "o/r", number: 7, comments: 1 });
  assert.equal(text, "# It crashes\nopen issue #7 by ada, 2026-01-01, labels: bug\n\nWhen I start it.\n\n## ghost, 2026-01-02\nMe too.\n\n[1 more comments]");
});

test("a file is text, a folder a list", async () => {
  const folder = [{ name: "a.ts", path: "src/a.ts", type: "file", size: 3 }, { name: "b", path: "src/b", type: "dir", size: 0 }];
  const files = host({
    [`${API}/repos/o/r/contents/src?ref=main`]: { json: folder },
    [`${API}/repos/o/r/contents/src/a%20b.ts`]: { body: "x".repeat(1500) },
    [`${API}/repos/o/r/contents/list.json`]: { json: ["a"] },
    [`${API}/repos/o/r/contents/`]: { json: [] },
  });
  assert.equal((await files.call("get-file", { repo: "o/r", path: "/src/", ref: "main" })).text, "src/a.ts (3 bytes)\nsrc/b/");
  assert.match((await files.call("get-file", { repo: "o/r", path: "src/a b.ts", max_length: 1000 })).text, /^x{1000}\n\[cut here: 500 more/);
  assert.equal((await files.call("get-file", { repo: "o/r", path: "list.json" })).text, '["a"]');
  assert.equal((await files.call("get-file", { repo: "o/r" })).text, "The folder is empty.");
  assert.match((await files.call("get-file", { repo: "o/r", path: "../x" })).text, /leave out/);
});

test("diffs, commits, releases, repositories and code", async () => {
  const commit = { sha: "0123456789abcdef", commit: { message: "Mend it\n\nmore", author: { name: "Ada", date: "2026-01-01" } } };
  const all = host(({ url, headers }) => {
    if (url.endsWith("/pulls/7")) return { body: headers.accept === "application/vnd.github.diff" ? "diff --git" : "" };
    if (url.includes("/commits?path=a%2Fb&per_page=20")) return { json: [commit] };
    if (url.includes("/releases")) return { json: [{ tag_name: "v1", name: "", published_at: "2026-01-01", prerelease: true, body: "New." }] };
    if (url.includes("/search/code")) return { json: { total_count: 1, items: [{ path: "a.ts", repository: { full_name: "o/r" }, text_matches: [{ fragment: "let a\nlet b" }] }] } };
    return { json: { total_count: 1, items: [{ full_name: "o/r", description: null, stargazers_count: 5, language: "Rust", archived: false }] } };
  });
  assert.equal((await all.call("get-pull-request-diff", { repo: "o/r", number: 7 })).text, "diff --git");
  assert.equal((await all.call("list-commits", { repo: "o/r", path: "a/b" })).text, "0123456789 2026-01-01 Ada: Mend it");
  assert.equal((await all.call("list-releases", { repo: "o/r" })).text, "# v1 (v1, pre-release, 2026-01-01)\nNew.");
  assert.equal((await all.call("search-code", { query: "repo:o/r let" })).text, "1 found\no/r a.ts\n    let a\n    let b");
  assert.equal((await all.call("search-repositories", { query: "wasm" })).structured.repositories[0].stars, 5);
});

test("what GitHub refuses is explained", async () => {
  const of = async (answer: object, env = {}) => (await host(() => answer, env).call("list-releases", { repo: "o/r" })).text;
  assert.match(await of({ status: 404 }), /GitHub has no \/repos\/o\/r\/releases, or it is private.*GITHUB_TOKEN = \{ from-env/);
  assert.doesNotMatch(await of({ status: 404 }, { GITHUB_TOKEN: "t" }), /from-env/);
  assert.match(await of({ status: 401 }), /check GITHUB_TOKEN/);
  assert.match(await of({ status: 403, headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1767225600" } }), /used up until 2026-01-01T00:00:00/);
  assert.match(await of({ status: 422, json: { message: "Validation Failed" } }), /Validation Failed/);
  assert.match(await of({ status: 502, body: "<html>" }), /answered 502 .*try again later/);
});

test("the token goes along, and to the server that was named", async () => {
  const seen: string[] = [];
  const env = { GITHUB_TOKEN: "t0k", GITHUB_API_URL: "https://git.example.com/api/v3/" };
  await host(({ url, headers }) => (seen.push(`${url} ${headers.authorization}`), { json: [] }), env).call("list-releases", { repo: "o/r" });
  assert.deepEqual(seen, ["https://git.example.com/api/v3/repos/o/r/releases?per_page=5 Bearer t0k"]);
});
