// Equity now and since the start. There is no history before the start.

import { useMemo } from "react";
import { useEquity, useStatus } from "../../api/queries";
import type { Status } from "../../api/types";
import { format, percent } from "../../lib/decimal";
import { clock, instant } from "../../lib/time";
import { AsOfNote } from "../../ui/Age";
import { Count, Num } from "../../ui/Num";
import { Panel } from "../../ui/Panel";
import { EquityChart } from "./EquityChart";

export function EquityPanel({ className }: { className: string }) {
  const status = useStatus().data;
  // Accounts may be in different places of their history: the line is one account's, the totals are the desk's.
  const account = status?.accounts[0]?.account;
  const history = useEquity(account).data?.items;
  const points = useMemo(() => [...(history ?? [])].reverse(), [history]);
  return (
    <Panel title="Equity" note={<AsOfNote of={status} />} className={className}>
      <div className="flex h-full flex-col gap-3 md:flex-row md:gap-5">
        {status && <Totals status={status} />}
        <div className="h-44 min-w-0 flex-1 md:h-auto">
          {points.length > 1 ? (
            <EquityChart points={points} />
          ) : (
            <p className="grid h-full place-items-center text-center text-dim">
              {status && `The desk started at ${clock(instant(status.started_at))}. `}
              Its line begins here, with a point every ten seconds.
            </p>
          )}
        </div>
      </div>
    </Panel>
  );
}

function Totals({ status }: { status: Status }) {
  const { seq, counters, equity } = status;
  const share = percent(equity.change, equity.started_with, 3);
  return (
    <div className="md:w-72">
      <p className="text-3xl leading-none font-semibold tracking-tight">
        <Num id="equity" seq={seq} value={equity.equity} digits={2} />{" "}
        <span className="text-sm font-normal text-dim">{equity.asset}</span>
      </p>
      <p className="mt-1 text-dim">
        <Num id="change" seq={seq} value={equity.change} digits={2} signed /> since the start
        {share !== undefined && <span className="text-faint"> ({format(share, { plus: true })} %)</span>}
        {equity.unpriced > 0 && <span className="text-warn"> · {equity.unpriced} assets unpriced</span>}
      </p>
      <dl className="mt-3 grid grid-cols-2 gap-x-4 gap-y-0.5">
        <Total name="Realised">
          <Num id="realized" seq={seq} value={equity.realized} digits={2} signed />
        </Total>
        <Total name="Signals">
          <Count id="signals" seq={seq} value={counters.signals} />
        </Total>
        <Total name="Unrealised">
          <Num id="unrealized" seq={seq} value={equity.unrealized} digits={2} signed />
        </Total>
        <Total name="Denials">
          <Count id="denials" seq={seq} value={counters.denials} />
        </Total>
        <Total name="Fills">
          <Count id="fills" seq={seq} value={counters.fills} />
        </Total>
        <Total name="Orders">
          <Count id="orders" seq={seq} value={counters.orders} />
        </Total>
        <Total name="Partial fills">
          <Count id="partial-fills" seq={seq} value={counters.partial_fills} />
        </Total>
        <Total name="Evaluations">
          <Count id="wakes" seq={seq} value={counters.wakes} />
        </Total>
      </dl>
    </div>
  );
}

function Total({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div className="flex items-baseline justify-between border-b border-line/70 py-0.5">
      <dt className="text-dim">{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
