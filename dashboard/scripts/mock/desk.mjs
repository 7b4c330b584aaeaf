// The invented desk: 45 bots that warm up, wait, want, are denied and fill, and the answers about them. Its sums are right where
// the dashboard shows sums; it decides nothing and checks nothing.
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
const MINUTE = 60_000;

// Money in the mock is counted in whole 1e-8, so that its sums are exact too.
const UNIT = 100_000_000n;
const money = units => {
  const text = (units < 0n ? -units : units).toString().padStart(9, "0");
  const shown = `${text.slice(0, -8)}.${text.slice(-8)}`.replace(/\.?0+$/, "");
  return units < 0n ? `-${shown}` : shown;
};
const units = value => BigInt(Math.round(value * 1e8));

const settings = each => ({
  name: each.name,
  base: each.asset,
  quote: "USDT",
  tick: (10 ** -each.digits).toFixed(each.digits),
  step: (10 ** -each.step).toFixed(each.step),
  price_decimals: each.digits,
  quantity_decimals: each.step,
});

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
      else this.close.denied.push({ rule, count: 1 });
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

  shown(bot) {
    const length = (MINUTES[bot.kind.wakes[0]] ?? 15) * MINUTE;
    const next =
      bot.kind.wakes[0] === "quotes"
        ? null
        : {
            at: this.stamp(Math.ceil(Date.now() / length) * length),
            interval: MINUTES[bot.kind.wakes[0]] ? bot.kind.wakes[0] : null,
          };
    const own = this.positions
      .filter(position => position.owner === bot.name)
      .reduce((total, position) => total + this.gain(position), 0n);
    return {
      name: bot.name,
      strategy: bot.kind.name,
      account: "paper",
      instruments: [bot.instrument.name],
      wakes: bot.kind.wakes,
      state: bot.state,
      state_reason: bot.state_reason,
      since: bot.since,
      reason: bot.reason,
      reason_instrument: bot.instrument.name,
      last_wake: bot.last_wake,
      next_wake: bot.state === "running" ? next : null,
      counts: bot.counts,
      last_denial: bot.last_denial,
      lateness_us_max: bot.lateness_us_max,
      budget: "10000",
      quote_asset: "USDT",
      equity: money(10_000n * UNIT + bot.realized + own),
      realized: money(bot.realized),
      unrealized: money(own),
    };
  }

  shownPositions = filter =>
    this.positions
      .filter(position => !filter.bot || position.owner === filter.bot)
      .map(({ value: _, ...position }) => ({
        ...position,
        unrealized: money(this.gain({ ...position, value: units(Number(position.cost)) })),
      }));

  balances() {
    const assets = new Map([
      [
        "USDT",
        450_000n * UNIT +
          this.realized -
          this.fees -
          this.positions.reduce((sum, position) => sum + position.value, 0n),
      ],
    ]);
    for (const position of this.positions) {
      const asset = position.instrument.slice(8, -5);
      assets.set(asset, (assets.get(asset) ?? 0n) + units(Number(position.quantity)));
    }
    return [...assets].map(([asset, amount]) => ({
      account: "paper",
      asset,
      exchange: {
        total: money(amount),
        free: money(amount),
        locked: "0",
        read_at: this.stamp(Date.now() - 900),
      },
      desk: money(amount),
      difference: "0",
      owners: [],
      seq: this.seq,
    }));
  }

  chain(id) {
    const chain = [];
    for (let next = id; next; ) {
      const event = this.log.find(each => each.id === next);
      if (!event) return { chain, complete: false };
      chain.push(event);
      next = event.cause;
    }
    return { chain, complete: true };
  }

  status() {
    const states = { total: 45, stopped: 0, starting: 0, warming: 0, running: 0, paused: 0, faulted: 0 };
    for (const bot of this.bots) states[bot.state] += 1;
    const totals = this.totals();
    return {
      ...this.asOf(),
      version: "0.1.0",
      started_at: this.stamp(this.startedAt),
      uptime_seconds: Math.floor((Date.now() - this.startedAt) / 1000),
      mode: {
        name: "SIMULATED",
        seed: 42,
        speed: "1",
        note: "Simulated market, seed 42. The strategies have no edge.",
      },
      ready: true,
      state: this.state,
      causes: this.causes,
      equity: totals,
      accounts: [{ account: "paper", mode: "paper", reconciled: true, totals }],
      bots: states,
      last_close: this.close,
      counters: this.counters,
      components: [
        { name: "venue binance", healthy: true, message: "connected, 25 of 25 streams" },
        { name: "storage", healthy: true, message: "12 ms behind" },
      ],
    };
  }

  page(list, given, key) {
    const from = given.before ? list.findIndex(item => key(item) === given.before) + 1 : 0;
    const items = list.slice(from, from + Number(given.limit ?? 100));
    return { items, next: from + items.length < list.length ? key(items.at(-1)) : null };
  }

  matching = (list, given) =>
    list.filter(
      item =>
        (!given.bot || item.bot === given.bot) && (!given.instrument || item.instrument === given.instrument),
    );

  /** The answer to a request, or nothing if there is no such route. */
  answer(method, [resource, name, verb], given) {
    if (method === "GET") return this.read(resource, name, given);
    const done = () => ({
      command: "9f86d081884c7d659a2feaa0c55ad015",
      issued_at: this.stamp(),
      accepted: true,
      client_id: null,
    });
    if (resource === "bots") {
      const bot = this.bots.find(each => each.name === name);
      this.change(bot, { start: "running", stop: "stopped", pause: "paused" }[verb], "asked by the operator");
      return done();
    }
    if (resource === "orders") {
      const order = this.orders.find(each => each.client_id === name);
      if (order) this.end(order, "cancelled", "cancelled by the operator");
      return done();
    }
    if (resource === "kill" || resource === "reset") {
      this.state = resource === "kill" ? "KILLED" : "ACTIVE";
      this.causes =
        resource === "kill"
          ? [
              {
                scope: { kind: "desk", name: null },
                state: "KILLED",
                reason: given.reason,
                since: this.stamp(),
                clearing: "person",
              },
            ]
          : [];
      this.emit(resource === "kill" ? "kill_switch" : "kill_switch_reset", {
        reason: given.reason,
        principal: "token:operator",
      });
      return done();
    }
    return undefined;
  }

  read(resource, name, given) {
    const whole = items => ({ ...this.asOf(), items, next: null });
    switch (resource) {
      case "status":
        return this.status();
      case "bots":
        return name ? this.detail(name) : whole(this.bots.map(bot => this.shown(bot)));
      case "positions":
        return whole(this.shownPositions(given));
      case "orders":
        return given.status === "closed"
          ? this.page(this.matching(this.closed, given), given, order => order.client_id)
          : whole(this.matching(this.orders, given));
      case "fills":
        return this.page(this.matching(this.fills, given), given, fill => fill.event);
      case "balances":
        return { ...whole(this.balances()), equal: true };
      case "equity":
        return this.page(this.equity, given, point => point.at);
      case "feeds":
        return whole(
          this.market.instruments.map(each => ({
            instrument: each.name,
            health: "LIVE",
            quote: this.market.quote(each, this.stamp()),
            quotes: each.quotes,
            trades: each.trades,
            candles: each.candles,
          })),
        );
      case "queues":
        return {
          at: this.stamp(),
          items: this.queues(),
          next: null,
          stages: [
            { name: "receive", count: this.seq, p50_us: 4, p99_us: 31, max_us: 410 },
            { name: "engine", count: this.seq, p50_us: 2, p99_us: 11, max_us: 240 },
            { name: "ack", count: this.counters.orders, p50_us: 640, p99_us: 2100, max_us: 5200 },
          ],
        };
      case "config":
        return { instruments: this.market.instruments.map(settings) };
      case "candles":
        return this.candles(given);
      case "why":
        return this.chain(given.event);
      case "reset":
        return { nonce: "0f0f", expires_in_seconds: 60 };
      default:
        return undefined;
    }
  }

  queues() {
    return [
      ["lane.control", "lossless", 4096],
      ["lane.trades", "drop", 65536],
      ["lane.quotes", "latest", 25],
      ["bus.storage", "lossless", 1024],
      ["bus.sse-1", "lossless", 1024],
    ].map(([name, policy, capacity]) => ({
      name,
      class: policy,
      depth: 0,
      capacity,
      high_water: 4,
      published: this.seq,
      delivered: this.seq,
      conflated: 0,
      dropped: 0,
    }));
  }

  detail(name) {
    const bot = this.bots.find(each => each.name === name);
    if (!bot) return undefined;
    return {
      ...this.asOf(),
      bot: this.shown(bot),
      positions: this.shownPositions({ bot: name }),
      orders: this.matching(this.orders, { bot: name }),
      settings: {
        strategy_version: 1,
        parameters: { period: "14", low: "30", high: "70" },
        reads: [],
        positions_max: 1,
        sizer: "0.5 of budget",
        exit: "stop at 0.015 below entry, take profit at 0.025",
        policy: "limit at 0 from the touch, after 60s cancel",
        lane: "inline",
        starts: true,
        revision: 1,
      },
    };
  }

  candles(given) {
    const each = this.market.instruments.find(known => known.name === given.instrument);
    const fills = this.matching(this.fills, given).map(fill => ({
      at: fill.event_time,
      bot: fill.bot,
      side: fill.side,
      price: fill.price,
      quantity: fill.quantity,
      event: fill.event,
    }));
    return {
      ...this.asOf(),
      instrument: each.name,
      interval: given.interval ?? "1m",
      items: this.market.candles(each, given.interval ?? "1m", Date.now(), Number(given.limit ?? 200)),
      next: null,
      fills,
      positions: this.shownPositions(given).filter(position => position.instrument === each.name),
    };
  }
}
