/** `BTC/USDT` of `binance:BTC/USDT`. */
export function product(instrument: string): string {
  return instrument.slice(instrument.indexOf(":") + 1);
}

/** The name among others: `BTC/USDT`, or `house:BTC/USDT` where another has the same product. */
export function nameAmong(instrument: string, others: readonly string[]): string {
  const own = product(instrument);
  const isAlone = others.every(other => other === instrument || product(other) !== own);
  return isAlone ? own : instrument;
}
