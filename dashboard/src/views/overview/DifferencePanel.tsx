// Per asset: the balance that the exchange reports through its public API, the balance in the ledger, and the exact difference.

import { useBalances } from "../../api/queries";
import type { Balance } from "../../api/types";
import { sign } from "../../lib/decimal";
import { Age } from "../../ui/Age";
import { Num } from "../../ui/Num";
import { Panel } from "../../ui/Panel";
import { type Column, Table } from "../../ui/Table";

export function DifferencePanel({ className }: { className: string }) {
  const balances = useBalances().data;
  const rows = (balances?.items ?? []).filter(isOfInterest);
  const read = rows.flatMap(row => row.exchange?.read_at ?? []).sort();
  return (
    <Panel
      title="Reconciliation"
      note={
        <>
          compared <Age at={read[0]} id="compared" />
        </>
      }
      actions={<Verdict rows={rows} />}
      className={className}
      flush
    >
      <div className="max-h-52 overflow-y-auto">
        <Table
          label="Reconciliation"
          rows={rows}
          columns={COLUMNS}
          rowKey={row => `${row.account} ${row.asset}`}
          empty="Not compared yet."
        />
      </div>
    </Panel>
  );
}

/** Assets with a balance on either side, or with a difference. */
function isOfInterest(row: Balance): boolean {
  return sign(row.desk) !== 0 || sign(row.exchange?.total ?? "0") !== 0 || sign(row.difference ?? "0") !== 0;
}

function Verdict({ rows }: { rows: Balance[] }) {
  if (rows.length === 0) return null;
  const wrong = rows.filter(row => row.difference !== null && sign(row.difference) !== 0).length;
  const unknown = rows.filter(row => row.difference === null).length;
  if (wrong > 0) {
    return (
      <strong role="alert" data-testid="verdict" className="rounded bg-alarm px-2 py-0.5 text-xs text-white">
        {wrong} of {rows.length} differ
      </strong>
    );
  }
  return (
    <strong data-testid="verdict" className={`text-xs font-semibold ${unknown ? "text-warn" : "text-gain"}`}>
      {unknown
        ? `${unknown} not compared`
        : `difference 0 ${rows.length === 1 ? "on the only asset" : `on all ${rows.length} assets`}`}
    </strong>
  );
}

const COLUMNS: Column<Balance>[] = [
  { key: "asset", title: "Asset", cell: row => <span className="font-medium">{row.asset}</span> },
  {
    key: "exchange",
    title: "Exchange",
    end: true,
    cell: row => <Num id={`exchange-${row.asset}`} seq={row.seq} value={row.exchange?.total} />,
  },
  {
    key: "desk",
    title: "Desk",
    end: true,
    cell: row => <Num id={`desk-${row.asset}`} seq={row.seq} value={row.desk} />,
  },
  {
    key: "difference",
    title: "Difference",
    end: true,
    cell: row => <Difference row={row} />,
  },
];

function Difference({ row }: { row: Balance }) {
  const off = row.difference !== null && sign(row.difference) !== 0;
  return (
    <Num
      id={`difference-${row.asset}`}
      seq={row.seq}
      value={row.difference}
      className={off ? "rounded bg-alarm px-1 font-semibold text-white" : "text-gain"}
    />
  );
}
