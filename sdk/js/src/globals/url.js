/**
 * `URL` and `URLSearchParams` (https://url.spec.whatwg.org) for QuickJS, as far as programs use them: hosts are ASCII or IP
 * addresses in brackets, and a `?` or `#` with nothing behind it is dropped. Put into a bundle where it uses them.
 */
const PORTS = { "http:": "80", "https:": "443", "ws:": "80", "wss:": "443", "ftp:": "21", "file:": "" };

export class URLSearchParams {
  #pairs = [];
  #changed;

  constructor(init = "", changed = () => {}) {
    this.#changed = changed;
    if (typeof init === "string") this.#pairs = parsed(init.replace(/^\?/, ""));
    else for (const [name, value] of init[Symbol.iterator] ? init : Object.entries(init)) this.#pairs.push([String(name), String(value)]);
  }

  get size() {
    return this.#pairs.length;
  }

  get(name) {
    return this.#pairs.find(([known]) => known === name)?.[1] ?? null;
  }

  getAll(name) {
    return this.#pairs.filter(([known]) => known === name).map(([, value]) => value);
  }

  has(name, value) {
    return this.#pairs.some((pair) => pair[0] === name && (value === undefined || pair[1] === value));
  }

  append(name, value) {
    this.#pairs.push([String(name), String(value)]);
    this.#changed(this);
  }

  set(name, value) {
    const at = this.#pairs.findIndex(([known]) => known === name);
    if (at < 0) return this.append(name, value);
    this.#pairs = this.#pairs.filter(([known], i) => i <= at || known !== name);
    this.#pairs[at] = [name, String(value)];
    this.#changed(this);
  }

  delete(name, value) {
    this.#pairs = this.#pairs.filter((pair) => pair[0] !== name || (value !== undefined && pair[1] !== value));
    this.#changed(this);
  }

  sort() {
    this.#pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    this.#changed(this);
  }

