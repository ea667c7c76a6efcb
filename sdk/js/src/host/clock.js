import { subscribeDuration } from "wasi:clocks/monotonic-clock@0.2.12";
import { u64 } from "#engine";

/** Waits. */
export function sleep(ms) {
  const bell = subscribeDuration(u64(Math.ceil(ms * 1e6)));
  bell.block();
  bell[Symbol.dispose]();
}
