// Orders as a table; an open one can be cancelled.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { remove } from "../../api/client";
import type { Order } from "../../api/types";
import { product } from "../../lib/names";
import { instant, stamp } from "../../lib/time";
import { Price, Quantity } from "../../ui/Price";
import { OrderStatusMark } from "../../ui/State";
import { type Column, Table } from "../../ui/Table";
import { SideMark } from "./SideMark";

export function OrdersTable({ orders, empty }: { orders: readonly Order[]; empty: string }) {
  return (
    <Table label="Orders" rows={orders} columns={COLUMNS} rowKey={order => order.client_id} empty={empty} />
  );
}

const COLUMNS: Column<Order>[] = [
  {
    key: "placed",
    title: "Placed",
    cell: order => <When at={order.placed_at ?? order.updated_at} />,
    compare: (a, b) => (a.placed_at ?? "").localeCompare(b.placed_at ?? ""),
  },
  {
    key: "bot",
    title: "Bot",
    cell: order =>
      order.bot ? (
        <Link to="/bots/$bot" params={{ bot: order.bot }} className="link">
          {order.bot}
        </Link>
      ) : (
        <span className="text-dim">by hand</span>
      ),
    compare: (a, b) => (a.bot ?? "").localeCompare(b.bot ?? ""),
  },
  {
    key: "instrument",
    title: "Instrument",
    cell: order => product(order.instrument),
    compare: (a, b) => a.instrument.localeCompare(b.instrument),
  },
  { key: "side", title: "Side", cell: order => <SideMark side={order.side} /> },
  { key: "purpose", title: "Purpose", className: "text-dim", cell: order => order.purpose },
  { key: "type", title: "Type", className: "text-dim", cell: order => order.type.replaceAll("_", " ") },
  {
    key: "price",
    title: "Price",
    end: true,
    cell: order =>
      order.price ? (
        <Price instrument={order.instrument} value={order.price} />
      ) : (
        <span className="text-faint">market</span>
      ),
  },
  {
    key: "quantity",
    title: "Quantity",
    end: true,
    cell: order => <Quantity instrument={order.instrument} value={order.quantity} />,
  },
  {
    key: "filled",
    title: "Filled",
    end: true,
    cell: order => <Quantity instrument={order.instrument} value={order.filled} />,
  },
  {
    key: "status",
    title: "Status",
    cell: order => (
      <span title={order.reason ?? ""}>
        <OrderStatusMark status={order.status} />
        {order.reason && <span className="text-faint"> {order.reason}</span>}
      </span>
    ),
    compare: (a, b) => a.status.localeCompare(b.status),
  },
  {
    key: "id",
    title: "ID",
    className: "text-faint",
    cell: order => <span title={order.client_id}>…{order.client_id.slice(-8)}</span>,
  },
  { key: "cancel", title: "", cell: order => order.open && <Cancel order={order} /> },
];

function When({ at }: { at: string | null }) {
  return at ? <time dateTime={at}>{stamp(instant(at))}</time> : <span className="text-faint">–</span>;
}

function Cancel({ order }: { order: Order }) {
  const client = useQueryClient();
  const cancel = useMutation({
    mutationFn: () => remove(`orders/${order.client_id}`),
    onSettled: () => client.invalidateQueries({ queryKey: ["orders"] }),
  });
  return (
    <button
      type="button"
      className="button py-0"
      disabled={cancel.isPending}
      onClick={() => cancel.mutate()}
      aria-label={`Cancel ${order.side} ${order.quantity} ${order.instrument}`}
      title={cancel.error?.message}
    >
      {cancel.isError ? "Refused" : "Cancel"}
    </button>
  );
}
