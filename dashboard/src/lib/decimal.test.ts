import { describe, expect, it } from "vitest";
import { compare, format, percent, sign, subtract, sum } from "./decimal";

describe("format", () => {
  it.each([
    ["0", {}, "0"],
    ["1234567.5", {}, "1,234,567.5"],
    ["-1234.5", {}, "−1,234.5"],
    ["1234.5", { digits: 2 }, "1,234.50"],
    ["0.005", { digits: 2 }, "0.00"],
    ["0.015", { digits: 2 }, "0.02"],
    ["-0.001", { digits: 2 }, "0.00"],
    ["999.995", { digits: 2 }, "1,000.00"],
    ["3", { plus: true }, "+3"],
    ["0", { plus: true }, "0"],
    ["9007199254740993.000000000000000001", {}, "9,007,199,254,740,993.000000000000000001"],
    ["n/a", { digits: 2 }, "n/a"],
  ])("shows %s with %o as %s", (text, options, shown) => {
    expect(format(text, options)).toBe(shown);
  });
});

describe("arithmetic", () => {
  it("adds what a float cannot", () => {
    expect(sum(["0.1", "0.2"])).toBe("0.3");
    expect(sum(["9007199254740993", "-0.000000000000000001"])).toBe("9007199254740992.999999999999999999");
    expect(sum(["1", "not a number"])).toBe("1");
  });
  it("subtracts, also below zero", () => {
    expect(subtract("1", "1.5")).toBe("-0.5");
    expect(subtract("1", "-1.5")).toBe("2.5");
  });
  it("compares by value and not by text", () => {
    expect(compare("10", "9.99")).toBe(1);
    expect(compare("-10", "9")).toBe(-1);
    expect(compare("1.50", "1.5")).toBe(0);
    expect(["10", "?", "-3", "2"].sort(compare)).toEqual(["?", "-3", "2", "10"]);
  });
  it("knows signs", () => {
    expect(["-0.0", "0", "0.01", "-2", "?"].map(sign)).toEqual([0, 0, 1, -1, 0]);
  });
  it("gives percentages for display", () => {
    expect(percent("1", "3", 2)).toBe("33.33");
    expect(percent("-2.5", "100", 1)).toBe("-2.5");
    expect(percent("1", "0", 2)).toBeUndefined();
  });
});
