import { HttpError } from "./error.js";

/** The parts of an `http:` or `https:` URL that a request is made of. */
export function target(url) {
  const found = /^(https?):\/\/([^/?#]*)([^?#]*)(\?[^#]*)?/i.exec(String(url).trim());
  if (!found) throw new HttpError("url", `\`${url}\` cannot be asked for: it needs http:// or https://`);
  const [, scheme, authority, path, query = ""] = found;
  if (authority === "") throw new HttpError("url", `\`${url}\` cannot be asked for: it names no host`);
  if (authority.includes("@")) throw new HttpError("url", `\`${url}\` cannot be asked for: put user and password into the header \`authorization\``);
  if (/[\s<>"\\^`{|}]/.test(authority)) throw new HttpError("url", `\`${url}\` cannot be asked for: \`${authority}\` is no host`);
  return { scheme: scheme.toLowerCase(), authority: authority.toLowerCase(), pathWithQuery: encoded(path || "/") + encoded(query) };
}

/** Percent-encodes what may not stand in a URL, and leaves what is encoded already. */
function encoded(text) {
  return encodeURI(text).replace(/%25([0-9A-Fa-f]{2})/g, "%$1").replace(/%5B/g, "[").replace(/%5D/g, "]");
}

/** The URL that `reference` means on the page `base` (RFC 3986, section 5.2). */
export function resolve(base, reference) {
  if (/^[A-Za-z][A-Za-z0-9+.-]*:/.test(reference)) return reference;
  const [, scheme, authority, path] = /^([^:]+):\/\/([^/?#]*)([^?#]*)/.exec(base);
  if (reference.startsWith("//")) return `${scheme}:${reference}`;
  const origin = `${scheme}://${authority}`;
  const [, to, rest] = /^([^?#]*)(.*)$/s.exec(reference);
  if (to === "") return `${origin}${path || "/"}${rest}`;
  const merged = to.startsWith("/") ? to : path.replace(/[^/]*$/, "") + to;
  return `${origin}${withoutDots(merged.startsWith("/") ? merged : `/${merged}`)}${rest}`;
}

function withoutDots(path) {
  const out = [];
  const segments = path.split("/");
  for (const [i, segment] of segments.entries()) {
    const isLast = i === segments.length - 1;
    if (segment === "..") {
      if (out.length > 1) out.pop();
      if (isLast) out.push("");
    } else if (segment === ".") {
      if (isLast) out.push("");
    } else {
      out.push(segment);
    }
  }
  return out.join("/");
}

const port = ({ scheme, authority }) => (/:\d+$/.test(authority) ? authority : `${authority}:${scheme === "http" ? 80 : 443}`);

/** Whether credentials for the one may be sent to the other. */
export function sameOrigin(a, b) {
  const [from, to] = [target(a), target(b)];
  return from.scheme === to.scheme && port(from) === port(to);
}
