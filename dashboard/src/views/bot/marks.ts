// Marks on the candles, computed from the desk's answers; CandleChart draws them.

import type { EventAnswer } from "../../api/events";
import type { Bot, Candle, FillMarker, Order, Position } from "../../api/types";
import { instant } from "../../lib/time";

const SECONDS: Record<string, number> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };

/** Length of an interval such as `15m` in seconds; `undefined` for what is none, such as `quotes`. */
export function secondsOf(interval: string): number | undefined {
  const match = /^(\d+)([smhdw])$/.exec(interval);
  return match ? Number(match[1]) * (SECONDS[match[2] ?? ""] ?? 0) : undefined;
}

/** The candle intervals that wake a bot. */
export function intervalsOf(bot: Bot): string[] {
  return bot.wakes.filter(wake => secondsOf(wake) !== undefined);
}

/** Start of the candle that contains an instant, in seconds since 1970. Weeks start on Mondays. */
export function openOf(at: string, interval: string): number {
  const length = secondsOf(interval) ?? 60;
  const shift = length === 604_800 ? 4 * 86_400 : 0;
  return Math.floor((instant(at) / 1000 - shift) / length) * length + shift;
}

/** What began it: a candle, or a quote at an instant. */
export interface CauseMark {
  /** Start of the candle, or the instant of the quote. */
  at: string;
  /** The candle's interval; none for a quote. */
  interval?: string;
}

/** The candle or quote at the end of a chain of causes. */
export function causeOf(answer: EventAnswer | undefined): CauseMark | undefined {
  const first = answer?.chain.at(-1);
  if (first?.type === "candle_closed") {
    return { at: first.data.candle.open_time, interval: first.data.interval };
  }
  return first?.type === "price_update" ? { at: first.at } : undefined;
}

/** A level with its name and the colour it is drawn in. */
export interface Line {
  title: string;
  price: string;
  color: `--${string}`;
  style: "solid" | "dashed" | "dotted";
}

/** Entry, stops and gains of positions, and the limits of working orders. */
export function linesOf(positions: readonly Position[], orders: readonly Order[]): Line[] {
  const lines: Line[] = [];
  const add = (title: string, price: string | null, color: Line["color"], style: Line["style"]) => {
    if (price !== null) lines.push({ title, price, color, style });
  };
  for (const { entry_price, exit } of positions) {
    add("entry", entry_price, "--dim", "solid");
    add("stop", exit.stop, "--loss", "dashed");
    add("trailing", exit.trailing, "--warn", "dashed");
    add("take profit", exit.take_profit, "--gain", "dashed");
  }
  for (const order of orders) add(`${order.side} ${order.quantity}`, order.price, "--sea", "dotted");
  return lines;
}

/** Start of the candle that a cause is shown on, in seconds since 1970. */
export function causeCandle(cause: CauseMark | undefined, interval: string): number | undefined {
  return cause && openOf(cause.at, interval);
}

/** Candles in order of their start, as the chart library requires. */
export function inOrder(candles: readonly Candle[]): Candle[] {
  const byOpen = new Map(candles.map(candle => [instant(candle.open_time), candle]));
  return [...byOpen].sort(([a], [b]) => a - b).map(([, candle]) => candle);
}

/** Fills that the chart has candles for, or that came since; oldest first. */
export function shownFills(fills: readonly FillMarker[], candles: readonly Candle[]): FillMarker[] {
  const first = candles[0];
  if (!first) return [];
  return fills.filter(fill => instant(fill.at) >= instant(first.open_time)).reverse();
}
