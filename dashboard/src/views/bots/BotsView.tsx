// All bots in one dense table that sorts.

import { useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { useBots, usePositions } from "../../api/queries";
import type { Bot, Position } from "../../api/types";
import { AsOfNote } from "../../ui/Age";
import { Panel } from "../../ui/Panel";
import { Table } from "../../ui/Table";
import { columns } from "./columns";

export function BotsView() {
  const bots = useBots().data;
  const positions = usePositions().data?.items;
  const held = useMemo(() => byOwner(positions ?? []), [positions]);
  const [search, setSearch] = useState("");
  const navigate = useNavigate();
  const rows = (bots?.items ?? []).filter(bot => matches(bot, search));
  return (
    <Panel
      title="Bots"
      note={<AsOfNote of={bots} />}
      actions={
        <input
          type="search"
          aria-label="Filter bots"
          placeholder="name, strategy, instrument, state"
          className="field w-56"
          value={search}
          onChange={event => setSearch(event.target.value)}
        />
      }
      flush
    >
      <Table
        label="Bots"
        rows={rows}
        columns={columns(bots?.seq, held)}
        rowKey={bot => bot.name}
        onOpen={bot => navigate({ to: "/bots/$bot", params: { bot: bot.name } })}
        empty={bots ? "No bot matches." : "Waiting for the desk."}
      />
    </Panel>
  );
}

function byOwner(positions: readonly Position[]): Map<string, Position[]> {
  const owners = new Map<string, Position[]>();
  for (const position of positions) {
    owners.set(position.owner, [...(owners.get(position.owner) ?? []), position]);
  }
  return owners;
}

/** Whether each word of the search occurs in what names the bot. */
function matches(bot: Bot, search: string): boolean {
  const text = [bot.name, bot.strategy, bot.state, ...bot.instruments, ...bot.wakes].join(" ").toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every(word => text.includes(word));
}
