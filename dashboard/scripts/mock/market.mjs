// Invented prices: a seeded walk per instrument, with its own tick, and candles that are consistent with it.

const LISTED = [
  ["BTC", "61837.62", 2, 5],
  ["ETH", "2942.18", 2, 4],
  ["BNB", "571.4", 1, 3],
  ["SOL", "143.27", 2, 3],
  ["XRP", "0.5921", 4, 0],
  ["ADA", "0.4417", 4, 1],
  ["DOGE", "0.12183", 5, 0],
  ["AVAX", "27.31", 2, 2],
  ["DOT", "6.112", 3, 2],
  ["LINK", "13.874", 3, 2],
  ["LTC", "71.42", 2, 3],
  ["BCH", "352.1", 1, 3],
  ["ATOM", "6.031", 3, 2],
  ["UNI", "7.214", 3, 2],
  ["ETC", "21.87", 2, 2],
  ["XLM", "0.1021", 4, 0],
  ["NEAR", "4.871", 3, 1],
  ["FIL", "4.213", 3, 2],
  ["APT", "6.92", 2, 2],
  ["ARB", "0.7812", 4, 1],
  ["OP", "1.684", 3, 2],
  ["INJ", "21.43", 2, 2],
  ["SUI", "0.9217", 4, 1],
  ["TRX", "0.13342", 5, 1],
  ["AAVE", "94.11", 2, 3],
];

/** Repeats for the same seed (mulberry32). */
export function chance(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const trim = text => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);

export const MINUTES = { "1m": 1, "5m": 5, "15m": 15, "1h": 60, "4h": 240 };

export class Market {
  constructor(seed) {
    this.random = chance(seed);
    this.instruments = LISTED.map(([asset, price, digits, step], index) => ({
      name: `binance:${asset}/USDT`,
      asset,
      digits,
      step,
      mid: Number(price),
      index,
      quotes: 0,
      trades: 0,
      candles: 500,
      history: new Map(),
    }));
  }

  move() {
    const shared = (this.random() - 0.5) * 0.0002;
    for (const each of this.instruments) {
      each.mid *= 1 + shared + (this.random() - 0.5) * 0.0004;
      each.quotes += 1 + Math.floor(this.random() * 3);
      if (this.random() < 0.3) each.trades += 1;
    }
  }

  price = (each, value) => trim(value.toFixed(each.digits));
  amount = (each, value) => trim(value.toFixed(each.step));

  quote(each, at) {
    const tick = 10 ** -each.digits;
    return {
      instrument: each.name,
      bid: this.price(each, each.mid - tick / 2),
      ask: this.price(each, each.mid + tick / 2 + tick),
      bid_quantity: this.amount(each, 3 + this.random() * 9),
      ask_quantity: this.amount(each, 3 + this.random() * 9),
      event_time: null,
      received_at: at,
    };
  }

  /** Candles that end at `now` with the price of now: walked backwards once per interval, and kept. */
  candles(each, interval, now, count) {
    const length = MINUTES[interval] * 60_000;
    const end = Math.floor(now / length) * length;
    let kept = each.history.get(interval);
    if (!kept) {
      const random = chance(each.index * 97 + length);
      kept = { end, closes: [each.mid] };
      const spread = 0.0009 * Math.sqrt(MINUTES[interval]);
      for (let i = 0; i < 1000; i += 1)
        kept.closes.push(kept.closes[i] * (1 + (random() - 0.5) * 2 * spread));
      each.history.set(interval, kept);
    }
    for (; kept.end < end; kept.end += length) kept.closes.unshift(each.mid);
    const random = chance(each.index * 31 + length);
    const items = [];
    for (let i = 0; i < Math.min(count, 999); i += 1) {
      const [close, open] = [kept.closes[i], kept.closes[i + 1]];
      const wick = Math.abs(close - open) * 0.4 + close * 0.0002;
      items.push({
        open_time: new Date(kept.end - (i + 1) * length).toISOString(),
        close_time: new Date(kept.end - i * length).toISOString(),
        open: this.price(each, open),
        close: this.price(each, close),
        high: this.price(each, Math.max(open, close) + wick * random()),
        low: this.price(each, Math.min(open, close) - wick * random()),
        volume: this.amount(each, 20 + random() * 200),
        complete: true,
      });
    }
    return items.reverse();
  }
}
