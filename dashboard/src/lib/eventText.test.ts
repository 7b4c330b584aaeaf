import { expect, it } from "vitest";
import type { DeskEvent } from "../api/events";
import { describe } from "./eventText";

const event = (type: string, data: unknown) =>
  ({ v: 1, id: "1.0", at: "2026-03-02T10:05:00Z", cause: null, type, data }) as DeskEvent;
const terms = { side: "buy", quantity: "1500", instrument: "binance:DOGE/USDT", price: "0.12" };

it.each([
  ["order_filled", { fill: terms, status: "filled" }, "buy 1,500 DOGE/USDT at 0.12"],
  [
    "order_filled",
    { fill: terms, status: "partially_filled" },
    "buy 1,500 DOGE/USDT at 0.12, partially filled",
  ],
  [
    "order_rejected",
    { order: { ...terms, reason: "filter" }, code: -1013 },
    "buy 1,500 DOGE/USDT at 0.12: filter",
  ],
  [
    "risk_decision_rejected",
    { ...terms, price: null, rule: "R13", reason: "at most 5000 allowed" },
    "buy 1,500 DOGE/USDT: at most 5000 allowed (R13)",
  ],
  ["position_closed", { instrument: "binance:DOGE/USDT", realized: "-2.5" }, "DOGE/USDT, realised −2.5"],
  [
    "trading_state_changed",
    { scope: { kind: "desk", name: null }, state: "KILLED", cause: null },
    "desk is KILLED",
  ],
  ["gap", { instrument: null, missing: 12 }, "12 missing"],
  ["of_tomorrow", {}, ""],
])("%s reads as words", (type, data, words) => {
  expect(describe(event(type, data))).toBe(words);
});
