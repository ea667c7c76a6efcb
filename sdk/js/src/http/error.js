/**
 * Why there is no response, or no body; the text is made for the model. `kind` is `url`, `header`, `denied`, `host` (words of
 * the host's own, often a refusal with the line that would allow it), `timeout`, `too-large`, `redirects` or `failed`.
 */
export class HttpError extends Error {
  constructor(kind, message) {
    super(message);
    this.name = "HttpError";
    this.kind = kind;
  }
}

const DENIED = {
  "HTTP-request-denied": "it is not granted; the plugin's log has the reason and the line to add",
  "destination-IP-prohibited": "the address is not granted; the plugin's log has the reason",
  "connection-limit-reached": "too many requests at once",
  "HTTP-request-URI-too-long": "the URL is too long",
  "HTTP-request-header-size": "a header is too large",
  "HTTP-request-header-section-size": "the request's headers are too large",
  "HTTP-request-body-size": "the request body is too large",
};

const TIMEOUT = {
  "DNS-timeout": "the name could not be resolved",
  "connection-timeout": "no connection could be made",
  "connection-read-timeout": "the server sent nothing more",
  "connection-write-timeout": "the server took nothing more",
  "HTTP-response-timeout": "the server did not answer",
};

const FAILED = {
  "DNS-error": "the name could not be resolved",
  "destination-not-found": "there is no such host",
  "destination-unavailable": "the host cannot be reached",
  "destination-IP-unroutable": "the host cannot be reached",
  "connection-refused": "nobody listens at that port",
  "connection-terminated": "the connection broke off",
  "HTTP-response-incomplete": "the connection broke off",
  "TLS-certificate-error": "the server's certificate is not valid",
  "TLS-protocol-error": "no encrypted connection could be made",
  "TLS-alert-received": "no encrypted connection could be made",
  "HTTP-response-body-size": "the response body is too large",
  "HTTP-response-header-section-size": "the response's headers are too large",
  "HTTP-protocol-error": "the server does not speak HTTP",
};

/** A code of `wasi:http` as an error a model can read. */
export function ofCode({ tag, val }) {
  if (tag === "internal-error") return val == null ? new HttpError("failed", "the request failed: the host did not say why") : new HttpError("host", val);
  if (tag in DENIED) return new HttpError("denied", `the host refused the request: ${DENIED[tag]}`);
  if (tag in TIMEOUT) return new HttpError("timeout", `time is up: ${TIMEOUT[tag]}`);
  const code = val?.rcode == null ? "" : ` (${val.rcode})`;
  // Codes that hosts send rarely speak for themselves.
  return new HttpError("failed", `the request failed: ${FAILED[tag] ?? tag}${code}`);
}
