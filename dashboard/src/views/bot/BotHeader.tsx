// Name, state, last result and next evaluation of a bot; start, pause, stop.

import { Link } from "@tanstack/react-router";
import type { Bot } from "../../api/types";
import { Age } from "../../ui/Age";
import { NextWake } from "../../ui/NextWake";
import { Num } from "../../ui/Num";
import { BotStateMark } from "../../ui/State";
import { profit } from "../bots/columns";
import { Controls } from "./Controls";

export function BotHeader({ bot, seq }: { bot: Bot; seq: number }) {
  return (
    <header className="panel flex flex-wrap items-center gap-x-6 gap-y-2 px-3 py-2">
      <div>
        <nav aria-label="Way back" className="text-2xs text-faint">
          <Link to="/bots" className="hover:text-text">
            Bots
          </Link>{" "}
          /
        </nav>
        <h1 className="text-lg leading-tight font-semibold">{bot.name}</h1>
      </div>
      <Fact name={bot.state_reason || "State"}>
        <BotStateMark state={bot.state} />
      </Fact>
      <Fact name="Last result">
        {bot.reason || "not evaluated yet"}{" "}
        {bot.last_wake && (
          <span className="text-faint">
            <Age at={bot.last_wake} plain />
          </span>
        )}
      </Fact>
      <Fact name="Next evaluation">
        <NextWake bot={bot} />{" "}
        {bot.next_wake?.interval && <span className="text-faint">close of {bot.next_wake.interval}</span>}
      </Fact>
      <Fact name="Profit and loss">
        <Num id={`profit-${bot.name}`} seq={seq} value={profit(bot)} digits={2} signed />{" "}
        <span className="text-faint">{bot.quote_asset}</span>
      </Fact>
      <div className="ml-auto">
        <Controls bot={bot} />
      </div>
    </header>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <p className="max-w-56 truncate text-2xs text-faint" title={name}>
        {name}
      </p>
      <p>{children}</p>
    </div>
  );
}
