/** Text as the contract takes it: UTF-8 has no half surrogate pairs. */
export function text(value) {
  const string = typeof value === "string" ? value : String(value);
  if (string.isWellFormed) return string.isWellFormed() ? string : string.toWellFormed();
  return string.replace(/[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]/g, (match) => (match.length === 2 ? match : "\ufffd"));
}

/** The same, or nothing. */
export function optional(value) {
  return value === undefined || value === null ? undefined : text(value);
}

/** A value as JSON text. */
export function json(value, what) {
  const written = JSON.stringify(value);
  if (written === undefined) throw new TypeError(`${what} cannot be written as JSON: it is ${typeof value}`);
  return written;
}

/** A JSON object for `_meta`, or nothing. */
export function meta(value) {
  return value === undefined || value === null ? undefined : json(value, "`meta`");
}

const CHUNK = 8192;

/** UTF-8 of a text. */
export function encode(string) {
  const source = text(string);
  const bytes = new Uint8Array(length(source));
  let at = 0;
  for (let i = 0; i < source.length; i++) {
    let code = source.charCodeAt(i);
    if (code < 0x80) {
      bytes[at++] = code;
      continue;
    }
    if (code < 0x800) {
      bytes[at++] = 0xc0 | (code >> 6);
    } else {
      if (code >= 0xd800 && code < 0xdc00) {
        code = 0x10000 + ((code - 0xd800) << 10) + (source.charCodeAt(++i) - 0xdc00);
        bytes[at++] = 0xf0 | (code >> 18);
        bytes[at++] = 0x80 | ((code >> 12) & 0x3f);
      } else {
        bytes[at++] = 0xe0 | (code >> 12);
      }
      bytes[at++] = 0x80 | ((code >> 6) & 0x3f);
    }
    bytes[at++] = 0x80 | (code & 0x3f);
  }
  return bytes;
}

function length(source) {
  let bytes = source.length;
  for (let i = 0; i < source.length; i++) {
    const code = source.charCodeAt(i);
    if (code >= 0x80) bytes += code < 0x800 || (code >= 0xd800 && code < 0xe000) ? 1 : 2;
  }
  return bytes;
}

/** The text of UTF-8; what is none becomes U+FFFD, or with `fatal` throws. */
export function decode(bytes, fatal = false) {
  let out = "";
  let units = [];
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at];
    let code = first;
    let size = 1;
    if (first >= 0x80) {
      size = first >= 0xf0 && first < 0xf5 ? 4 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xc2 && first < 0xe0 ? 2 : 0;
      let good = size > 0;
      code = first & (0x7f >> size);
      let taken = 1;
      for (; good && taken < size; taken++) {
        const next = bytes[at + taken];
        // The second byte rules out overlong forms, surrogates and what lies beyond Unicode.
        const low = taken > 1 ? 0x80 : first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
        const high = taken > 1 ? 0xbf : first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
        if (!(next >= low && next <= high)) {
          good = false;
          break;
        }
        code = (code << 6) | (next & 0x3f);
      }
      if (!good) {
        if (fatal) throw new TypeError("the bytes are not UTF-8");
        code = 0xfffd;
        size = taken;
      }
    }
    at += size;
    if (code > 0xffff) units.push(0xd7c0 + (code >> 10), 0xdc00 + (code & 0x3ff));
    else units.push(code);
    if (units.length >= CHUNK) {
      out += String.fromCharCode.apply(null, units);
      units = [];
    }
  }
  return out + String.fromCharCode.apply(null, units);
}
