import { describe, expect, it } from "vitest";
import type { EventAnswer } from "../../api/events";
import type { Order, Position } from "../../api/types";
import { causeCandle, causeOf, linesOf, openOf, secondsOf } from "./marks";

describe("intervals", () => {
  it.each([
    ["1s", 1],
    ["5m", 300],
    ["4h", 14_400],
    ["1w", 604_800],
    ["quotes", undefined],
    ["every 900s", undefined],
  ])("%s is %s seconds", (interval, seconds) => {
    expect(secondsOf(interval)).toBe(seconds);
  });

  it.each([
    ["2026-03-02T10:07:31.5Z", "5m", "2026-03-02T10:05:00.000Z"],
    ["2026-03-02T10:05:00Z", "5m", "2026-03-02T10:05:00.000Z"],
    ["2026-03-05T10:05:00Z", "1w", "2026-03-02T00:00:00.000Z"],
  ])("%s lies in the %s candle of %s", (at, interval, open) => {
    expect(new Date(openOf(at, interval) * 1000).toISOString()).toBe(open);
  });
});

describe("the cause of a fill", () => {
  const chain = (last: unknown) =>
    ({ chain: [{ type: "order_filled" }, last], complete: true }) as EventAnswer;
  const at = "2026-03-02T10:05:00.003Z";

  it("is the candle at the end of the chain, with its interval", () => {
    const data = { instrument: "a", interval: "5m", candle: { open_time: "2026-03-02T10:00:00Z" } };
    const cause = causeOf(chain({ type: "candle_closed", at, data }));
    expect(cause).toEqual({ at: "2026-03-02T10:00:00Z", interval: "5m" });
    expect(causeCandle(cause, "5m")).toBe(Date.UTC(2026, 2, 2, 10, 0) / 1000);
  });

  it("is the moment of a quote, on whatever candle is shown", () => {
    const cause = causeOf(chain({ type: "price_update", at, data: {} }));
    expect(cause).toEqual({ at });
    expect(causeCandle(cause, "1m")).toBe(Date.UTC(2026, 2, 2, 10, 5) / 1000);
  });

  it("is nothing on a chart when a person did it", () => {
    expect(causeOf(chain({ type: "command", at, data: {} }))).toBeUndefined();
  });
});

it("draws a line for each level there is", () => {
  const exit = { stop: "95", take_profit: null, trailing: "97", at: null };
  const position = { entry_price: "100", exit } as Position;
  const order = { side: "sell", quantity: "2", price: "110" } as Order;
  const market = { side: "sell", quantity: "2", price: null } as Order;
  expect(linesOf([position], [order, market]).map(line => `${line.title} ${line.price}`)).toEqual([
    "entry 100",
    "stop 95",
    "trailing 97",
    "sell 2 110",
  ]);
});
