// Health of the desk: its queues, dropped messages, late evaluations.

import { useBots, useQueues, useStatus } from "../../api/queries";
import { useDesk } from "../../state/desk";
import { Age } from "../../ui/Age";
import { Count } from "../../ui/Num";
import { Panel } from "../../ui/Panel";

export function HealthPanel({ className }: { className: string }) {
  const status = useStatus().data;
  const bots = useBots().data;
  const queues = useQueues().data?.items ?? [];
  const missed = useDesk(state => state.missed);
  const lateness = Math.max(0, ...(bots?.items.map(bot => bot.lateness_us_max) ?? []));
  return (
    <Panel title="Engine" className={className} flush>
      <dl className="px-3 pb-2">
        <Fact name="Last input">
          <Count id="seq" seq={status?.seq} value={status?.seq} />
        </Fact>
        <Fact name="Reconciled">
          {status?.accounts.every(account => account.reconciled) ? "yes" : "not yet"}
        </Fact>
        <Fact name="Worst evaluation delay">{(lateness / 1000).toFixed(1)} ms</Fact>
        <Fact name="Bot errors">
          <Count id="bot-errors" seq={status?.seq} value={status?.counters.bot_errors} />
        </Fact>
        <Fact name="Late evaluations">
          <Count value={status?.counters.late_evaluations} />
        </Fact>
        <Fact name="Duplicate reports">
          <Count value={status?.counters.duplicate_reports} />
        </Fact>
        <Fact name="Gaps in this stream">
          <Count value={missed} />
        </Fact>
        <Fact name="Started">
          <Age at={status?.started_at} plain />
        </Fact>
      </dl>
      {queues.length > 0 && (
        <table className="grid-table text-xs" aria-label="Queues">
          <thead>
            <tr>
              <th>Queue</th>
              <th className="text-right!">Depth</th>
              <th className="text-right!">Dropped</th>
            </tr>
          </thead>
          <tbody>
            {queues.map(queue => (
              <tr key={queue.name}>
                <td title={queue.class}>{queue.name}</td>
                <td className="text-right">{queue.depth}</td>
                <td className={`text-right ${queue.dropped ? "text-warn" : ""}`}>{queue.dropped}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div className="flex items-baseline justify-between gap-2 border-b border-line/60 py-0.5 last:border-0">
      <dt className="text-dim">{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
