// Every bot as a tile: its state, its last result, the time to its next evaluation.

import { Link } from "@tanstack/react-router";
import { useBots, usePositions, useStatus } from "../../api/queries";
import type { Bot, BotState } from "../../api/types";
import { AsOfNote } from "../../ui/Age";
import { NextWake } from "../../ui/NextWake";
import { Num } from "../../ui/Num";
import { Panel } from "../../ui/Panel";
import { BotStateMark } from "../../ui/State";
import { CloseLine, nextClose } from "./CloseLine";

const STATES: BotState[] = ["running", "warming", "starting", "paused", "stopped", "faulted"];

export function BotWall({ className }: { className: string }) {
  const bots = useBots().data;
  const holders = new Set(usePositions().data?.items.map(position => position.owner));
  const close = useStatus().data?.last_close;
  return (
    <Panel
      title="Bots"
      note={<AsOfNote of={bots} />}
      actions={<StateCounts bots={bots?.items ?? []} seq={bots?.seq} />}
      className={className}
    >
      <CloseLine close={close} next={nextClose(bots?.items ?? [])} />
      <ul
        aria-label="Bots"
        className="grid grid-cols-3 gap-px overflow-hidden rounded bg-line md:grid-cols-5 xl:grid-cols-9"
      >
        {bots?.items.map(bot => (
          <Tile key={bot.name} bot={bot} holds={holders.has(bot.name)} />
        ))}
      </ul>
    </Panel>
  );
}

function StateCounts({ bots, seq }: { bots: readonly Bot[]; seq: number | undefined }) {
  return (
    <span className="flex flex-wrap gap-x-3 text-xs">
      {STATES.map(state => {
        const count = bots.filter(bot => bot.state === state).length;
        if (count === 0 && state !== "running") return null;
        return (
          <span key={state} className="flex items-center gap-1">
            <data value={count} data-testid={`bots-${state}`} data-seq={seq}>
              {count}
            </data>
            <BotStateMark state={state} />
          </span>
        );
      })}
    </span>
  );
}

const EDGE: Record<BotState, string> = {
  running: "border-t-gain/70",
  warming: "border-t-sea",
  starting: "border-t-line-strong",
  paused: "border-t-warn",
  stopped: "border-t-line",
  faulted: "border-t-alarm",
};

function Tile({ bot, holds }: { bot: Bot; holds: boolean }) {
  return (
    <li className="min-w-0 bg-panel" data-bot={bot.name} data-state={bot.state}>
      <Link
        to="/bots/$bot"
        params={{ bot: bot.name }}
        className={`flex h-full flex-col gap-0.5 border-t-2 px-2 py-1.5 hover:bg-raised ${EDGE[bot.state]}`}
      >
        <span className="flex items-baseline gap-1">
          <BotStateMark state={bot.state} word={false} />
          <span className="truncate text-xs font-medium" title={bot.name}>
            {bot.name}
          </span>
        </span>
        <span className="line-clamp-2 min-h-8 text-2xs leading-4 text-dim" title={lastResult(bot)}>
          {lastResult(bot)}
        </span>
        <span className="mt-auto flex justify-between text-2xs text-faint">
          <span>{bot.state === "running" ? <NextWake bot={bot} /> : bot.state}</span>
          {holds && <Num value={bot.unrealized} digits={2} signed />}
        </span>
      </Link>
    </li>
  );
}

/** The last result of a running bot; the reason for its state otherwise. */
export function lastResult(bot: Bot): string {
  return bot.state === "running" ? bot.reason || "not evaluated yet" : bot.state_reason || bot.state;
}
