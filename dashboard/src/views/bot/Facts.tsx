// The settings of a bot, and its counts since the start.

import type { Bot, BotSettings } from "../../api/types";
import { product } from "../../lib/names";
import { Count, Num } from "../../ui/Num";
import { Panel } from "../../ui/Panel";

export function Facts({ bot, settings, seq }: { bot: Bot; settings: BotSettings; seq: number }) {
  const { counts } = bot;
  return (
    <Panel title="Settings">
      <dl>
        <Fact name="Strategy">
          {bot.strategy} v{settings.strategy_version}
        </Fact>
        <Fact name="Account">{bot.account}</Fact>
        <Fact name="Trades">{bot.instruments.map(product).join(", ")}</Fact>
        {settings.reads.length > 0 && <Fact name="Reads">{settings.reads.map(product).join(", ")}</Fact>}
        <Fact name="Runs on">{bot.wakes.join(", ")}</Fact>
        <Fact name="Budget">
          <Num value={bot.budget} /> {bot.quote_asset}
        </Fact>
        {Object.entries(settings.parameters).map(([name, value]) => (
          <Fact key={name} name={name}>
            {value}
          </Fact>
        ))}
        <Fact name="Size">{settings.sizer}</Fact>
        <Fact name="Exit">{settings.exit}</Fact>
        <Fact name="Orders">{settings.policy}</Fact>
      </dl>
      <h3 className="panel-title mt-3 mb-1">Since the start</h3>
      <dl>
        <Fact name="Evaluations">
          <Count id={`wakes-${bot.name}`} seq={seq} value={counts.wakes} />
        </Fact>
        <Fact name="Signals">
          <Count id={`signals-${bot.name}`} seq={seq} value={counts.signals} />
        </Fact>
        <Fact name="Orders">
          <Count value={counts.orders} />
        </Fact>
        <Fact name="Fills">
          <Count id={`fills-${bot.name}`} seq={seq} value={counts.fills} />
        </Fact>
        <Fact name="Denied">
          <Count value={counts.denials} />
        </Fact>
        <Fact name="Errors">
          <Count value={counts.errors} />
        </Fact>
        <Fact name="Worst evaluation delay">{(bot.lateness_us_max / 1000).toFixed(1)} ms</Fact>
      </dl>
      {bot.last_denial && <p className="mt-2 text-xs text-warn">Last denial: {bot.last_denial}</p>}
    </Panel>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div className="flex items-baseline justify-between gap-4 border-b border-line/60 py-0.5 last:border-0">
      <dt className="shrink-0 text-dim">{name}</dt>
      <dd className="text-right">{children}</dd>
    </div>
  );
}
