// The desk at a glance: equity, reconciliation, bots, markets, health.

import { BotWall } from "./BotWall";
import { DifferencePanel } from "./DifferencePanel";
import { EquityPanel } from "./EquityPanel";
import { HealthPanel } from "./HealthPanel";
import { LatestPanel } from "./LatestPanel";
import { MarketsPanel } from "./MarketsPanel";
import { NumbersPanel } from "./NumbersPanel";
import { ProtectionPanel } from "./ProtectionPanel";

export function Overview() {
  return (
    <div className="grid gap-2 sm:gap-3 lg:grid-cols-12">
      <h1 className="sr-only">The desk</h1>
      <ProtectionPanel className="lg:col-span-12" />
      <EquityPanel className="lg:col-span-8" />
      <DifferencePanel className="lg:col-span-4" />
      <BotWall className="lg:col-span-12" />
      <MarketsPanel className="lg:col-span-5" />
      <LatestPanel className="lg:col-span-4" />
      <HealthPanel className="lg:col-span-3" />
      <NumbersPanel className="lg:col-span-12" />
    </div>
  );
}
