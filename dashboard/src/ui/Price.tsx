// Prices and quantities of an instrument with all the digits it has, so that columns align. No digit is lost: what has more is
// shown whole.

import { useInstrument } from "../api/queries";
import { decimals } from "../lib/decimal";
import { Num } from "./Num";

interface OfInstrument {
  instrument: string;
  value: string | null | undefined;
  className?: string;
}

export function Price({ instrument, value, className = "" }: OfInstrument) {
  return <Aligned value={value} least={useInstrument(instrument)?.price_decimals} className={className} />;
}

export function Quantity({ instrument, value, className = "" }: OfInstrument) {
  return <Aligned value={value} least={useInstrument(instrument)?.quantity_decimals} className={className} />;
}

interface AlignedProps {
  value: string | null | undefined;
  least: number | undefined;
  className: string;
}

function Aligned({ value, least = 0, className }: AlignedProps) {
  return <Num value={value} digits={Math.max(least, decimals(value ?? ""))} className={className} />;
}
