export { getRandomU64 } from "wasi:random/random@0.2.12";
