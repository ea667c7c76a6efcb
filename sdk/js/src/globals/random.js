/** `Math.random` and `crypto` on the host's randomness: QuickJS's own repeats in every instance, because its seed is frozen into the component. */
import { getRandomU64 } from "#host/random";

/** 32 random bits. */
function bits() {
  // A number in QuickJS, which keeps the upper 53 bits exactly; a BigInt elsewhere.
  const value = getRandomU64();
  return typeof value === "bigint" ? Number(value & 0xffffffffn) : Math.floor(value / 2 ** 32) >>> 0;
}

export function random() {
  return (bits() * 2 ** 21 + (bits() >>> 11)) / 2 ** 53;
}

export const crypto = {
  getRandomValues(array) {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    for (let i = 0; i < bytes.length; i += 4) {
      const word = bits();
      for (let j = 0; j < 4 && i + j < bytes.length; j++) bytes[i + j] = word >>> (8 * j);
    }
    return array;
  },

  randomUUID() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
  },
};
