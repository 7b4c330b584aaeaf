import { describe, expect, it } from "vitest";
import { StreamParser } from "./parser";

const TEXT = [
  ": connected",
  "retry: 500",
  "",
  "event: order_filled",
  "id: 12.3",
  'data: {"a":1}',
  "",
  "data: two",
  "data:lines",
  "",
  "",
].join("\n");

const EXPECTED = [
  { event: "order_filled", data: '{"a":1}', id: "12.3" },
  { event: "message", data: "two\nlines", id: "12.3" },
];

describe("StreamParser", () => {
  it("reads events and ids, and passes over comments and retry", () => {
    const parser = new StreamParser();
    expect(parser.push(TEXT)).toEqual(EXPECTED);
  });

  it("gives the same messages wherever the network cuts, with each line ending", () => {
    for (const ending of ["\n", "\r\n", "\r"]) {
      const text = TEXT.replaceAll("\n", ending);
      for (let cut = 0; cut <= text.length; cut += 1) {
        const parser = new StreamParser();
        const messages = [...parser.push(text.slice(0, cut)), ...parser.push(text.slice(cut))];
        expect(messages, `${JSON.stringify(ending)} cut at ${cut}`).toEqual(EXPECTED);
      }
    }
  });

  it("gives the same messages one character at a time", () => {
    const parser = new StreamParser();
    expect([...TEXT].flatMap(character => parser.push(character))).toEqual(EXPECTED);
  });

  it("keeps the id it resumed from until the stream names another", () => {
    const parser = new StreamParser("7.0");
    expect(parser.push("data: x\n\n")[0]?.id).toBe("7.0");
  });

  it("drops what was cut off before its empty line", () => {
    const parser = new StreamParser();
    expect(parser.push("data: half")).toEqual([]);
  });
});
