/** `TextEncoder` and `TextDecoder` for UTF-8. Put into a bundle where it uses them. */
import { decode, encode } from "../text.js";

export class TextEncoder {
  get encoding() {
    return "utf-8";
  }

  encode(text = "") {
    return encode(text);
  }

  encodeInto(text, target) {
    const bytes = encode(text);
    let written = Math.min(bytes.length, target.length);
    // Not into the middle of a character.
    while (written > 0 && written < bytes.length && (bytes[written] & 0xc0) === 0x80) written--;
    target.set(bytes.subarray(0, written));
    return { read: decode(bytes.subarray(0, written)).length, written };
  }
}

export class TextDecoder {
  #fatal;
  #ignoreBom;
  /** What was cut off at the end of the last piece of a stream. */
  #rest = new Uint8Array(0);

  constructor(label = "utf-8", { fatal = false, ignoreBOM = false } = {}) {
    if (!/^\s*(utf-?8|unicode-1-1-utf-8)\s*$/i.test(label)) throw new RangeError(`only UTF-8 is known here, not ${label}`);
    this.#fatal = fatal;
    this.#ignoreBom = ignoreBOM;
  }

  get encoding() {
    return "utf-8";
  }

  get fatal() {
    return this.#fatal;
  }

  get ignoreBOM() {
    return this.#ignoreBom;
  }

  decode(input = new Uint8Array(0), { stream = false } = {}) {
    const given = input instanceof Uint8Array ? input : new Uint8Array(input.buffer ?? input, input.byteOffset ?? 0, input.byteLength);
    const bytes = new Uint8Array(this.#rest.length + given.length);
    bytes.set(this.#rest);
    bytes.set(given, this.#rest.length);
    const end = stream ? complete(bytes) : bytes.length;
    this.#rest = bytes.slice(end);
    const text = decode(bytes.subarray(0, end), this.#fatal);
    return text.startsWith("\ufeff") && !this.#ignoreBom ? text.slice(1) : text;
  }
}

/** Where the last whole character ends. */
function complete(bytes) {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back];
    if (byte < 0x80) break;
    if (byte >= 0xc0) {
      const size = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return size > back ? bytes.length - back : bytes.length;
    }
  }
  return bytes.length;
}
