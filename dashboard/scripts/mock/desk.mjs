// The mock desk: 45 bots that warm up, hold, give signals, are denied and filled. answers.mjs makes the API's answers of
// them. Its sums are right where the dashboard shows sums; it decides nothing and checks nothing.
import { Market, MINUTES } from "./market.mjs";

const STRATEGIES = [
  { name: "rsi_reversion", wakes: ["5m"], says: r => `RSI ${(25 + r * 50).toFixed(0)}, needs < 30` },
  { name: "ma_cross", wakes: ["quotes"], says: r => `EMA 20 is ${(r * 0.4).toFixed(2)} % under EMA 50` },
  {
    name: "macd",
    wakes: ["15m"],
    says: r => `MACD ${(r * 3 - 1.5).toFixed(2)}, signal ${(r * 3 - 1.4).toFixed(2)}: no cross`,
  },
  {
    name: "bollinger_reversion",
    wakes: ["5m"],
    says: r => `close ${(r * 1.9).toFixed(1)} deviations above the mean, needs -2`,
  },
  { name: "donchian_breakout", wakes: ["1h"], says: r => `${(r * 1.4).toFixed(2)} % below the high of 20` },
  {
    name: "rsi_trend",
    wakes: ["5m", "1h"],
    says: r => `RSI 5m ${(30 + r * 40).toFixed(0)}, trend 1h down: no entry`,
  },
  {
    name: "interval_rebalance",
    wakes: ["every 900s"],
    says: r => `share ${(r * 20 + 40).toFixed(1)} %, band 40 to 60`,
  },
];
const SHORT = ["rsi", "cross", "macd", "boll", "donch", "trend", "rebal"];
const DENIALS = [
  ["R13", "position could reach 5210.4, at most 5000 allowed"],
  ["R12", "needs 412.8 USDT, 371.02 is free"],
  ["R08", "order value 2140.2 is above 2000"],
];
const LOSSY = new Set(["price_update", "candle_closed", "signal_generated", "equity_snapshot"]);
export const MINUTE = 60_000;

// Money in the mock is counted in whole 1e-8, so that its sums are exact too.
export const UNIT = 100_000_000n;
export const money = units => {
  const text = (units < 0n ? -units : units).toString().padStart(9, "0");
  const shown = `${text.slice(0, -8)}.${text.slice(-8)}`.replace(/\.?0+$/, "");
  return units < 0n ? `-${shown}` : shown;
};
export const units = value => BigInt(Math.round(value * 1e8));

export class Desk {
  constructor() {
    this.market = new Market(42);
    this.startedAt = Date.now();
    this.seq = 1000;
    this.index = 0;
    this.log = [];
    this.listeners = new Set();
    this.state = "ACTIVE";
    this.causes = [];
    this.counters = {
      wakes: 0,
      holds: 0,
      signals: 0,
      denials: 0,
      orders: 0,
      fills: 0,
      partial_fills: 0,
      duplicate_reports: 0,
      late_evaluations: 0,
      bot_errors: 0,
    };
    this.close = null;
    this.realized = 0n;
    this.fees = 0n;
    this.orders = [];
    this.closed = [];
    this.fills = [];
    this.positions = [];
    this.equity = [];
    this.bots = Array.from({ length: 45 }, (_, i) => this.bot(i));
    this.nextEquity = 0;
    this.nextClose = Math.ceil(Date.now() / MINUTE) * MINUTE;
  }

  bot(i) {
    const strategy = STRATEGIES[i % 7];
    const instrument = this.market.instruments[(i * 7) % 25];
    return {
      kind: strategy,
      ready: Date.now() + 1500 + i * 300,
      instrument,
      realized: 0n,
      name: `${SHORT[i % 7]}-${instrument.asset.toLowerCase()}${i >= 25 ? "-2" : ""}`,
      state: "starting",
      state_reason: "waits for its turn",
      since: this.stamp(),
      reason: "",
      last_wake: null,
      last_denial: null,
      lateness_us_max: Math.floor(200 + this.market.random() * 2400),
      counts: { wakes: 0, signals: 0, orders: 0, fills: 0, denials: 0, errors: 0 },
    };
  }

  stamp = (at = Date.now()) => new Date(at).toISOString();

  asOf = () => ({ seq: this.seq, at: this.stamp() });

  emit(type, data, cause = null) {
    const event = { v: 1, id: `${this.seq}.${this.index}`, at: this.stamp(), cause, type, data };
    this.index += 1;
    if (type !== "price_update") this.log.push(event);
    if (this.log.length > 20_000) this.log.shift();
    for (const listener of this.listeners) listener(event);
    return event;
  }

