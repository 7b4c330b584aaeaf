// Exact decimals as the API spells them: text in, text out. Nothing here is a float, so what is shown is what the desk
// said. Charts, which need coordinates and no truth, use `toCoordinate`.

/** A decimal as a whole number of 10^-scale. */
interface Scaled {
  mantissa: bigint;
  scale: number;
}

const SHAPE = /^(-?)(\d+)(?:\.(\d+))?$/;

/** Reads a decimal; `undefined` for anything else ("NaN", "1e3", ""). */
function parse(text: string): Scaled | undefined {
  const match = SHAPE.exec(text);
  if (!match) return undefined;
  const [, sign = "", whole = "0", fraction = ""] = match;
  const mantissa = BigInt(whole + fraction);
  return { mantissa: sign ? -mantissa : mantissa, scale: fraction.length };
}

function rescale({ mantissa, scale }: Scaled, to: number): bigint {
  return mantissa * 10n ** BigInt(to - scale);
}

/** Rounds to `digits` places, half to even, as the ledger does. */
function round({ mantissa, scale }: Scaled, digits: number): Scaled {
  if (scale <= digits) return { mantissa: rescale({ mantissa, scale }, digits), scale: digits };
  const unit = 10n ** BigInt(scale - digits);
  const magnitude = mantissa < 0n ? -mantissa : mantissa;
  let quotient = magnitude / unit;
  const twice = (magnitude % unit) * 2n;
  if (twice > unit || (twice === unit && quotient % 2n === 1n)) quotient += 1n;
  return { mantissa: mantissa < 0n ? -quotient : quotient, scale: digits };
}

function print({ mantissa, scale }: Scaled): string {
  const magnitude = (mantissa < 0n ? -mantissa : mantissa).toString().padStart(scale + 1, "0");
  const whole = magnitude.slice(0, magnitude.length - scale);
  const fraction = magnitude.slice(magnitude.length - scale);
  return `${mantissa < 0n ? "-" : ""}${whole}${fraction ? `.${fraction}` : ""}`;
}

/** -1, 0 or 1. What is not a decimal sorts before everything. */
export function compare(a: string, b: string): number {
  const [left, right] = [parse(a), parse(b)];
  if (!left || !right) return Number(Boolean(left)) - Number(Boolean(right));
  const scale = Math.max(left.scale, right.scale);
  const difference = rescale(left, scale) - rescale(right, scale);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** The sign of a decimal: -1, 0 or 1; 0 for what is none. */
export function sign(text: string): number {
  const parsed = parse(text);
  return !parsed || parsed.mantissa === 0n ? 0 : parsed.mantissa < 0n ? -1 : 1;
}

/** The exact sum; what is not a decimal counts as nothing. */
export function sum(texts: Iterable<string>): string {
  let total: Scaled = { mantissa: 0n, scale: 0 };
  for (const text of texts) {
    const term = parse(text);
    if (!term) continue;
    const scale = Math.max(total.scale, term.scale);
    total = { mantissa: rescale(total, scale) + rescale(term, scale), scale };
  }
  return print(total);
}

/** The exact difference `a - b`. */
export function subtract(a: string, b: string): string {
  return sum([a, b.startsWith("-") ? b.slice(1) : `-${b}`]);
}

/** `part` as a percentage of `whole`, with `digits` places. */
export function percent(part: string, whole: string, digits: number): string | undefined {
  const [above, below] = [parse(part), parse(whole)];
  if (!above || !below || below.mantissa === 0n) return undefined;
  const extra = digits + 2 + below.scale;
  const mantissa = (above.mantissa * 100n * 10n ** BigInt(extra)) / below.mantissa;
  return print(round({ mantissa, scale: extra + above.scale - below.scale }, digits));
}

interface Format {
  /** Exactly this many places; without it all there are. */
  digits?: number;
  /** A plus sign before what is above zero. */
  plus?: boolean;
}

/** A decimal for people: thousands apart, a true minus. Text that is no decimal is shown as it is. */
export function format(text: string, { digits, plus = false }: Format = {}): string {
  const parsed = parse(text);
  if (!parsed) return text;
  const shown = digits === undefined ? parsed : round(parsed, digits);
  const [whole = "0", fraction] = print(shown).replace("-", "").split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  const mark = shown.mantissa < 0n ? "−" : plus && shown.mantissa > 0n ? "+" : "";
  return `${mark}${grouped}${fraction ? `.${fraction}` : ""}`;
}

/** Digits after the point. */
export function decimals(text: string): number {
  return /\.(\d+)$/.exec(text)?.[1]?.length ?? 0;
}

/** A coordinate for a chart. Never shown, never added up. */
export function toCoordinate(text: string): number {
  return Number(text);
}
