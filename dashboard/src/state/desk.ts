// State from the stream between two snapshots: how the connection is, what time the desk has, the latest prices, the latest
// events. Snapshots themselves live in the query cache.

import { create } from "zustand";
import type { DeskEvent, Typed } from "../api/events";
import { compare } from "../lib/decimal";
import { type DeskClock, hear, instant } from "../lib/time";
import type { StreamState } from "../stream/connection";

export interface Price {
  bid: string;
  ask: string;
  /** When the socket was read, as the desk spells it. */
  receivedAt: string;
  /** -1, 0 or 1: where the bid went. */
  move: number;
}

export interface DeskState {
  stream: StreamState;
  /** When the last byte came, by `performance.now()`. */
  lastByteAt: number | undefined;
  clock: DeskClock | undefined;
  speed: number;
  prices: Readonly<Record<string, Price>>;
  /** Newest first, prices left out. */
  events: readonly DeskEvent[];
  /** Events the desk reported as not delivered. */
  missed: number;
}

export const EVENTS_KEPT = 1_500;

export const useDesk = create<DeskState>(() => ({
  stream: { phase: "connecting", attempt: 0 },
  lastByteAt: undefined,
  clock: undefined,
  speed: 1,
  prices: {},
  events: [],
  missed: 0,
}));

/** `prices` after `updates`: the newest per instrument, what was overtaken ignored. */
export function applyPrices(
  prices: Readonly<Record<string, Price>>,
  updates: readonly Typed<"price_update">[],
): Readonly<Record<string, Price>> {
  const next = { ...prices };
  for (const { data } of updates) {
    const known = next[data.instrument];
    if (known && instant(known.receivedAt) > instant(data.received_at)) continue;
    const move = known ? compare(data.bid, known.bid) || known.move : 0;
    next[data.instrument] = { bid: data.bid, ask: data.ask, receivedAt: data.received_at, move };
  }
  return next;
}

/** `events` after `fresh` (oldest first): each id once, newest first, never more than are kept. */
export function applyEvents(events: readonly DeskEvent[], fresh: readonly DeskEvent[]): readonly DeskEvent[] {
  const known = new Set(events.slice(0, 200).map(event => event.id));
  const added = fresh.filter(event => {
    const isNew = !known.has(event.id);
    known.add(event.id);
    return isNew;
  });
  if (added.length === 0) return events;
  return [...added.reverse(), ...events].slice(0, EVENTS_KEPT);
}

/** Sets the desk's clock by the time of a message. */
export function updateDeskClock(at: string, speed?: number): void {
  useDesk.setState(state => {
    const known = speed ?? state.speed;
    return { speed: known, clock: hear(state.clock, instant(at), known, performance.now()) };
  });
}
