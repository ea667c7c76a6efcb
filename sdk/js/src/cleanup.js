/**
 * What a call leaves open. The host wants a stream closed before what it came from, and engines free what nobody needs any more in
 * an order of their own, so everything is closed by hand, at the latest when the call ends.
 */
const open = new Set();

/** Calls `close` at the end of the call, unless what is returned is called before. */
export function closing(close) {
  const once = () => open.delete(once) && close();
  open.add(once);
  return once;
}

export function closeAll() {
  if (open.size === 0) return;
  for (const close of open) close();
}
