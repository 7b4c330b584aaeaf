/** `BTC/USDT` of `binance:BTC/USDT`. */
export function product(instrument: string): string {
  return instrument.slice(instrument.indexOf(":") + 1);
}
