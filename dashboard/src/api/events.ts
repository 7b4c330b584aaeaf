// Events of the stream, of `why` and of history: one envelope, one body per type.

import type {
  BotState,
  Candle,
  Cause,
  Decimal,
  EventId,
  FeedHealth,
  Fill,
  Instant,
  Order,
  OrderStatus,
  Purpose,
  Quote,
  Scope,
  Side,
  TradingState,
} from "./types";

/** The body of each type. */
export interface EventBodies {
  price_update: Quote;
  candle_closed: { instrument: string; interval: string; candle: Candle };
  signal_generated: { bot: string; instrument: string; exposure: Decimal; reason: string };
  order_placed: { order: Order; purpose: Purpose };
  order_accepted: { order: Order };
  order_filled: { fill: Fill; status: OrderStatus; cumulative: Decimal };
  order_cancelled: { order: Order };
  order_rejected: { order: Order; code: number };
  order_expired: { order: Order };
  order_unknown: { order: Order };
  position_opened: {
    account: string;
    bot: string | null;
    instrument: string;
    quantity: Decimal;
    price: Decimal;
  };
  position_closed: { account: string; bot: string | null; instrument: string; realized: Decimal };
  risk_decision_rejected: {
    bot: string | null;
    account: string;
    instrument: string;
    side: Side;
    quantity: Decimal;
    rule: string;
    reason: string;
  };
  circuit_breaker_fired: { name: string; failures: number };
  trading_state_changed: { scope: Scope; state: TradingState; cause: Cause | null };
  kill_switch: { reason: string; principal: string };
  kill_switch_reset: { reason: string; principal: string };
  bot_state_changed: { bot: string; from: BotState; to: BotState; reason: string };
  bot_error: { bot: string; error: string; faults: number };
  evaluation_late: { bot: string; skipped: number };
  universe_changed: { bot: string; members: string[]; joined: string[]; left: string[] };
  budget_changed: { bot: string; budget: Decimal; moved: Decimal; equity: Decimal };
  equity_snapshot: {
    account: string;
    equity: Decimal;
    realized: Decimal;
    unrealized: Decimal;
    unpriced: number;
  };
  feed_health_changed: { instrument: string; health: FeedHealth };
  queue_overflow: { subscriber: string; dropped: number };
  gap: { instrument: string | null; missing: number | null };
  reconciled: { account: string; fills: number; orders: number };
  account_stream_changed: { account: string; state: string; reason: string };
  balances_reported: {
    account: string;
    balances: { asset: string; free: Decimal; locked: Decimal }[];
  };
  transfer_reported: { account: string; asset: string; amount: Decimal };
  command: { command: string; principal: string; action: string; accepted: boolean; result: string | null };
  desk_stopping: Record<string, never>;
  position_unprotected: {
    account: string;
    bot: string;
    instrument: string;
    quantity: Decimal;
    reason: string;
  };
  target_received: {
    source: string;
    bot: string;
    instrument: string;
    exposure: Decimal;
    event_time: Instant;
    expires: Instant;
  };
  target_refused: { source: string; bot: string | null; reason: string; refused: number };
  alarm: { alarm: string; account: string | null; instrument: string | null; text: string };
}

export type EventType = keyof EventBodies;

type EventOf<Type extends EventType> = {
  v: number;
  id: EventId;
  at: Instant;
  /** The event that led to this one. */
  cause: EventId | null;
  type: Type;
  data: EventBodies[Type];
};

/** Any event; `type` decides its body. */
export type DeskEvent = { [Type in EventType]: EventOf<Type> }[EventType];

/** An event of one type. */
export type Typed<Type extends EventType> = Extract<DeskEvent, { type: Type }>;

/** An event and what led to it: itself first, then its cause, the cause's cause. */
export interface EventAnswer {
  chain: DeskEvent[];
  /** Whether nothing in the chain is missing from the log. */
  complete: boolean;
}

/** The bot that an event is about. */
export function botOf(event: DeskEvent): string | undefined {
  const data = event.data as { bot?: string | null; order?: Order; fill?: Fill };
  return data.bot ?? data.order?.bot ?? data.fill?.bot ?? undefined;
}
