// The columns of the table of bots.

import type { Bot, Position } from "../../api/types";
import { compare, format, sum } from "../../lib/decimal";
import { product } from "../../lib/names";
import { NextWake } from "../../ui/NextWake";
import { Count, Num } from "../../ui/Num";
import { BotStateMark } from "../../ui/State";
import type { Column } from "../../ui/Table";
import { lastResult } from "../overview/BotWall";

const byText = (text: (bot: Bot) => string) => (a: Bot, b: Bot) => text(a).localeCompare(text(b));
const byCount = (count: (bot: Bot) => number) => (a: Bot, b: Bot) => count(a) - count(b);

/** Realised and unrealised together. */
export function profit(bot: Bot): string {
  return sum([bot.realized, bot.unrealized]);
}

export function columns(seq: number | undefined, held: ReadonlyMap<string, Position[]>): Column<Bot>[] {
  const positions = (bot: Bot) => held.get(bot.name) ?? [];
  return [
    {
      key: "id",
      title: "Bot",
      cell: bot => <span className="font-medium">{bot.name}</span>,
      compare: byText(bot => bot.name),
    },
    {
      key: "state",
      title: "State",
      cell: bot => <BotStateMark state={bot.state} />,
      compare: byText(bot => bot.state),
    },
    {
      key: "strategy",
      title: "Strategy",
      wide: true,
      className: "text-dim",
      cell: bot => bot.strategy,
      compare: byText(bot => bot.strategy),
    },
    {
      key: "wakes",
      title: "Runs on",
      wide: true,
      className: "text-dim",
      cell: bot => bot.wakes.join(", "),
      compare: byText(bot => bot.wakes.join()),
    },
    {
      key: "instruments",
      title: "Instruments",
      cell: bot => bot.instruments.map(product).join(", "),
      compare: byText(bot => bot.instruments.join()),
    },
    {
      key: "reason",
      title: "Last result",
      cell: bot => (
        <span className="block max-w-44 truncate md:max-w-72 text-dim" title={lastResult(bot)}>
          {lastResult(bot)}
        </span>
      ),
      compare: byText(lastResult),
    },
    {
      key: "next",
      title: "Next evaluation",
      end: true,
      cell: bot => <NextWake bot={bot} />,
      compare: byText(bot => bot.next_wake?.at ?? "~"),
    },
    {
      key: "position",
      title: "Position",
      end: true,
      cell: bot =>
        positions(bot)
          .map(position => format(position.quantity))
          .join(", ") || <Dash />,
      compare: byCount(bot => positions(bot).length),
    },
    {
      key: "profit",
      title: "P&L",
      end: true,
      cell: bot => <Num id={`profit-${bot.name}`} seq={seq} value={profit(bot)} digits={2} signed />,
      compare: (a, b) => compare(profit(a), profit(b)),
    },
    {
      key: "signals",
      title: "Signals",
      end: true,
      cell: bot => <Count id={`signals-${bot.name}`} seq={seq} value={bot.counts.signals} />,
      compare: byCount(bot => bot.counts.signals),
    },
    {
      key: "orders",
      title: "Orders",
      end: true,
      cell: bot => <Count value={bot.counts.orders} />,
      compare: byCount(bot => bot.counts.orders),
    },
    {
      key: "fills",
      title: "Fills",
      end: true,
      cell: bot => <Count id={`fills-${bot.name}`} seq={seq} value={bot.counts.fills} />,
      compare: byCount(bot => bot.counts.fills),
    },
    {
      key: "denials",
      title: "Denied",
      end: true,
      cell: bot => <Count value={bot.counts.denials} className={bot.counts.denials ? "text-warn" : ""} />,
      compare: byCount(bot => bot.counts.denials),
    },
    {
      key: "denial",
      title: "Last denial",
      cell: bot => (
        <span className="block max-w-64 truncate text-dim" title={bot.last_denial ?? ""}>
          {bot.last_denial ?? ""}
        </span>
      ),
      compare: byText(bot => bot.last_denial ?? ""),
    },
  ];
}

function Dash() {
  return <span className="text-faint">–</span>;
}
