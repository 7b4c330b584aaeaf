// When a bot is evaluated next: at a time, with each quote, or not at all.

import type { Bot } from "../api/types";
import { Countdown } from "./Age";

export function NextWake({ bot }: { bot: Bot }) {
  if (bot.next_wake) return <Countdown at={bot.next_wake.at} />;
  if (bot.state === "running" && bot.wakes.includes("quotes"))
    return <span className="text-faint">each quote</span>;
  return <span className="text-faint">–</span>;
}