  subscribe(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  since(id) {
    const at = id ? this.log.findIndex(event => event.id === id) : -1;
    return at < 0 ? [] : this.log.slice(at + 1).filter(event => !LOSSY.has(event.type));
  }

  prices() {
    return this.market.instruments.map(each => ({
      v: 1,
      id: `${this.seq}.0`,
      at: this.stamp(),
      cause: null,
      type: "price_update",
      data: this.market.quote(each, this.stamp()),
    }));
  }

  tick() {
    this.seq += 30;
    this.index = 0;
    this.market.move();
    for (const event of this.prices()) for (const listener of this.listeners) listener(event);
    for (const bot of this.bots) this.advance(bot);
    if (this.market.random() < 0.06) this.trade(this.pick(this.bots));
    if (this.orders.length > 6) this.end(this.orders[0], "cancelled", "not filled within 60s");
    if (Date.now() >= this.nextClose) this.closeCandles();
    if (Date.now() >= this.nextEquity) this.snapshot();
  }

  pick = list => list[Math.floor(this.market.random() * list.length)];

  advance(bot) {
    const now = Date.now();
    if (bot.state === "starting" && now > bot.ready) this.change(bot, "warming", "reads 300 candles of 5m");
    if (bot.state === "warming" && now > bot.ready + 2500)
      this.change(bot, "running", "warmed up with 300 candles");
    if (bot.state === "running" && (bot.reason === "" || this.market.random() < 0.004)) this.wake(bot);
  }

  change(bot, to, reason) {
    const from = bot.state;
    Object.assign(bot, { state: to, state_reason: reason, since: this.stamp() });
    this.emit("bot_state_changed", { bot: bot.name, from, to, reason });
  }

  wake(bot) {
    bot.reason = bot.kind.says(this.market.random());
    bot.last_wake = this.stamp();
    bot.counts.wakes += 1;
    this.counters.wakes += 1;
    this.counters.holds += 1;
  }

  closeCandles() {
    const at = this.nextClose;
    this.nextClose += MINUTE;
    const running = this.bots.filter(bot => bot.state === "running");
    running.forEach(bot => {
      this.wake(bot);
    });
    this.close = {
      at: this.stamp(at),
      woke: running.length,
      held: Math.max(0, running.length - 4),
      signals: Math.min(4, running.length),
      denied: [],
      filled: 0,
      partly_filled: 0,
    };
    for (const bot of running.slice(0, 4)) this.trade(bot);
  }

  /** Quote or candle, signal, and what comes of it. */
  trade(bot) {
    if (bot.state !== "running" || this.state !== "ACTIVE") return;
    const { instrument: each } = bot;
    const quotes = bot.kind.wakes[0] === "quotes";
    const interval = MINUTES[bot.kind.wakes[0]] ? bot.kind.wakes[0] : "1m";
    const origin = quotes
      ? this.emit("price_update", this.market.quote(each, this.stamp()))
      : this.emit("candle_closed", {
          instrument: each.name,
          interval,
          candle: this.market.candles(each, interval, Date.now(), 1)[0],
        });
    if (quotes) this.log.push(origin);
    const held = this.positions.find(position => position.owner === bot.name);
    const side = held ? "sell" : "buy";
    bot.reason = held ? "RSI 71, takes the gain" : "RSI 28.4 < 30: enters";
    bot.counts.signals += 1;
    this.counters.signals += 1;
    const signal = this.emit(
      "signal_generated",
      { bot: bot.name, instrument: each.name, exposure: held ? "0" : "0.5", reason: bot.reason },
      origin.id,
    );
    if (!held && this.market.random() < 0.18) return this.deny(bot, each, side, signal);
    const quantity = held
      ? held.quantity
      : this.market.amount(each, Math.max(900 / each.mid, 10 ** -each.step));
    if (Number(quantity) === 0) return;
    this.place(bot, each, side, quantity, signal);
  }

  deny(bot, each, side, signal) {
    const [rule, reason] = this.pick(DENIALS);
    bot.counts.denials += 1;
    this.counters.denials += 1;
    bot.last_denial = `${rule}: ${reason}`;
    if (this.close) {
      const known = this.close.denied.find(entry => entry.rule === rule);
      if (known) known.count += 1;
      else this.close.denied.push({ rule, name: "position", count: 1 });
    }
    const quantity = this.market.amount(each, Math.max(4000 / each.mid, 1));
    this.emit(
      "risk_decision_rejected",
      { bot: bot.name, account: "paper", instrument: each.name, side, quantity, rule, reason },
      signal.id,
    );
  }

  place(bot, each, side, quantity, signal) {
    const id = this.counters.orders + 1;
    const limit = this.market.random() < 0.5;
    const order = {
      client_id: `5457deadbeef00000001${id.toString(16).padStart(12, "0")}`,
      venue_order_id: String(1000 + id),
      account: "paper",
      instrument: each.name,
      bot: bot.name,
      purpose: side === "buy" ? "entry" : "exit",
      side,
      type: limit ? "limit" : "market",
      price: limit ? this.market.price(each, each.mid) : null,
      time_in_force: limit ? "good_till_cancel" : null,
      quantity,
      filled: "0",
      status: "accepted",
      open: true,
      placed_at: this.stamp(),
      updated_at: null,
      placed_by: null,
      reason: null,
    };
    bot.counts.orders += 1;
    this.counters.orders += 1;
    const placed = this.emit(
      "order_placed",
      { order: { ...order, status: "pending" }, purpose: order.purpose },
      signal.id,
    );
    order.placed_by = placed.id;
    this.emit("order_accepted", { order }, placed.id);
    if (side === "buy" && limit && this.market.random() < 0.35) {
      this.orders.push(order);
      if (this.market.random() < 0.5)
        this.fill(bot, each, order, this.market.amount(each, Number(quantity) / 3), placed);
      return;
    }
    this.fill(bot, each, order, quantity, placed);
  }

  fill(bot, each, order, quantity, placed) {
    const whole = quantity === order.quantity;
    if (Number(quantity) === 0) return;
    const price = this.market.price(each, each.mid);
    const value = units(Number(price) * Number(quantity));
    const fee = value / 1000n;
    Object.assign(order, { filled: quantity, status: whole ? "filled" : "partially_filled", open: !whole });
    bot.counts.fills += 1;
    this.counters.fills += 1;
    if (!whole) this.counters.partial_fills += 1;
    if (this.close) this.close[whole ? "filled" : "partly_filled"] += 1;
    this.fees += fee;
    const fill = {
      trade_id: String(500 + this.counters.fills),
      venue_order_id: order.venue_order_id,
      client_id: order.client_id,
      account: "paper",
      instrument: each.name,
      bot: bot.name,
      side: order.side,
      price,
      quantity,
      value: money(value),
      fee: money(fee),
      fee_asset: "USDT",
      liquidity: order.type === "limit" ? "maker" : "taker",
      event_time: this.stamp(),
      event: `${this.seq}.${this.index}`,
    };
    this.fills.unshift(fill);
    const filled = this.emit("order_filled", { fill, status: order.status, cumulative: quantity }, placed.id);
    if (whole) this.closed.unshift({ ...order, updated_at: this.stamp() });
    if (order.side === "buy") this.opened(bot, each, fill, value, filled);
    else this.closedPosition(bot, each, value, filled);
  }

  opened(bot, each, fill, value, cause) {
    const level = share => this.market.price(each, Number(fill.price) * share);
    this.positions.push({
      account: "paper",
      owner: bot.name,
      instrument: each.name,
      quantity: fill.quantity,
      cost: money(value),
      quote_asset: "USDT",
      entry_price: fill.price,
      opened_at: this.stamp(),
      unrealized: "0",
      realized: "0",
      protected: true,
      venue_stop_quantity: fill.quantity,
      value,
      exit: {
        stop: level(0.985),
        take_profit: level(1.025),
        trailing: this.market.random() < 0.4 ? level(0.991) : null,
        at: null,
      },
    });
    this.emit(
      "position_opened",
      { account: "paper", bot: bot.name, instrument: each.name, quantity: fill.quantity, price: fill.price },
      cause.id,
    );
  }

  closedPosition(bot, each, value, cause) {
    const at = this.positions.findIndex(position => position.owner === bot.name);
    if (at < 0) return;
    const [position] = this.positions.splice(at, 1);
    const gain = value - position.value;
    this.realized += gain;
    bot.realized += gain;
    this.emit(
      "position_closed",
      { account: "paper", bot: bot.name, instrument: each.name, realized: money(gain) },
      cause.id,
    );
  }

  end(order, status, reason) {
    this.orders = this.orders.filter(each => each !== order);
    Object.assign(order, { status, reason, open: false, updated_at: this.stamp() });
    this.closed.unshift({ ...order });
    this.emit("order_cancelled", { order }, order.placed_by);
  }

  gain(position) {
    const each = this.market.instruments.find(known => known.name === position.instrument);
    return units(each.mid * Number(position.quantity)) - position.value;
  }

  totals() {
    const unrealized = this.positions.reduce((total, position) => total + this.gain(position), 0n);
    const change = this.realized + unrealized - this.fees;
    const start = 450_000n * UNIT;
    return {
      asset: "USDT",
      equity: money(start + change),
      started_with: "450000",
      change: money(change),
      realized: money(this.realized - this.fees),
      unrealized: money(unrealized),
      unpriced: 0,
    };
  }

  snapshot() {
    this.nextEquity = Date.now() + 10_000;
    const { equity, realized, unrealized } = this.totals();
    const point = { account: "paper", equity, realized, unrealized, unpriced: 0 };
    this.equity.unshift({ at: this.stamp(), ...point });
    this.emit("equity_snapshot", point);
  }
}
