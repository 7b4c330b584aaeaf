// How long to wait before the n-th attempt to reconnect: doubling, capped, with jitter, so that a desk that comes back is
// not met by every page at once.

const FIRST_MS = 250;
const CAP_MS = 5_000;

/** Milliseconds before `attempt` (the first is 1). `random` is in [0, 1). */
export function backoff(attempt: number, random: number): number {
  const ceiling = Math.min(CAP_MS, FIRST_MS * 2 ** Math.min(attempt - 1, 10));
  return ceiling / 2 + (ceiling / 2) * random;
}
