// Orders, open and closed, fills and positions: by page, by bot, by instrument.

import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { type Filter, useClosedOrders, useFills, useOpenOrders, usePositions } from "../../api/queries";
import { AsOfNote } from "../../ui/Age";
import { Panel } from "../../ui/Panel";
import { Problem } from "../../ui/Problem";
import { FillsTable } from "./FillsTable";
import { OrdersTable } from "./OrdersTable";
import { PositionsTable } from "./PositionsTable";

const SHOWS = [
  { show: "open", label: "Open orders" },
  { show: "closed", label: "Closed orders" },
  { show: "fills", label: "Fills" },
  { show: "positions", label: "Positions" },
] as const;

export function OrdersView() {
  const { show = "open", bot, instrument } = useSearch({ from: "/desk/orders" });
  const filter: Filter = { ...(bot ? { bot } : {}), ...(instrument ? { instrument } : {}) };
  const key = JSON.stringify([show, filter]);
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap items-center gap-2">
        {SHOWS.map(each => (
          <Link
            key={each.show}
            to="/orders"
            search={{ ...filter, show: each.show }}
            aria-current={show === each.show ? "page" : undefined}
            className={`button ${show === each.show ? "border-sea! bg-sea-deep!" : ""}`}
          >
            {each.label}
          </Link>
        ))}
        <Filters show={show} filter={filter} />
      </div>
      {show === "positions" ? (
        <Held filter={filter} />
      ) : show === "fills" ? (
        <FillPages key={key} filter={filter} />
      ) : show === "closed" ? (
        <ClosedPages key={key} filter={filter} />
      ) : (
        <Open filter={filter} />
      )}
    </div>
  );
}

function Filters({ show, filter }: { show: string; filter: Filter }) {
  const navigate = useNavigate({ from: "/orders" });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const read = (name: string) => String(form.get(name) ?? "").trim();
    void navigate({ search: { show, bot: read("bot"), instrument: read("instrument") } });
  };
  return (
    <form onSubmit={submit} className="ml-auto flex flex-wrap gap-2">
      <input name="bot" aria-label="Bot" placeholder="bot" defaultValue={filter.bot} className="field w-36" />
      <input
        name="instrument"
        aria-label="Instrument"
        placeholder="binance:BTC/USDT"
        defaultValue={filter.instrument}
        className="field w-40"
      />
      <button type="submit" className="button">
        Filter
      </button>
    </form>
  );
}

function Open({ filter }: { filter: Filter }) {
  const { data: orders, error } = useOpenOrders(filter);
  return (
    <Panel title="Open orders" note={<AsOfNote of={orders} />} flush>
      <Problem of={error} />
      <OrdersTable orders={orders?.items ?? []} empty={orders ? "None." : "Waiting for the desk."} />
    </Panel>
  );
}

function Held({ filter }: { filter: Filter }) {
  const positions = usePositions().data;
  const held = (positions?.items ?? []).filter(
    position =>
      (!filter.bot || position.owner === filter.bot) &&
      (!filter.instrument || position.instrument === filter.instrument),
  );
  return (
    <Panel title="Positions" note={<AsOfNote of={positions} />} flush>
      <PositionsTable positions={held} empty={positions ? "No open positions." : "Waiting for the desk."} />
    </Panel>
  );
}

function ClosedPages({ filter }: { filter: Filter }) {
  const pages = usePages();
  const { data: orders, error } = useClosedOrders({ ...filter, before: pages.before });
  return (
    <Panel title="Closed orders" actions={<Turner pages={pages} next={orders?.next} />} flush>
      <Problem of={error} />
      <OrdersTable orders={orders?.items ?? []} empty={orders ? "None yet." : "Waiting for the desk."} />
    </Panel>
  );
}

function FillPages({ filter }: { filter: Filter }) {
  const pages = usePages();
  const { data: fills, error } = useFills({ ...filter, before: pages.before });
  return (
    <Panel title="Fills" actions={<Turner pages={pages} next={fills?.next} />} flush>
      <Problem of={error} />
      <FillsTable fills={fills?.items ?? []} empty={fills ? "None yet." : "Waiting for the desk."} />
    </Panel>
  );
}

interface Pages {
  before: string | undefined;
  number: number;
  forward(next: string): void;
  back(): void;
}

/** The pages that led here, so that one can go back. */
function usePages(): Pages {
  const [trail, setTrail] = useState<string[]>([]);
  return {
    before: trail.at(-1),
    number: trail.length + 1,
    forward: next => setTrail([...trail, next]),
    back: () => setTrail(trail.slice(0, -1)),
  };
}

function Turner({ pages, next }: { pages: Pages; next: string | null | undefined }) {
  if (pages.number === 1 && !next) return null;
  return (
    <>
      <button type="button" className="button" disabled={pages.number === 1} onClick={pages.back}>
        Newer
      </button>
      <span className="text-xs text-dim">page {pages.number}</span>
      <button type="button" className="button" disabled={!next} onClick={() => next && pages.forward(next)}>
        Older
      </button>
    </>
  );
}
