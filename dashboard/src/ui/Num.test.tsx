import { renderToStaticMarkup } from "react-dom/server";
import { expect, it } from "vitest";
import { Count, Num } from "./Num";

it("shows a rounded number and keeps the exact one, with the sequence number it belongs to", () => {
  const html = renderToStaticMarkup(<Num id="equity" seq={48213} value="450012.3821" digits={2} />);
  expect(html).toContain('value="450012.3821"');
  expect(html).toContain('data-testid="equity"');
  expect(html).toContain('data-seq="48213"');
  expect(html).toContain(">450,012.38<");
});

it("tells a gain from a loss by sign and colour", () => {
  expect(renderToStaticMarkup(<Num value="3.1" signed />)).toMatch(/text-gain.*\+3\.1</);
  expect(renderToStaticMarkup(<Num value="-3.1" signed />)).toMatch(/text-loss.*−3\.1</);
});

it("shows a dash for what is not known, never 0", () => {
  expect(renderToStaticMarkup(<Num value={null} />)).toContain("–");
  expect(renderToStaticMarkup(<Count value={undefined} />)).toContain("–");
});
