import { randomBytes } from "node:crypto";

export const getRandomU64 = () => randomBytes(8).readBigUInt64LE();
