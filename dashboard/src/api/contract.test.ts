// Holds the types of types.ts and events.ts, written by hand, to docs/openapi.json, which the API's own tests hold to its
// routes. A field that the API does not have, a null that it may send, a word that it knows and we do not: each is named.

import { describe, expect, it } from "vitest";
import eventsText from "./events.ts?raw";
import typesText from "./types.ts?raw";

interface Schema {
  type?: string | string[];
  enum?: string[];
  properties?: Record<string, Schema>;
  required?: string[];
  oneOf?: Schema[];
  allOf?: Schema[];
  $ref?: string;
}

const documents = import.meta.glob<string>("../../../docs/openapi.json", {
  query: "?raw",
  import: "default",
  eager: true,
});
const text = Object.values(documents)[0];
const schemas: Record<string, Schema> = text ? JSON.parse(text).components.schemas : {};

/** Where the API has another name for it. */
const NAMES: Record<string, string> = { Account: "AccountEquity", Config: "ConfigAnswer" };
/** Envelopes, which the API spells out once for each of their contents. */
const ENVELOPES = new Set(["List", "AsOf", "ViewList"]);

interface Ours {
  name: string;
  fields: { name: string; type: string }[];
}

/** The interfaces of a file as the formatter leaves them: one field a line, two spaces in. */
function interfaces(source: string): Ours[] {
  return [...source.matchAll(/^export interface (\w+)[^{\n]*\{\n([\s\S]*?)^\}/gm)].map(
    ([, name = "", body = ""]) => ({
      name,
      fields: [...body.matchAll(/^ {2}(\w+): (.+);$/gm)].map(([, field = "", type = ""]) => ({
        name: field,
        type,
      })),
    }),
  );
}

/** The unions of words of a file: its name and its words. */
function unions(source: string): [string, string[]][] {
  return [...source.matchAll(/^export type (\w+) =((?:\s*\|?\s*"\w+")+);/gm)].map(
    ([, name = "", words = ""]) => [name, [...words.matchAll(/"(\w+)"/g)].map(([, word = ""]) => word)],
  );
}

function mayBeNull(schema: Schema): boolean {
  const types = [schema.type ?? []].flat();
  return types.includes("null") || (schema.oneOf ?? []).some(mayBeNull);
}

describe.skipIf(!text)("the types agree with docs/openapi.json", () => {
  it.each(interfaces(typesText).filter(({ name }) => !ENVELOPES.has(name)))("$name", ({ name, fields }) => {
    const schema = schemas[NAMES[name] ?? name];
    expect(schema, "the API has no such schema").toBeDefined();
    const problems = fields.flatMap(field => {
      const theirs = schema?.properties?.[field.name];
      if (!theirs) return [`${field.name}: the API has no such field`];
      if (mayBeNull(theirs) && !field.type.includes("null")) return [`${field.name}: may be null`];
      return [];
    });
    expect(problems).toEqual([]);
  });

  it.each(unions(typesText))("%s", (name, words) => {
    expect([...words].sort()).toEqual([...(schemas[name]?.enum ?? [])].sort());
  });

  it("events", () => {
    const body = /export interface EventBodies \{\n([\s\S]*?)^\}/m.exec(eventsText)?.[1] ?? "";
    const ours = [...body.matchAll(/^ {2}(\w+): /gm)].map(([, type = ""]) => type);
    const theirs = (schemas.EventBody?.oneOf ?? []).flatMap(variant => variant.properties?.type?.enum ?? []);
    expect(ours.sort()).toEqual(theirs.sort());
  });
});

it("reads the types it is to compare", () => {
  expect(interfaces(typesText).find(({ name }) => name === "Fill")?.fields).toContainEqual({
    name: "event",
    type: "EventId | null",
  });
  expect(unions(typesText)).toContainEqual(["Side", ["buy", "sell"]]);
});
