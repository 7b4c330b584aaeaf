// Open positions, with the stop and target of each.

import { Link } from "@tanstack/react-router";
import type { Position } from "../../api/types";
import { compare } from "../../lib/decimal";
import { product } from "../../lib/names";
import { Age } from "../../ui/Age";
import { Num } from "../../ui/Num";
import { Price, Quantity } from "../../ui/Price";
import { type Column, Table } from "../../ui/Table";

export function PositionsTable({ positions, empty }: { positions: readonly Position[]; empty: string }) {
  return <Table label="Positions" rows={positions} columns={COLUMNS} rowKey={keyOf} empty={empty} />;
}

function keyOf(position: Position): string {
  return `${position.account} ${position.owner} ${position.instrument}`;
}

const level = (title: string, of: (position: Position) => string | null): Column<Position> => ({
  key: title,
  title,
  end: true,
  cell: position => <Price instrument={position.instrument} value={of(position)} />,
});

const COLUMNS: Column<Position>[] = [
  {
    key: "owner",
    title: "Owner",
    cell: position =>
      position.owner === "UNALLOCATED" ? (
        <span className="text-dim">by hand</span>
      ) : (
        <Link to="/bots/$bot" params={{ bot: position.owner }} className="link">
          {position.owner}
        </Link>
      ),
    compare: (a, b) => a.owner.localeCompare(b.owner),
  },
  {
    key: "instrument",
    title: "Instrument",
    cell: position => product(position.instrument),
    compare: (a, b) => a.instrument.localeCompare(b.instrument),
  },
  {
    key: "quantity",
    title: "Quantity",
    end: true,
    cell: position => <Quantity instrument={position.instrument} value={position.quantity} />,
  },
  level("Entry", position => position.entry_price),
  level("Stop", position => position.exit.stop),
  level("Trailing", position => position.exit.trailing),
  level("Take profit", position => position.exit.take_profit),
  {
    key: "guard",
    title: "Protection",
    cell: position =>
      position.protected ? (
        <span className="text-dim">protected</span>
      ) : (
        <strong className="text-loss">not protected</strong>
      ),
    compare: (a, b) => Number(a.protected) - Number(b.protected),
  },
  {
    key: "opened",
    title: "Opened",
    end: true,
    className: "text-dim",
    cell: position => <Age at={position.opened_at} plain />,
    compare: (a, b) => a.opened_at.localeCompare(b.opened_at),
  },
  {
    key: "unrealized",
    title: "Unrealised",
    end: true,
    cell: position => (
      <>
        <Num value={position.unrealized} digits={2} signed />{" "}
        <span className="text-faint">{position.quote_asset}</span>
      </>
    ),
    compare: (a, b) => compare(a.unrealized ?? "", b.unrealized ?? ""),
  },
];
