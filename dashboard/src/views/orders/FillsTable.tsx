// Fills as a table; each leads to the chart of its bot, at the candle that caused it.

import { useNavigate } from "@tanstack/react-router";
import type { Fill } from "../../api/types";
import { product } from "../../lib/names";
import { instant, stamp } from "../../lib/time";
import { Num } from "../../ui/Num";
import { Price, Quantity } from "../../ui/Price";
import { type Column, Table } from "../../ui/Table";
import { SideMark } from "./SideMark";

interface FillsTableProps {
  fills: readonly Fill[];
  empty: string;
  selected?: string | undefined;
}

export function FillsTable({ fills, empty, selected }: FillsTableProps) {
  const navigate = useNavigate();
  const open = (fill: Fill) => {
    if (!fill.bot || !fill.event) return;
    void navigate({
      to: "/bots/$bot",
      params: { bot: fill.bot },
      search: { instrument: fill.instrument, event: fill.event },
    });
  };
  return (
    <Table
      label="Fills"
      rows={fills}
      columns={COLUMNS}
      rowKey={fill => fill.event ?? `${fill.venue_order_id} ${fill.trade_id}`}
      onOpen={open}
      selected={selected}
      empty={empty}
    />
  );
}

const COLUMNS: Column<Fill>[] = [
  {
    key: "at",
    title: "At",
    cell: fill => <time dateTime={fill.event_time}>{stamp(instant(fill.event_time))}</time>,
    compare: (a, b) => a.event_time.localeCompare(b.event_time),
  },
  {
    key: "bot",
    title: "Bot",
    cell: fill => fill.bot ?? <span className="text-dim">by hand</span>,
    compare: (a, b) => (a.bot ?? "").localeCompare(b.bot ?? ""),
  },
  {
    key: "instrument",
    title: "Instrument",
    cell: fill => product(fill.instrument),
    compare: (a, b) => a.instrument.localeCompare(b.instrument),
  },
  { key: "side", title: "Side", cell: fill => <SideMark side={fill.side} /> },
  {
    key: "price",
    title: "Price",
    end: true,
    cell: fill => <Price instrument={fill.instrument} value={fill.price} />,
  },
  {
    key: "quantity",
    title: "Quantity",
    end: true,
    cell: fill => <Quantity instrument={fill.instrument} value={fill.quantity} />,
  },
  {
    key: "fee",
    title: "Fee",
    end: true,
    cell: fill => (
      <>
        <Num value={fill.fee} /> <span className="text-faint">{fill.fee_asset}</span>
      </>
    ),
  },
  { key: "liquidity", title: "Liquidity", className: "text-dim", cell: fill => fill.liquidity },
  { key: "trade", title: "Trade", end: true, className: "text-faint", cell: fill => fill.trade_id },
];
