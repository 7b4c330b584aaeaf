// What the invented desk answers to each request: the shapes of docs/api.md, filled from desk.mjs.
import { Desk, MINUTE, money, UNIT, units } from "./desk.mjs";
import { MINUTES } from "./market.mjs";

const settings = each => ({
  name: each.name,
  base: each.asset,
  quote: "USDT",
  tick: (10 ** -each.digits).toFixed(each.digits),
  step: (10 ** -each.step).toFixed(each.step),
  price_decimals: each.digits,
  quantity_decimals: each.step,
});

export class AnsweringDesk extends Desk {
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
      case "risk":
        return { ...this.asOf(), unprotected: [], blocked_exits: [] };
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
