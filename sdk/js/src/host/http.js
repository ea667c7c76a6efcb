/** The client on `wasi:http`. */
import { handle } from "wasi:http/outgoing-handler@0.2.12";
import { Fields, OutgoingBody, OutgoingRequest, RequestOptions, httpErrorCode } from "wasi:http/types@0.2.12";
import { u64 } from "#engine";
import { closing } from "../cleanup.js";
import { payload } from "../error.js";
import { HttpError, ofCode } from "../http/error.js";
import { decode, encode } from "../text.js";

/** What is taken from a stream at once at most, in bytes. */
const CHUNK = 64 * 1024;

const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

/** Sends a request and waits for the head of the response. */
export function send({ method, scheme, authority, pathWithQuery, headers, body, timeoutMs, deadline }) {
  const request = new OutgoingRequest(fields(headers, method, body));
  check(() => request.setMethod(METHODS.includes(method) ? { tag: method.toLowerCase() } : { tag: "other", val: method }), "header", `\`${method}\` is no method`);
  request.setScheme({ tag: scheme === "http" ? "HTTP" : "HTTPS" });
  check(() => request.setAuthority(authority), "url", `\`${authority}\` is no host`);
  check(() => request.setPathWithQuery(pathWithQuery), "url", `\`${pathWithQuery}\` is no path`);
  // The body is taken before the request is given away, and written after: nobody reads it earlier.
  const outgoing = body.length > 0 ? request.body() : undefined;
  let future;
  try {
    future = handle(request, options(timeoutMs));
  } catch (error) {
    throw ofCode(payload(error));
  }
  if (outgoing) write(outgoing, body);
  return received(wait(future, deadline), deadline);
}

function fields(headers, method, body) {
  const all = new Fields();
  for (const [name, value] of headers) check(() => all.append(name, encode(value)), "header", `\`${name}\` cannot be sent in a request`);
  // With a length the server need not be able to read a body in chunks, and some want one even of nothing (RFC 9110,
  // section 8.6). A host that sees to it itself refuses this header, which is as good.
  if ((body.length > 0 || ["POST", "PUT", "PATCH"].includes(method)) && !all.has("content-length")) {
    try {
      all.append("content-length", encode(String(body.length)));
    } catch {
      // As said.
    }
  }
  return all;
}

function options(timeoutMs) {
  if (timeoutMs === undefined) return undefined;
  const options = new RequestOptions();
  const nanoseconds = u64(Math.ceil(timeoutMs * 1e6));
  for (const set of ["setConnectTimeout", "setFirstByteTimeout", "setBetweenBytesTimeout"]) {
    try {
      options[set](nanoseconds);
    } catch {
      // A host that does not know one has limits of its own.
    }
  }
  return options;
}

/** A server may answer before it has read everything, so a body that nobody takes is no failure: the response tells. */
function write(outgoing, body) {
  const stream = outgoing.write();
  let isWhole = false;
  try {
    for (let at = 0; at < body.length; ) {
      const room = Math.min(Number(stream.checkWrite()), body.length - at);
      if (room > 0) stream.write(body.slice(at, at + room));
      else block(stream);
      at += room;
    }
    stream.flush();
    isWhole = true;
  } catch {
    // As said.
  }
  drop(stream);
  try {
    if (isWhole) OutgoingBody.finish(outgoing, undefined);
    else drop(outgoing);
  } catch {
    // As said.
  }
}

function wait(future, deadline) {
  for (;;) {
    const answer = future.get();
    if (answer == null) {
      block(future);
      continue;
    }
    drop(future);
    if (answer.tag === "err" || answer.val.tag === "err") throw ofCode(answer.val.val ?? { tag: "internal-error" });
    inTime(deadline);
    return answer.val.val;
  }
}

function received(response, deadline) {
  const fields = response.headers();
  const headers = fields.entries().map(([name, value]) => [name, decode(value)]);
  drop(fields);
  const body = response.consume();
  const stream = body.stream();
  const close = closing(() => [stream, body, response].forEach(drop));
  return { status: response.status(), headers, read: (room) => next(stream, room, deadline, close), close };
}

/** The next bytes, at least one and at most `room`; undefined at the end. */
function next(stream, room, deadline, close) {
  for (;;) {
    inTime(deadline);
    let chunk;
    try {
      chunk = stream.read(u64(Math.min(room, CHUNK)));
    } catch (error) {
      const { tag, val } = payload(error);
      if (tag === "closed") {
        close();
        return undefined;
      }
      const code = httpErrorCode(val);
      throw code == null ? new HttpError("failed", `the request failed: ${val.toDebugString()}`) : ofCode(code);
    }
    if (chunk.length > 0) return chunk;
    block(stream);
  }
}

function drop(resource) {
  resource[Symbol.dispose]();
}

function block(waitable) {
  const ready = waitable.subscribe();
  ready.block();
  drop(ready);
}

function inTime(deadline) {
  if (deadline !== undefined && Date.now() >= deadline) throw new HttpError("timeout", "time is up: the exchange took too long");
}

function check(work, kind, message) {
  try {
    work();
  } catch {
    throw new HttpError(kind, message);
  }
}
