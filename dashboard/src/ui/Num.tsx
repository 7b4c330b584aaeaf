// A number of the desk's: shown for people, exact in its `value`, with the sequence number it belongs to.

import { format, sign } from "../lib/decimal";

interface NumProps {
  /** Name for tests; without it the number is not compared. */
  id?: string;
  /** The desk's sequence number that the value was true at. */
  seq?: number | undefined;
  value: string | null | undefined;
  digits?: number;
  /** Gains green, losses red, with a plus sign. */
  signed?: boolean;
  className?: string;
}

export function Num({ id, seq, value, digits, signed = false, className = "" }: NumProps) {
  if (value === null || value === undefined) return <span className={`text-faint ${className}`}>–</span>;
  const tone = signed ? ["text-loss", "text-faint", "text-gain"][sign(value) + 1] : "";
  return (
    <data value={value} title={value} data-testid={id} data-seq={seq} className={`${tone} ${className}`}>
      {format(value, { plus: signed, ...(digits === undefined ? {} : { digits }) })}
    </data>
  );
}

interface CountProps {
  id?: string;
  seq?: number | undefined;
  value: number | undefined;
  className?: string;
}

/** A count; zero is faint. */
export function Count({ id, seq, value, className = "" }: CountProps) {
  return value === undefined ? (
    <span className={`text-faint ${className}`}>–</span>
  ) : (
    <data value={value} data-testid={id} data-seq={seq} className={value === 0 ? "text-faint" : className}>
      {value.toLocaleString("en-US")}
    </data>
  );
}