  forEach(each) {
    for (const [name, value] of this.#pairs) each(value, name, this);
  }

  keys() {
    return this.#pairs.map(([name]) => name).values();
  }

  values() {
    return this.#pairs.map(([, value]) => value).values();
  }

  entries() {
    return this.#pairs.map((pair) => [...pair]).values();
  }

  [Symbol.iterator]() {
    return this.entries();
  }

  toString() {
    return this.#pairs.map((pair) => pair.map(formEncoded).join("=")).join("&");
  }
}

function parsed(text) {
  const decoded = (part) => {
    const spaced = part.replace(/\+/g, " ");
    try {
      return decodeURIComponent(spaced);
    } catch {
      return spaced;
    }
  };
  return text.split("&").filter((pair) => pair !== "").map((pair) => {
    const at = pair.indexOf("=");
    return at < 0 ? [decoded(pair), ""] : [decoded(pair.slice(0, at)), decoded(pair.slice(at + 1))];
  });
}

function formEncoded(text) {
  return encodeURIComponent(text).replace(/[!'()~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`).replace(/%20/g, "+");
}

export class URL {
  #parts;
  #params;

  constructor(url, base) {
    this.#parts = parse(String(url), base === undefined ? undefined : new URL(base).#parts);
    this.#params = new URLSearchParams(this.#parts.search, (params) => (this.search = String(params)));
  }

  static canParse(url, base) {
    return URL.parse(url, base) !== null;
  }

  static parse(url, base) {
    try {
      return new URL(url, base);
    } catch {
      return null;
    }
  }

  get href() {
    const { protocol, username, password, pathname, search, hash, host } = this.#parts;
    const user = username || password ? `${username}${password && `:${password}`}@` : "";
    return `${protocol}${host === undefined ? "" : `//${user}${this.host}`}${pathname}${search}${hash}`;
  }

  get origin() {
    return this.protocol in PORTS && this.protocol !== "file:" ? `${this.protocol}//${this.host}` : "null";
  }

  get protocol() {
    return this.#parts.protocol;
  }

  get username() {
    return this.#parts.username;
  }

  get password() {
    return this.#parts.password;
  }

  get host() {
    return this.port === "" ? this.hostname : `${this.hostname}:${this.port}`;
  }

  get hostname() {
    return this.#parts.host ?? "";
  }

  get port() {
    return this.#parts.port;
  }

  set port(port) {
    this.#parts.port = String(port) === PORTS[this.protocol] ? "" : String(port);
  }

  get pathname() {
    return this.#parts.pathname;
  }

  set pathname(path) {
    this.#parts.pathname = this.#parts.host === undefined ? path : withoutDots(path.startsWith("/") ? path : `/${path}`);
  }

  get search() {
    return this.#parts.search;
  }

  set search(search) {
    this.#parts.search = search === "" || search === "?" ? "" : encoded(search.startsWith("?") ? search : `?${search}`, QUERY);
    if (String(this.#params) !== this.#parts.search.slice(1)) {
      this.#params = new URLSearchParams(this.#parts.search, (params) => (this.search = String(params)));
    }
  }

  get searchParams() {
    return this.#params;
  }

  get hash() {
    return this.#parts.hash;
  }

  set hash(hash) {
    this.#parts.hash = hash === "" || hash === "#" ? "" : encoded(hash.startsWith("#") ? hash : `#${hash}`, FRAGMENT);
  }

  toString() {
    return this.href;
  }

  toJSON() {
    return this.href;
  }
}

// What may stand in each part as it is; everything else is percent-encoded.
const PATH = /[^!$%&'()*+,\-./0-9:;=@A-Z[\]_a-z~|\\^]/gu;
const QUERY = /[^!$%&()*+,\-./0-9:;=?@A-Z[\]_a-z~|\\^`{}]/gu;
const FRAGMENT = /[^!#$%&'()*+,\-./0-9:;=?@A-Z[\]_a-z~|\\^{}]/gu;

function encoded(text, others) {
  return text.replace(others, (c) => (/[!'()*]/.test(c) ? `%${c.charCodeAt(0).toString(16).toUpperCase()}` : encodeURIComponent(c.toWellFormed())));
}

function parse(source, base) {
  // Line breaks and tabs are no part of a URL, wherever they stand.
  const text = source.trim().replace(/[\t\n\r]/g, "");
  const invalid = () => new TypeError(`Invalid URL: ${source}`);
  const [, scheme, afterScheme = text] = /^([A-Za-z][A-Za-z0-9+.-]*):(.*)$/s.exec(text) ?? [];
  if (scheme === undefined && base === undefined) throw invalid();
  const protocol = scheme === undefined ? base.protocol : `${scheme.toLowerCase()}:`;
  const isSpecial = protocol in PORTS;
  const rest = isSpecial ? afterScheme.replace(/^[^?#]*/, (part) => part.replaceAll("\\", "/")) : afterScheme;
  const [, authority, path, query, fragment] = /^(?:\/\/([^/?#]*))?([^?#]*)(\?[^#]*)?(#.*)?$/s.exec(rest);
  const hash = fragment === undefined || fragment === "#" ? "" : encoded(fragment, FRAGMENT);
  const search = query === undefined || query === "?" ? "" : encoded(query, QUERY);
  if (scheme === undefined && authority === undefined) {
    if (base.host === undefined) throw invalid();
    const merged = path === "" ? base.pathname : path.startsWith("/") ? path : base.pathname.replace(/[^/]*$/, "") + path;
    return { ...base, pathname: withoutDots(merged), search: path === "" && query === undefined ? base.search : search, hash };
  }
  if (authority === undefined && !isSpecial) {
    return { protocol, username: "", password: "", host: undefined, port: "", pathname: path, search, hash };
  }
  // `http:a/b` and `http:///a/b` mean `http://a/b`.
  const [, named, rooted] = authority ? [undefined, authority, path] : /^\/*([^/]*)(.*)$/s.exec(protocol === "file:" ? `/${path}` : path);
  const place = protocol === "file:" && !authority ? { username: "", password: "", host: "", port: "" } : parseAuthority(named, protocol, invalid);
  const own = protocol === "file:" && !authority ? path : rooted;
  return { protocol, ...place, pathname: isSpecial ? withoutDots(own.startsWith("/") ? own : `/${own}`) : encoded(own, PATH), search, hash };
}

function parseAuthority(authority, protocol, invalid) {
  const at = authority.lastIndexOf("@");
  const [, username = "", password = ""] = /^([^:]*):?(.*)$/s.exec(authority.slice(0, Math.max(at, 0)));
  const found = /^(\[[0-9A-Fa-f:.]+\]|[^:[\]]*)(?::(\d*))?$/.exec(authority.slice(at + 1));
  if (!found) throw invalid();
  const [, host, port = ""] = found;
  const name = protocol in PORTS ? host.toLowerCase() : host;
  // Names in other alphabets would have to be written in Punycode.
  if ((host === "" && protocol in PORTS && protocol !== "file:") || /[\s#%/<>?@\\^|\x00-\x20\x7f-\uffff]/.test(host) || Number(port) > 65535) throw invalid();
  return { username: encodeURIComponent(decodeURIComponent(username)), password: encodeURIComponent(decodeURIComponent(password)), host: name, port: port === "" || String(Number(port)) === PORTS[protocol] ? "" : String(Number(port)) };
}

/** The path without `.` and `..`, encoded. */
function withoutDots(path) {
  const out = [];
  const segments = path.split("/").slice(1);
  for (const [i, segment] of segments.entries()) {
    const plain = segment.toLowerCase().replaceAll("%2e", ".");
    const isLast = i === segments.length - 1;
    if (plain === "..") {
      out.pop();
      if (isLast) out.push("");
    } else if (plain !== ".") out.push(segment);
    else if (isLast) out.push("");
  }
  return encoded(`/${out.join("/")}`, PATH);
}
