// The operator's token. It lives in sessionStorage: it ends with the tab, and no cookie carries it where the page did not
// mean to send it.

const KEY = "tradewind.token";

const listeners = new Set<() => void>();

export function token(): string | undefined {
  return sessionStorage.getItem(KEY) ?? undefined;
}

export function setToken(value: string | undefined): void {
  if (value === undefined) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, value);
  for (const listener of listeners) listener();
}

/** For `useSyncExternalStore`. */
export function onTokenChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
