// Keeps one event stream open: connects with the bearer token, resumes after the last id, notices silence, and reconnects
// for ever. It does not interpret events.
//
// The desk sends a heartbeat every second. Well before 2 s without a byte the stream is `stale`, so that by then everybody can see it; after 6 s
// the connection is closed and opened again.

import { backoff } from "./backoff";
import { type StreamMessage, StreamParser } from "./parser";

export type Phase = "connecting" | "live" | "stale" | "down" | "refused";

export interface StreamState {
  phase: Phase;
  /** Attempts since it was last live. */
  attempt: number;
  /** What went wrong last, in words. */
  problem?: string;
}

interface StreamOptions {
  url: string;
  token: string;
  onMessages(messages: StreamMessage[]): void;
  onState(state: StreamState): void;
  /** For tests. */
  fetch?: typeof fetch;
  random?: () => number;
}

const STALE_AFTER_MS = 1_600;
const DEAD_AFTER_MS = 6_000;
const WATCH_EVERY_MS = 100;

/** Opens the stream; the result closes it. */
export function openStream(options: StreamOptions): () => void {
  const connection = new Connection(options);
  void connection.run();
  return () => connection.close();
}

class Connection {
  readonly #options: StreamOptions;
  readonly #closed = new AbortController();
  #lastId = "";
  #attempt = 0;

  constructor(options: StreamOptions) {
    this.#options = options;
  }

  close(): void {
    this.#closed.abort();
  }

  async run(): Promise<void> {
    this.#tell("connecting");
    while (!this.#closed.signal.aborted) {
      this.#attempt += 1;
      const problem = await this.#attend();
      if (this.#closed.signal.aborted) return;
      if (problem === REFUSED) return this.#tell("refused", "the token is not valid any more");
      this.#tell("down", problem);
      await pause(
        backoff(Math.max(1, this.#attempt), (this.#options.random ?? Math.random)()),
        this.#closed.signal,
      );
    }
  }

  /** One connection from its first byte to its last; returns why it ended. */
  async #attend(): Promise<string> {
    const ended = new AbortController();
    const end = () => ended.abort();
    this.#closed.signal.addEventListener("abort", end);
    const watchdog = new Watchdog(() => this.#tell("stale", "no heartbeat"), end);
    try {
      const response = await (this.#options.fetch ?? fetch)(this.#options.url, {
        headers: this.#headers(),
        signal: ended.signal,
        cache: "no-store",
      });
      if (response.status === 401 || response.status === 403) return REFUSED;
      if (!response.ok || !response.body) return `the desk answered ${response.status}`;
      await this.#read(response.body.getReader(), watchdog);
      return "the desk closed the stream";
    } catch {
      return watchdog.expired ? "the desk fell silent" : "the desk cannot be reached";
    } finally {
      watchdog.stop();
      this.#closed.signal.removeEventListener("abort", end);
    }
  }

  async #read(reader: ReadableStreamDefaultReader<Uint8Array>, watchdog: Watchdog): Promise<void> {
    const decoder = new TextDecoder();
    const parser = new StreamParser(this.#lastId);
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      watchdog.feed();
      this.#attempt = 0;
      this.#tell("live");
      const messages = parser.push(decoder.decode(value, { stream: true }));
      const last = messages.at(-1);
      if (!last) continue;
      this.#lastId = last.id;
      this.#options.onMessages(messages);
    }
  }

  #headers(): Record<string, string> {
    const headers: Record<string, string> = {
      accept: "text/event-stream",
      authorization: `Bearer ${this.#options.token}`,
    };
    if (this.#lastId) headers["last-event-id"] = this.#lastId;
    return headers;
  }

  #tell(phase: Phase, problem?: string): void {
    if (this.#closed.signal.aborted) return;
    this.#options.onState({ phase, attempt: this.#attempt, ...(problem ? { problem } : {}) });
  }
}

const REFUSED = "refused";

/** Calls `onSilence` once for each long silence after a first byte, and `onDeath` when silence lasts. */
class Watchdog {
  readonly #timer: ReturnType<typeof setInterval>;
  #fedAt = Date.now();
  #fed = false;
  #silent = false;
  expired = false;

  constructor(onSilence: () => void, onDeath: () => void) {
    this.#timer = setInterval(() => {
      const silence = Date.now() - this.#fedAt;
      if (silence >= STALE_AFTER_MS && this.#fed && !this.#silent) {
        this.#silent = true;
        onSilence();
      }
      if (silence > DEAD_AFTER_MS && !this.expired) {
        this.expired = true;
        onDeath();
      }
    }, WATCH_EVERY_MS);
  }

  feed(): void {
    this.#fedAt = Date.now();
    this.#fed = true;
    this.#silent = false;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end);
  });
}
