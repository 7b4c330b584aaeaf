// What the API answers, written after docs/api.md. Decimals are strings and stay strings; instants are RFC 3339 in UTC.
// Events are in events.ts.

export type Decimal = string;
export type Instant = string;
/** `seq.index`: the input and the place among its events. */
export type EventId = string;

/** A list read from history, newest first. */
export interface List<T> {
  items: T[];
  /** What to give as `before` for the next page. */
  next: string | null;
}

/** The input after which the view was taken: equal numbers mean the same state. */
export interface AsOf {
  seq: number;
  at: Instant;
}

export interface ViewList<T> extends AsOf, List<T> {}

export type TradingState = "ACTIVE" | "REDUCING" | "HALTED" | "FLATTENING" | "KILLED";
export type BotState = "stopped" | "starting" | "warming" | "running" | "paused" | "faulted";
export type FeedHealth = "LIVE" | "STALE" | "GAP" | "RESYNC";
export type Side = "buy" | "sell";
export type Purpose = "entry" | "exit" | "protect";
export type OrderStatus =
  | "pending"
  | "accepted"
  | "partially_filled"
  | "unknown"
  | "filled"
  | "cancelled"
  | "expired"
  | "rejected"
  | "not_sent";

export interface Scope {
  kind: "desk" | "account" | "instrument" | "bot" | "venue";
  name: string | null;
}

export interface Cause {
  scope: Scope;
  state: TradingState;
  reason: string;
  since: Instant;
  /** Who may end it. */
  clearing: "itself" | "person";
}

export interface Counters {
  wakes: number;
  holds: number;
  signals: number;
  denials: number;
  orders: number;
  fills: number;
  partial_fills: number;
  duplicate_reports: number;
  late_evaluations: number;
  alarms: number;
  bot_errors: number;
}

/** The results of the last candle close at which a bot was evaluated. */
export interface Close {
  at: Instant;
  woke: number;
  held: number;
  signals: number;
  denied: { rule: string; name: string; count: number }[];
  filled: number;
  partly_filled: number;
}

export interface Totals {
  asset: string;
  equity: Decimal;
  started_with: Decimal;
  change: Decimal;
  realized: Decimal;
  unrealized: Decimal;
  unpriced: number;
}

export interface Account {
  account: string;
  mode: "paper" | "live";
  reconciled: boolean;
  totals: Totals;
}

export interface Component {
  name: string;
  healthy: boolean;
  message: string;
}

export interface Status extends AsOf {
  version: string;
  started_at: Instant;
  uptime_seconds: number;
  mode: { name: string; seed: number | null; speed: Decimal; note: string };
  ready: boolean;
  state: TradingState;
  causes: Cause[];
  equity: Totals;
  accounts: Account[];
  bots: Record<BotState | "total", number>;
  last_close: Close | null;
  counters: Counters;
  components: Component[];
}

export interface EquityPoint {
  at: Instant;
  account: string;
  equity: Decimal;
  realized: Decimal;
  unrealized: Decimal;
  unpriced: number;
}

export interface BotCounts {
  wakes: number;
  signals: number;
  orders: number;
  fills: number;
  denials: number;
  errors: number;
}

export interface Bot {
  name: string;
  strategy: string;
  account: string;
  instruments: string[];
  /** What it is evaluated on: `5m`, `quotes`, `every 900s`. */
  wakes: string[];
  state: BotState;
  state_reason: string;
  since: Instant;
  /** The last result of its strategy. */
  reason: string;
  reason_instrument: string | null;
  last_wake: Instant | null;
  next_wake: { at: Instant; interval: string | null } | null;
  counts: BotCounts;
  last_denial: string | null;
  lateness_us_max: number;
  budget: Decimal;
  quote_asset: string;
  equity: Decimal;
  realized: Decimal;
  unrealized: Decimal;
  /** What its rules look for, for the strategy `rules`. */
  clauses?: Clause[];
  universe?: { rule: string; members: string[]; as_of: string | null; changed_at: string | null };
}

/** A part of a rule, with its value at the last evaluation. */
export interface Clause {
  instrument: string;
  clause: string;
  text: string;
  value: string;
  operands: Operand[];
}

export interface Operand {
  text: string;
  value: string;
}

export interface BotSettings {
  strategy_version: number;
  parameters: Record<string, string>;
  reads: string[];
  positions_max: number;
  sizer: string;
  exit: string;
  policy: string;
  lane: string;
  starts: boolean;
  revision: number;
}

export interface BotAnswer extends AsOf {
  bot: Bot;
  settings: BotSettings;
  positions: Position[];
  orders: Order[];
}

