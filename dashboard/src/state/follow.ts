// Joins the stream to what is on the screen: prices by animation frame, events into the store, and for each event the
// snapshots it made old. After a reconnect all data is fetched again, because missed events are unknown.

import type { QueryClient } from "@tanstack/react-query";
import type { DeskEvent, EventType, Typed } from "../api/events";
import type { EquityPoint, List } from "../api/types";
import { instant } from "../lib/time";
import { openStream, type StreamState } from "../stream/connection";
import type { StreamMessage } from "../stream/parser";
import { applyEvents, applyPrices, updateDeskClock, useDesk } from "./desk";

const CAP = 2_000;

/** The snapshots that an event of each type makes old. */
const OUTDATES: Partial<Record<EventType, readonly string[]>> = {
  candle_closed: ["bots", "status", "candles"],
  signal_generated: ["bots", "status"],
  order_placed: ["orders", "bots", "status"],
  order_accepted: ["orders"],
  order_filled: ["orders", "fills", "positions", "bots", "status", "balances", "candles"],
  order_cancelled: ["orders"],
  order_rejected: ["orders", "bots"],
  order_expired: ["orders"],
  order_unknown: ["orders", "status"],
  position_opened: ["positions", "bots"],
  position_closed: ["positions", "bots", "status"],
  risk_decision_rejected: ["bots", "status"],
  circuit_breaker_fired: ["status"],
  trading_state_changed: ["status"],
  kill_switch: ["status", "orders", "bots"],
  kill_switch_reset: ["status", "bots"],
  bot_state_changed: ["bots", "status"],
  bot_error: ["bots"],
  equity_snapshot: ["status"],
  feed_health_changed: ["feeds"],
  queue_overflow: ["queues"],
  reconciled: ["balances", "status", "orders", "fills"],
  account_stream_changed: ["status"],
  command: ["status"],
};

/** Which snapshots `events` make old. */
export function outdated(events: readonly DeskEvent[]): Set<string> {
  return new Set(events.flatMap(event => OUTDATES[event.type] ?? []));
}

/** Follows the desk until the result is called. */
export function follow(client: QueryClient, token: string): () => void {
  const prices = new Frames();
  const refetch = new Throttle(keys => {
    for (const key of keys) void client.invalidateQueries({ queryKey: [key] });
  });
  let wasLive = false;
  let wasDown = false;

  const onState = (stream: StreamState) => {
    const known = useDesk.getState().stream;
    if (stream.phase === "live") useDesk.setState({ lastByteAt: performance.now() });
    if (known.phase === stream.phase && known.problem === stream.problem) return;
    useDesk.setState({ stream });
    if (stream.phase === "down" || stream.phase === "stale") wasDown = true;
    if (stream.phase === "live" && wasLive && wasDown) {
      wasDown = false;
      void client.invalidateQueries();
    }
    if (stream.phase === "live") wasLive = true;
  };

  const onMessages = (messages: StreamMessage[]) => {
    const events = messages.flatMap(read);
    prices.add(events.filter(isPrice));
    const others = events.filter(event => !isPrice(event));
    const last = events.at(-1);
    if (last) updateDeskClock(last.at);
    if (others.length === 0) return;
    useDesk.setState(state => ({ events: applyEvents(state.events, others) }));
    appendEquity(client, others);
    refetch.add(outdated(others));
    if (others.some(event => event.type === "gap" || event.type === "queue_overflow")) {
      useDesk.setState(state => ({ missed: state.missed + 1 }));
      void client.invalidateQueries();
    }
  };

  const close = openStream({ url: "/api/v1/events", token, onMessages, onState });
  return () => {
    close();
    prices.stop();
    refetch.stop();
  };
}

function read(message: StreamMessage): DeskEvent[] {
  try {
    const event = JSON.parse(message.data) as DeskEvent;
    return typeof event.type === "string" && typeof event.data === "object" ? [event] : [];
  } catch {
    return [];
  }
}

function isPrice(event: DeskEvent): event is Typed<"price_update"> {
  return event.type === "price_update";
}

/** Appends equity snapshots of the stream to the chart; the history before them is not requested again. */
function appendEquity(client: QueryClient, events: readonly DeskEvent[]): void {
  for (const { at, type, data } of events) {
    if (type !== "equity_snapshot") continue;
    const key = ["equity", data.account];
    client.setQueryData<List<EquityPoint>>(key, known => known && withPoint(known, { at, ...data }));
  }
}

/** The list, newest first, with `point` in front of it unless it is there already. */
export function withPoint(known: List<EquityPoint>, point: EquityPoint): List<EquityPoint> {
  const newest = known.items[0];
  if (newest && instant(newest.at) >= instant(point.at)) return known;
  return { ...known, items: [point, ...known.items].slice(0, CAP) };
}

/** Collects prices and lets them reach the screen once per animation frame. */
class Frames {
  #waiting: Typed<"price_update">[] = [];
  #frame: number | undefined;

  add(events: readonly Typed<"price_update">[]): void {
    if (events.length === 0) return;
    this.#waiting.push(...events);
    this.#frame ??= requestAnimationFrame(() => {
      const updates = this.#waiting;
      this.#waiting = [];
      this.#frame = undefined;
      useDesk.setState(state => ({ prices: applyPrices(state.prices, updates) }));
    });
  }

  stop(): void {
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
  }
}

const PAUSE_MS = 700;

/** Runs at once, then at most once per pause with all that came meanwhile. */
class Throttle {
  readonly #run: (keys: Set<string>) => void;
  #waiting = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(run: (keys: Set<string>) => void) {
    this.#run = run;
  }

  add(keys: Set<string>): void {
    for (const key of keys) this.#waiting.add(key);
    if (this.#timer === undefined) this.#flush();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #flush = (): void => {
    this.#timer = undefined;
    if (this.#waiting.size === 0) return;
    const keys = this.#waiting;
    this.#waiting = new Set();
    this.#run(keys);
    this.#timer = setTimeout(this.#flush, PAUSE_MS);
  };
}
