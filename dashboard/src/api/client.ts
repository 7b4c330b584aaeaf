// One function for every request: bearer token in, JSON or an `ApiError` out.

import { setToken, token } from "./session";

/** What went wrong, in the API's words and with its cure. */
export class ApiError extends Error {
  constructor(
    /** HTTP status; 0 if there was no answer. */
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint?: string,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

const TIMEOUT_MS = 10_000;

export async function request<T>(path: string, init: RequestInit = {}): Promise<T> {
  const headers = new Headers(init.headers);
  const bearer = token();
  if (bearer) headers.set("authorization", `Bearer ${bearer}`);
  if (init.body) headers.set("content-type", "application/json");
  const response = await fetch(`/api/v1/${path}`, {
    ...init,
    headers,
    cache: "no-store",
    signal: init.signal ?? AbortSignal.timeout(TIMEOUT_MS),
  }).catch(() => {
    throw new ApiError(0, "unreachable", "The desk cannot be reached.");
  });
  if (!response.ok) throw await failure(response, bearer);
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

/** A command. Its key makes it one command, however often it is sent. */
export function post<T>(path: string, body?: unknown): Promise<T> {
  return request<T>(path, {
    method: "POST",
    headers: { "idempotency-key": crypto.randomUUID() },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

export function remove<T>(path: string): Promise<T> {
  return request<T>(path, { method: "DELETE", headers: { "idempotency-key": crypto.randomUUID() } });
}

async function failure(response: Response, bearer: string | undefined): Promise<ApiError> {
  // A token that was refused is of no more use; one that was replaced meanwhile is another matter.
  if (response.status === 401 && bearer && bearer === token()) setToken(undefined);
  const body = (await response.json().catch(() => undefined)) as
    | { error?: { code?: string; message?: string; hint?: string } }
    | undefined;
  const { code = "unknown", message = `The desk answered ${response.status}.`, hint } = body?.error ?? {};
  return new ApiError(response.status, code, message, hint);
}

/** Query text from what is set. */
export function query(parameters: Record<string, string | number | undefined>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return text ? `?${text}` : "";
}
