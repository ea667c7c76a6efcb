/** A small blocking HTTP client. The host resolves names, checks each request against the grants, and speaks TLS. */
import { send } from "#host/http";
import { decode, encode, json as toJson } from "../text.js";
import { HttpError } from "./error.js";
import { resolve, sameOrigin, target } from "./url.js";

const MAX_BYTES = 8 * 1024 * 1024;

/** The headers of a response. */
export class Headers {
  #pairs;

  constructor(pairs) {
    this.#pairs = pairs.map(([name, value]) => [name.toLowerCase(), value]);
  }

  get(name) {
    const values = this.#pairs.filter(([known]) => known === name.toLowerCase()).map(([, value]) => value);
    return values.length > 0 ? values.join(", ") : undefined;
  }

  has(name) {
    return this.get(name) !== undefined;
  }

  entries() {
    return this.#pairs.values();
  }

  [Symbol.iterator]() {
    return this.entries();
  }
}

/** A response whose body is still to be read. */
export class Response {
  #read;
  #maxBytes;
  #bytes;

  constructor(url, { status, headers, read }, maxBytes) {
    this.url = url;
    this.status = status;
    this.headers = new Headers(headers);
    this.#read = read;
    this.#maxBytes = maxBytes;
  }

  get ok() {
    return this.status >= 200 && this.status < 300;
  }

  bytes() {
    this.#bytes ??= this.#all();
    return this.#bytes;
  }

  #all() {
    const limit = this.#maxBytes;
    const chunks = [];
    let length = 0;
    // One byte more than allowed tells whether there is more.
    for (let chunk; length <= limit && (chunk = this.#read(limit + 1 - length)) !== undefined; ) {
      chunks.push(chunk);
      length += chunk.length;
    }
    if (length > limit) throw new HttpError("too-large", `the response is longer than ${limit} bytes`);
    const all = new Uint8Array(length);
    let at = 0;
    for (const chunk of chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }

  text() {
    return decode(this.bytes());
  }

  json() {
    try {
      return JSON.parse(this.text());
    } catch (error) {
      throw error instanceof SyntaxError ? new HttpError("failed", `${this.url} did not answer with JSON: ${error.message}`) : error;
    }
  }
}

function request(method, url, { headers = {}, body, json, timeoutMs, maxBytes = MAX_BYTES, redirects = 5 } = {}) {
  const pairs = [...(headers[Symbol.iterator] ? headers : Object.entries(headers))].map(([name, value]) => [name, String(value)]);
  let asked = { method: method.toUpperCase(), url: String(url), headers: pairs, body: toBytes(body) };
  if (json !== undefined) {
    asked.body = encode(toJson(json, "the body"));
    if (!hasHeader(asked, "content-type")) asked.headers.push(["content-type", "application/json"]);
  }
  const deadline = timeoutMs === undefined ? undefined : Date.now() + timeoutMs;
  for (let followed = 0; ; followed++) {
    const left = deadline === undefined ? undefined : Math.max(1, deadline - Date.now());
    const answer = send({ ...asked, ...target(asked.url), timeoutMs: left, deadline });
    const next = redirects > 0 ? redirected(asked, answer) : undefined;
    if (!next) return new Response(asked.url, answer, maxBytes);
    if (followed === redirects) throw new HttpError("redirects", `${redirects} redirects were followed, and there was another`);
    answer.close();
    asked = next;
  }
}

function toBytes(body) {
  if (body === undefined || body === null) return new Uint8Array(0);
  if (typeof body === "string") return encode(body);
  if (body instanceof Uint8Array) return body;
  throw new TypeError("a body is a text or a Uint8Array; pass an object as `json`");
}

const hasHeader = ({ headers }, name) => headers.some(([known]) => known.toLowerCase() === name);

/** Headers that were meant for one origin and go to no other. */
const CREDENTIALS = ["authorization", "cookie", "proxy-authorization"];

/** The request that follows an answer which points elsewhere (RFC 9110, section 15.4). */
function redirected(asked, { status, headers }) {
  const location = headers.find(([name]) => name.toLowerCase() === "location")?.[1];
  if (![301, 302, 303, 307, 308].includes(status) || location === undefined) return undefined;
  const next = { ...asked, url: resolve(asked.url, location) };
  // What browsers have always done with 301 and 302, and what 303 means.
  const becomesGet = status === 303 ? asked.method !== "HEAD" : status < 303 && asked.method === "POST";
  if (becomesGet) {
    next.method = "GET";
    next.body = new Uint8Array(0);
    next.headers = next.headers.filter(([name]) => !name.toLowerCase().startsWith("content-"));
  }
  if (!sameOrigin(asked.url, next.url)) next.headers = next.headers.filter(([name]) => !CREDENTIALS.includes(name.toLowerCase()));
  return next;
}

export const http = {
  request,
  get: (url, options) => request("GET", url, options),
  post: (url, options) => request("POST", url, options),
  put: (url, options) => request("PUT", url, options),
  patch: (url, options) => request("PATCH", url, options),
  delete: (url, options) => request("DELETE", url, options),
};
