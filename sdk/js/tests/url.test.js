/** `URL` for QuickJS, against the one of Node.js. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { URL as Ours, URLSearchParams as OurParams } from "../src/globals/url.js";

const PARTS = ["href", "origin", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash"];

const shown = (Type, args) => {
  try {
    const url = new Type(...args);
    return Object.fromEntries(PARTS.map((part) => [part, url[part]]));
  } catch (error) {
    return error instanceof TypeError ? "invalid" : error;
  }
};

test("URLs are taken apart as in Node.js", () => {
  for (const args of [
    ["http://example.com"], ["HTTPS://Example.COM:443/a/../b/./c?x=1 2#frag ment"], ["http://example.com:8080/%7Efoo/ü?q=ü#ü"], ["https://me:pw@example.com/"],
    ["http://[::1]:3000/x"], ["http://127.0.0.1/"], ["ftp://a/b"], ["file:///etc/hosts"], ["mailto:a@b.c"], ["data:text/plain,hi there"], ["urn:isbn:1"],
    ["note://a/b?c#d"], [" http://a/b\n"], ["http:\\\\a\\b"], ["http://a/'\"<>`{}"], ["http://a/?'\"<>"], ["http://a/b/../../.."], ["http://a/%2e%2E/b"], ["http:a/b"],
    ["http://a:99999/"], ["http://"], ["nope"], [""], ["http://a b/"], ["//x/y"], ["http://a:b/"], ["http://a/%zz"],
    ["../x?y", "http://a/b/c/d?e#f"], ["/x", "http://a/b"], ["?x", "http://a/b?c#d"], ["#x", "http://a/b?c"], ["", "http://a/b?c#d"], ["//h/p", "https://a/b"], ["x", "mailto:a@b"], ["./", "http://a/b/c"],
  ]) assert.deepEqual(shown(Ours, args), shown(URL, args), JSON.stringify(args));
});

test("parameters are as in Node.js", () => {
  const doings = [
    (p) => p.append("b", "ü &=+~!'()*"), (p) => p.set("a", "z"), (p) => p.delete("c"), (p) => p.sort(), (p) => p.set("new", ""),
  ];
  for (const init of ["", "?a=1&a=2&c=%20x+y&b", "a=%zz", { a: "1", b: "2" }, [["a", "1"], ["a", "2"]]]) {
    const [ours, theirs] = [new OurParams(init), new URLSearchParams(init)];
    for (const doing of [() => {}, ...doings]) {
      doing(ours);
      doing(theirs);
      assert.equal(String(ours), String(theirs), JSON.stringify(init));
      assert.deepEqual([...ours], [...theirs]);
      assert.deepEqual([ours.get("a"), ours.getAll("a"), ours.has("c"), ours.size], [theirs.get("a"), theirs.getAll("a"), theirs.has("c"), theirs.size]);
    }
  }
});

test("a URL and its parameters change together", () => {
  const change = (Type) => {
    const url = new Type("http://a/b?c=1");
    url.searchParams.append("d", "2 3");
    const first = url.href;
    url.search = "x=y";
    url.searchParams.set("x", "z");
    url.hash = "h";
    url.pathname = "p/../q r";
    url.port = "80";
    return [first, url.href, JSON.stringify(url), url.searchParams.get("x")];
  };
  assert.deepEqual(change(Ours), change(URL));
  assert.equal(Ours.canParse("http://a"), true);
  assert.equal(Ours.canParse("a"), false);
});
