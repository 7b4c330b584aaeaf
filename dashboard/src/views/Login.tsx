// Signing in: by the one-time link that the desk prints, or with a token.

import { useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { ApiError, post, request } from "../api/client";
import { setToken } from "../api/session";
import { Mark } from "./shell/Mark";

export function Login() {
  const { code } = useSearch({ from: "/login" });
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(Boolean(code));
  const navigate = useNavigate();
  const used = useRef(false);

  useEffect(() => {
    if (!code || used.current) return;
    used.current = true; // a code is good for one exchange; effects may run twice
    exchange(code)
      .then(() => navigate({ to: "/", replace: true }))
      .catch(error => {
        setProblem(words(error));
        setBusy(false);
      });
  }, [code, navigate]);

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const token = String(new FormData(event.currentTarget).get("token") ?? "").trim();
    setBusy(true);
    tryToken(token)
      .then(() => navigate({ to: "/", replace: true }))
      .catch(error => {
        setProblem(words(error));
        setBusy(false);
      });
  };

  return (
    <main className="grid min-h-dvh place-items-center p-6">
      <div className="w-full max-w-sm">
        <Mark className="mb-8 text-lg" />
        <h1 className="mb-1 text-lg font-semibold">Sign in</h1>
        <p className="mb-4 text-dim">
          The desk prints a one-time link when it starts;{" "}
          <code className="font-mono text-xs">tradewind token</code> prints the token.
        </p>
        <form onSubmit={submit} className="flex flex-col gap-3">
          <label className="flex flex-col gap-1 text-xs text-dim">
            Token
            <input name="token" type="password" required autoComplete="off" className="field py-2" />
          </label>
          {problem && (
            <p role="alert" className="rounded border border-alarm bg-alarm-deep px-3 py-2">
              {problem}
            </p>
          )}
          <button type="submit" disabled={busy} className="button justify-center py-2">
            {busy ? "Signing in …" : "Sign in"}
          </button>
        </form>
      </div>
    </main>
  );
}

async function exchange(code: string): Promise<void> {
  const { token } = await post<{ token: string }>("session", { code });
  setToken(token);
}

/** Keeps the token only if the desk takes it. */
async function tryToken(token: string): Promise<void> {
  setToken(token);
  try {
    await request("status");
  } catch (error) {
    setToken(undefined);
    throw error;
  }
}

function words(error: unknown): string {
  if (!(error instanceof ApiError)) return "The desk cannot be reached.";
  return error.hint ? `${error.message} ${error.hint}` : error.message;
}