/** The levels at which the engine will close a position. */
export interface ExitLevels {
  stop: Decimal | null;
  take_profit: Decimal | null;
  trailing: Decimal | null;
  at: Instant | null;
}

export interface Position {
  account: string;
  /** A bot's name, or `UNALLOCATED` for one made by hand. */
  owner: string;
  instrument: string;
  quantity: Decimal;
  cost: Decimal;
  quote_asset: string;
  entry_price: Decimal | null;
  opened_at: Instant;
  unrealized: Decimal | null;
  realized: Decimal;
  protected: boolean;
  /** How much of it stops cover that rest at the venue. */
  venue_stop_quantity: Decimal;
  exit: ExitLevels;
}

/** A position that no stop at the venue covers: while the desk is down nothing limits its loss. */
export interface Unprotected {
  account: string;
  bot: string;
  instrument: string;
  quantity: Decimal;
  since: Instant;
  reason: string;
}

/** A position whose exit is refused, or that nobody can close at present. */
export interface BlockedExit {
  account: string;
  bot: string;
  instrument: string;
  refusals: number;
  next_try: Instant | null;
  reason: string;
}

export interface RiskAnswer extends AsOf {
  unprotected: Unprotected[];
  blocked_exits: BlockedExit[];
}

/** One asset of one account: the balance at the exchange, read through its public API, and in the desk's ledger. */
export interface Balance {
  account: string;
  asset: string;
  exchange: { total: Decimal; free: Decimal; locked: Decimal; read_at: Instant } | null;
  desk: Decimal;
  difference: Decimal | null;
  owners: { owner: string; amount: Decimal }[];
  /** The view that `desk` is from. */
  seq: number;
}

export interface BalanceTable extends ViewList<Balance> {
  equal: boolean | null;
}

export interface Order {
  client_id: string;
  venue_order_id: string | null;
  account: string;
  instrument: string;
  bot: string | null;
  purpose: Purpose | null;
  side: Side;
  type: "market" | "limit" | "post_only" | "stop" | "stop_limit";
  price: Decimal | null;
  time_in_force: string | null;
  quantity: Decimal;
  filled: Decimal;
  status: OrderStatus;
  open: boolean;
  placed_at: Instant | null;
  updated_at: Instant | null;
  placed_by: EventId | null;
  reason: string | null;
}

export interface Fill {
  trade_id: string;
  venue_order_id: string;
  client_id: string;
  account: string;
  instrument: string;
  bot: string | null;
  side: Side;
  price: Decimal;
  quantity: Decimal;
  value: Decimal | null;
  fee: Decimal;
  fee_asset: string;
  liquidity: "maker" | "taker";
  event_time: Instant;
  /** The `order_filled` event. */
  event: EventId | null;
}

export interface Candle {
  open_time: Instant;
  close_time: Instant;
  open: Decimal;
  high: Decimal;
  low: Decimal;
  close: Decimal;
  volume: Decimal;
  complete: boolean;
}

export interface FillMarker {
  at: Instant;
  bot: string | null;
  side: Side;
  price: Decimal;
  quantity: Decimal;
  event: EventId | null;
}

export interface CandleAnswer extends AsOf {
  instrument: string;
  interval: string;
  /** Closed candles, oldest first. */
  items: Candle[];
  /** Newest first. */
  fills: FillMarker[];
  positions: Position[];
}

export interface Quote {
  instrument: string;
  bid: Decimal;
  ask: Decimal;
  bid_quantity: Decimal;
  ask_quantity: Decimal;
  event_time: Instant | null;
  received_at: Instant;
}

export interface Feed {
  instrument: string;
  health: FeedHealth;
  problem?: string | null;
  quote: Quote | null;
  quotes: number;
  trades: number;
  candles: number;
}

/** The latest number of a named series. */
export interface SeriesNumber {
  series: string;
  value: Decimal;
  event_time: Instant;
  received_at: Instant;
  age_ms: number;
  max_age_ms: number | null;
  stale: boolean;
}

export interface Queue {
  name: string;
  class: string;
  depth: number;
  capacity: number;
  high_water: number;
  published: number;
  delivered: number;
  conflated: number;
  dropped: number;
}

export interface Stage {
  name: string;
  count: number;
  p50_us: number;
  p99_us: number;
  max_us: number;
}

export interface QueueAnswer extends List<Queue> {
  at: Instant;
  stages: Stage[];
}

export interface InstrumentSettings {
  name: string;
  base: string;
  quote: string;
  tick: Decimal;
  step: Decimal;
  price_decimals: number;
  quantity_decimals: number;
}

/** The part of the configuration that the page reads. */
export interface Config {
  instruments: InstrumentSettings[];
}
