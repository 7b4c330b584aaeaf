import { describe, expect, it } from "vitest";
import type { DeskEvent, Typed } from "../api/events";
import { applyEvents, applyPrices, EVENTS_KEPT } from "./desk";
import { outdated, withPoint } from "./follow";

function price(bid: string, received_at: string): Typed<"price_update"> {
  const quote = { instrument: "binance:BTC/USDT", bid, ask: bid, bid_quantity: "1", ask_quantity: "1" };
  const data = { ...quote, event_time: null, received_at };
  return { v: 1, id: "1.0", at: received_at, cause: null, type: "price_update", data };
}

function stopping(id: string): DeskEvent {
  return { v: 1, id, at: "2026-03-02T10:05:00Z", cause: null, type: "desk_stopping", data: {} };
}

describe("prices", () => {
  const bidOf = (prices: ReturnType<typeof applyPrices>) => prices["binance:BTC/USDT"]?.bid;

  it("keep the newest of an instrument and which way it went", () => {
    const up = applyPrices({}, [price("9.5", "2026-03-02T10:05:00Z"), price("10", "2026-03-02T10:05:00.1Z")]);
    expect(up["binance:BTC/USDT"]).toMatchObject({ bid: "10", move: 1 });
    expect(applyPrices(up, [price("10.0", "2026-03-02T10:05:00.2Z")])["binance:BTC/USDT"]?.move).toBe(1);
  });

  it("ignore one that was overtaken", () => {
    const known = applyPrices({}, [price("10", "2026-03-02T10:05:00.5Z")]);
    expect(bidOf(applyPrices(known, [price("9", "2026-03-02T10:05:00.4Z")]))).toBe("10");
  });

  it("leave what was there untouched, so that others need not be drawn again", () => {
    const known = applyPrices({}, [price("10", "2026-03-02T10:05:00.5Z")]);
    applyPrices(known, [price("11", "2026-03-02T10:05:00.6Z")]);
    expect(bidOf(known)).toBe("10");
  });
});

describe("events", () => {
  it("stand newest first, each once, also when a resumed stream repeats them", () => {
    const first = applyEvents([], [stopping("1.0"), stopping("1.1")]);
    const second = applyEvents(first, [stopping("1.1"), stopping("2.0"), stopping("2.0")]);
    expect(second.map(event => event.id)).toEqual(["2.0", "1.1", "1.0"]);
  });

  it("stay the same list when nothing is new", () => {
    const known = applyEvents([], [stopping("1.0")]);
    expect(applyEvents(known, [stopping("1.0")])).toBe(known);
  });

  it("are bounded", () => {
    const many = Array.from({ length: EVENTS_KEPT + 10 }, (_, index) => stopping(`${index}.0`));
    const kept = applyEvents([], many);
    expect(kept).toHaveLength(EVENTS_KEPT);
    expect(kept[0]?.id).toBe(`${EVENTS_KEPT + 9}.0`);
  });

  it("say which snapshots they make old", () => {
    expect(outdated([stopping("1.0")]).size).toBe(0);
    const filled = { ...stopping("1.0"), type: "order_filled" } as unknown as DeskEvent;
    expect([...outdated([filled])]).toEqual(
      expect.arrayContaining(["orders", "fills", "balances", "status"]),
    );
  });
});

describe("equity", () => {
  const point = (at: string) => ({
    at,
    account: "paper",
    equity: "1",
    realized: "0",
    unrealized: "0",
    unpriced: 0,
  });

  it("grows by a new point in front, and not by one it has", () => {
    const known = { items: [point("2026-03-02T10:05:10Z")], next: null };
    const grown = withPoint(known, point("2026-03-02T10:05:20Z"));
    expect(grown.items.map(each => each.at)).toEqual(["2026-03-02T10:05:20Z", "2026-03-02T10:05:10Z"]);
    expect(withPoint(grown, point("2026-03-02T10:05:20Z"))).toBe(grown);
  });
});
