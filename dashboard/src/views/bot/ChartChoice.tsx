// Which candles: instrument and interval, as links.

import { Link } from "@tanstack/react-router";
import type { Bot } from "../../api/types";
import { product } from "../../lib/names";
import { intervalsOf } from "./marks";

const USUAL = ["1m", "5m", "15m", "1h"];

interface ChartChoiceProps {
  bot: Bot;
  instrument: string;
  interval: string;
}

export function ChartChoice({ bot, instrument, interval }: ChartChoiceProps) {
  const intervals = [...new Set([...intervalsOf(bot), ...USUAL])];
  return (
    <div className="flex flex-wrap gap-1">
      {bot.instruments.length === 1 && <span className="mr-2 font-medium">{product(instrument)}</span>}
      {bot.instruments.length > 1 &&
        bot.instruments.map(each => (
          <Choice
            key={each}
            label={product(each)}
            chosen={each === instrument}
            search={{ instrument: each, interval }}
          />
        ))}
      {intervals.map(each => (
        <Choice key={each} label={each} chosen={each === interval} search={{ instrument, interval: each }} />
      ))}
    </div>
  );
}

interface ChoiceProps {
  label: string;
  chosen: boolean;
  search: { instrument: string; interval: string };
}

function Choice({ label, chosen, search }: ChoiceProps) {
  return (
    <Link
      from="/bots/$bot"
      to="/bots/$bot"
      params={true}
      search={search}
      replace
      aria-current={chosen ? "true" : undefined}
      className={`rounded border px-1.5 py-0.5 text-2xs ${chosen ? "border-sea bg-sea-deep text-text" : "border-line text-dim hover:border-dim"}`}
    >
      {label}
    </Link>
  );
}
