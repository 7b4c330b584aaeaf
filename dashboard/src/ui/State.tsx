// Colours and shapes of states. Each state has a shape of its own too, for those who do not see the colour.

import type { BotState, FeedHealth, OrderStatus, TradingState } from "../api/types";

const BOT: Record<BotState, { mark: string; tone: string }> = {
  running: { mark: "●", tone: "text-gain" },
  warming: { mark: "◐", tone: "text-sea" },
  starting: { mark: "○", tone: "text-dim" },
  paused: { mark: "‖", tone: "text-warn" },
  stopped: { mark: "■", tone: "text-faint" },
  faulted: { mark: "▲", tone: "text-alarm" },
};

/** States that need no attention; they are shown without colour. */
const CALM = new Set<BotState>(["running", "starting", "stopped"]);

export function BotStateMark({ state, word = true }: { state: BotState; word?: boolean }) {
  const { mark, tone } = BOT[state] ?? BOT.stopped;
  return (
    <span className="inline-flex items-center gap-1" title={state}>
      <span aria-hidden="true" className={`w-3 text-center text-2xs ${tone}`}>
        {mark}
      </span>
      {word ? (
        <span className={CALM.has(state) ? "text-dim" : tone}>{state}</span>
      ) : (
        <span className="sr-only">{state}</span>
      )}
    </span>
  );
}

const DESK: Record<TradingState, string> = {
  ACTIVE: "border-gain/60 text-gain",
  REDUCING: "border-warn text-warn",
  HALTED: "border-alarm text-loss",
  FLATTENING: "border-alarm text-loss",
  KILLED: "border-alarm bg-alarm text-white",
};

export function DeskStateBadge({ state, seq }: { state: TradingState; seq: number }) {
  return (
    <span
      data-testid="desk-state"
      data-seq={seq}
      className={`rounded border px-2 py-0.5 text-xs font-semibold tracking-wide ${DESK[state]}`}
    >
      {state}
    </span>
  );
}

const FEED: Record<FeedHealth, string> = {
  LIVE: "text-gain",
  RESYNC: "text-warn",
  GAP: "text-warn",
  STALE: "text-loss",
};

export function FeedMark({ health }: { health: FeedHealth }) {
  return <span className={FEED[health] ?? "text-dim"}>{health.toLowerCase()}</span>;
}

const ORDER: Partial<Record<OrderStatus, string>> = {
  filled: "text-gain",
  partially_filled: "text-sea",
  accepted: "text-sea",
  unknown: "text-warn",
  rejected: "text-loss",
};

export function OrderStatusMark({ status }: { status: OrderStatus }) {
  return <span className={ORDER[status] ?? "text-dim"}>{status.replace("_", " ")}</span>;
}
