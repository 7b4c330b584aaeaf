// One line of words for each type of event.

import type { DeskEvent } from "../api/events";
import type { Order } from "../api/types";
import { format } from "./decimal";
import { product } from "./names";

function terms(order: Pick<Order, "side" | "quantity" | "instrument"> & { price?: string | null }): string {
  const price = order.price ? ` at ${format(order.price)}` : "";
  return `${order.side} ${format(order.quantity)} ${product(order.instrument)}${price}`;
}

function because(reason: string | null | undefined): string {
  return reason ? `: ${reason}` : "";
}

/** What happened, in words. A flat list over every type: it is as long as there are types. */
export function describe(event: DeskEvent): string {
  const { type, data } = event;
  switch (type) {
    case "price_update":
      return `${product(data.instrument)} ${format(data.bid)} / ${format(data.ask)}`;
    case "candle_closed":
      return `${product(data.instrument)} ${data.interval} closed at ${format(data.candle.close)}`;
    case "signal_generated":
      return `${product(data.instrument)}${because(data.reason)}`;
    case "order_filled":
      return `${terms(data.fill)}${data.status === "filled" ? "" : ", partially filled"}`;
    case "order_placed":
      return `${data.purpose}: ${terms(data.order)}`;
    case "order_accepted":
    case "order_unknown":
      return terms(data.order);
    case "order_cancelled":
    case "order_rejected":
    case "order_expired":
      return `${terms(data.order)}${because(data.order.reason)}`;
    case "position_opened":
      return `${format(data.quantity)} ${product(data.instrument)} at ${format(data.price)}`;
    case "position_closed":
      return `${product(data.instrument)}, realised ${format(data.realized, { plus: true })}`;
    case "risk_decision_rejected":
      return `${terms(data)}${because(data.reason)} (${data.rule})`;
    case "circuit_breaker_fired":
      return `${data.name} opened after ${data.failures} failures`;
    case "trading_state_changed":
      return `${data.scope.name ?? data.scope.kind} is ${data.state}${because(data.cause?.reason)}`;
    case "kill_switch":
    case "kill_switch_reset":
      return `${data.reason} (by ${data.principal})`;
    case "bot_state_changed":
      return `${data.from} → ${data.to}${because(data.reason)}`;
    case "bot_error":
      return data.error;
    case "evaluation_late":
      return `${data.skipped} evaluations skipped`;
    case "universe_changed":
      return `may enter ${data.members.length} instruments: ${data.joined.length} joined, ${data.left.length} left`;
    case "budget_changed":
      return `the budget is ${format(data.budget, { digits: 2 })}`;
    case "equity_snapshot":
      return `${data.account}: ${format(data.equity, { digits: 2 })}`;
    case "feed_health_changed":
      return `${product(data.instrument)} is ${data.health}`;
    case "queue_overflow":
      return `${data.subscriber} lost ${data.dropped} events`;
    case "gap":
      return `${data.missing ?? "some"} missing${data.instrument ? ` of ${product(data.instrument)}` : ""}`;
    case "reconciled":
      return `${data.account}: ${data.fills} fills and ${data.orders} open orders taken over`;
    case "account_stream_changed":
      return `${data.account}: the account stream is ${data.state}${because(data.reason)}`;
    case "balances_reported":
      return `${data.account}: ${data.balances.map(balance => balance.asset).join(", ")}`;
    case "transfer_reported":
      return `${data.account}: ${format(data.amount, { plus: true })} ${data.asset}`;
    case "command":
      return `${data.action}: ${data.accepted ? "done" : "refused"}${because(data.result)}`;
    case "desk_stopping":
      return "The desk is stopping.";
    case "position_unprotected":
      return `${data.bot}: no stop at the venue covers ${data.quantity} of ${product(data.instrument)}${because(data.reason)}`;
    case "target_received":
      return `${data.source}: ${data.bot} is to hold ${data.exposure} in ${product(data.instrument)}`;
    case "target_refused":
      return `${data.source}: ${data.refused} targets refused${because(data.reason)}`;
    case "alarm":
      return data.text;
    default:
      // A desk newer than this page.
      return "";
  }
}
