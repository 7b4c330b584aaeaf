import { describe, expect, it } from "vitest";
import { clock, countdown, deskNow, duration, hear, instant } from "./time";

describe("countdown", () => {
  it.each([
    [0, "now"],
    [-5_000, "now"],
    [1, "1 s"],
    [8_001, "9 s"],
    [59_000, "59 s"],
    [60_000, "1:00"],
    [249_000, "4:09"],
    [3_729_000, "1:02:09"],
    [Number.NaN, "–"],
  ])("%d ms are %s", (left, shown) => {
    expect(countdown(1_000_000 + left, 1_000_000)).toBe(shown);
  });
});

describe("duration", () => {
  it.each([
    [420, "0.4 s"],
    [12_900, "12 s"],
    [185_000, "3 m 05 s"],
    [7_800_000, "2 h 10 m"],
    [356_400_000, "4 d 3 h"],
  ])("%d ms are %s", (length, shown) => {
    expect(duration(length)).toBe(shown);
  });
});

describe("the desk's clock", () => {
  it("runs on at the desk's speed between two messages", () => {
    const known = hear(undefined, 1_000_000, 10, 500);
    expect(deskNow(known, 700)).toBe(1_002_000);
  });
  it("does not jump back for a message that was overtaken", () => {
    const known = hear(undefined, 1_000_000, 1, 0);
    expect(hear(known, 999_900, 1, 10)).toBe(known);
  });
  it("follows the desk when it really is elsewhere", () => {
    const known = hear(undefined, 1_000_000, 1, 0);
    expect(deskNow(hear(known, 990_000, 1, 10), 10)).toBe(990_000);
    expect(deskNow(hear(known, 1_060_000, 1, 10), 10)).toBe(1_060_000);
  });
});

it("reads instants with nanoseconds", () => {
  expect(clock(instant("2026-11-20T14:05:09.123456789Z"))).toBe("14:05:09");
});
