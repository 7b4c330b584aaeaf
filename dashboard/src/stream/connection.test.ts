import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { backoff } from "./backoff";
import { openStream, type Phase } from "./connection";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A server whose connections the test feeds and cuts by hand. */
class Server {
  headers: Record<string, string>[] = [];
  status = 200;
  reachable = true;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  fetch = (_url: unknown, init?: RequestInit): Promise<Response> => {
    this.headers.push({ ...(init?.headers as Record<string, string>) });
    if (!this.reachable) return Promise.reject(new TypeError("refused"));
    const body = new ReadableStream<Uint8Array>({
      start: controller => {
        this.#controller = controller;
        init?.signal?.addEventListener("abort", () => controller.error(new Error("aborted")));
      },
    });
    return Promise.resolve(new Response(this.status === 200 ? body : null, { status: this.status }));
  };

  send(text: string): void {
    this.#controller?.enqueue(new TextEncoder().encode(text));
  }

  cut(): void {
    this.#controller?.error(new Error("connection reset"));
  }
}

function watch(server: Server) {
  const phases: Phase[] = [];
  const data: string[] = [];
  const close = openStream({
    url: "/events",
    token: "secret",
    fetch: server.fetch as typeof fetch,
    random: () => 0.5,
    onMessages: messages => data.push(...messages.map(message => message.data)),
    onState: state => {
      if (phases.at(-1) !== state.phase) phases.push(state.phase);
    },
  });
  return { phases, data, close };
}

const turn = (milliseconds = 0) => vi.advanceTimersByTimeAsync(milliseconds);

describe("openStream", () => {
  it("sends the token and hands messages on", async () => {
    const server = new Server();
    const { phases, data, close } = watch(server);
    await turn();
    server.send("id: 4.0\ndata: a\n\n");
    await turn();
    expect(server.headers[0]).toMatchObject({ authorization: "Bearer secret" });
    expect(server.headers[0]).not.toHaveProperty("last-event-id");
    expect({ phases, data }).toEqual({ phases: ["connecting", "live"], data: ["a"] });
    close();
  });

  it("resumes after the last id when the connection is cut", async () => {
    const server = new Server();
    const { phases, data, close } = watch(server);
    await turn();
    server.send("id: 4.0\ndata: a\n\nid: 4.1\ndata: b\n\nid: 5.0\ndata: never fin");
    await turn();
    server.cut();
    await turn(300);
    server.send("data: c\n\n");
    await turn();
    expect(server.headers[1]).toMatchObject({ "last-event-id": "4.1" });
    expect({ phases, data }).toEqual({
      phases: ["connecting", "live", "down", "live"],
      data: ["a", "b", "c"],
    });
    close();
  });

  it("is stale within two seconds of silence, and live again with the next byte", async () => {
    const server = new Server();
    const { phases, close } = watch(server);
    await turn();
    server.send(":\n\n");
    await turn(1_500);
    expect(phases.at(-1)).toBe("live");
    await turn(499);
    expect(phases.at(-1)).toBe("stale");
    server.send(":\n\n");
    await turn();
    expect(phases.at(-1)).toBe("live");
    close();
  });

  it("gives a silent connection up and makes another", async () => {
    const server = new Server();
    const { close } = watch(server);
    await turn();
    server.send(":\n\n");
    await turn(7_000);
    expect(server.headers).toHaveLength(2);
    close();
  });

  it("tries for ever while the desk is down, and heals by itself", async () => {
    const server = new Server();
    server.reachable = false;
    const { phases, close } = watch(server);
    await turn(60_000);
    expect(server.headers.length).toBeGreaterThan(10);
    server.reachable = true;
    await turn(5_000);
    server.send(":\n\n");
    await turn();
    expect(phases).toEqual(["connecting", "down", "live"]);
    close();
  });

  it("stops at a token that is refused", async () => {
    const server = new Server();
    server.status = 401;
    const { phases, close } = watch(server);
    await turn(60_000);
    expect({ phases, attempts: server.headers.length }).toEqual({
      phases: ["connecting", "refused"],
      attempts: 1,
    });
    close();
  });
});

it("backs off to five seconds and no further", () => {
  expect([1, 2, 3, 4, 5, 6, 60].map(attempt => backoff(attempt, 1))).toEqual([
    250, 500, 1000, 2000, 4000, 5000, 5000,
  ]);
  expect(backoff(6, 0)).toBe(2500);
});
