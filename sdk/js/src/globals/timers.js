/** Timers, put into a bundle where it uses them. */
import { sleep } from "#host/clock";
import { addTimer, removeTimer, setSleep } from "./loop.js";

setSleep(sleep);

export function setTimeout(work, ms = 0, ...args) {
  return addTimer(Date.now() + Math.max(0, Number(ms) || 0), undefined, () => work(...args));
}

export function setInterval(work, ms = 0, ...args) {
  const every = Math.max(1, Number(ms) || 0);
  return addTimer(Date.now() + every, every, () => work(...args));
}

export function setImmediate(work, ...args) {
  return setTimeout(work, 0, ...args);
}

export const clearTimeout = removeTimer;
export const clearInterval = removeTimer;
export const clearImmediate = removeTimer;
