/** `fetch` for QuickJS, on the blocking client: its promises are settled when it returns. Put into a bundle where it uses it. */
import { http } from "../http/index.js";

export class Headers {
  #map = new Map();

  constructor(init = []) {
    for (const [name, value] of init[Symbol.iterator] ? init : Object.entries(init)) this.append(name, value);
  }

  append(name, value) {
    const key = String(name).toLowerCase();
    this.#map.set(key, this.#map.has(key) ? `${this.#map.get(key)}, ${value}` : String(value));
  }

  set(name, value) {
    this.#map.set(String(name).toLowerCase(), String(value));
  }

  get(name) {
    return this.#map.get(String(name).toLowerCase()) ?? null;
  }

  has(name) {
    return this.#map.has(String(name).toLowerCase());
  }

  delete(name) {
    this.#map.delete(String(name).toLowerCase());
  }

  forEach(each) {
    for (const [name, value] of this.#map) each(value, name, this);
  }

  keys() {
    return this.#map.keys();
  }

  values() {
    return this.#map.values();
  }

  entries() {
    return this.#map.entries();
  }

  [Symbol.iterator]() {
    return this.entries();
  }
}

class Answer {
  #response;
  #used = false;

  constructor(response, asked) {
    this.#response = response;
    this.url = response.url;
    this.status = response.status;
    this.statusText = "";
    this.ok = response.ok;
    this.redirected = response.url !== asked;
    this.headers = new Headers(response.headers);
  }

  get bodyUsed() {
    return this.#used;
  }

  #body() {
    if (this.#used) throw new TypeError("the body was read already");
    this.#used = true;
    return this.#response;
  }

  async text() {
    return this.#body().text();
  }

  async json() {
    return JSON.parse(this.#body().text());
  }

  async bytes() {
    return this.#body().bytes();
  }

  async arrayBuffer() {
    return this.#body().bytes().buffer;
  }
}

export { Answer as Response };

export async function fetch(url, { method = "GET", headers, body, redirect = "follow" } = {}) {
  if (body !== undefined && body !== null && typeof body !== "string" && !(body instanceof Uint8Array)) body = String(body);
  try {
    const redirects = redirect === "follow" ? 20 : 0;
    const response = http.request(method, url, { headers: headers ?? {}, body, redirects });
    if (redirect === "error" && response.status >= 300 && response.status < 400) throw new TypeError("it is a redirect");
    return new Answer(response, String(url));
  } catch (error) {
    throw new TypeError(`fetch failed: ${error.message}`, { cause: error });
  }
}
