// One beat for everything that counts seconds on the screen: ages and countdowns read it instead of running timers of their own.

import { useSyncExternalStore } from "react";

const BEAT_MS = 250;

const listeners = new Set<() => void>();
let beat = performance.now();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    beat = performance.now();
    for (const each of listeners) each();
  }, BEAT_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** `performance.now()`, four times a second. */
export function useBeat(): number {
  return useSyncExternalStore(subscribe, () => beat);
}
