// Positions that no stop at the venue covers, and positions that cannot be closed. It is there only if there are any.

import { useRisk } from "../../api/queries";
import { product } from "../../lib/names";
import { Age } from "../../ui/Age";
import { Panel } from "../../ui/Panel";
import { type Column, Table } from "../../ui/Table";

interface Row {
  key: string;
  what: string;
  bot: string;
  instrument: string;
  since: string | null;
  reason: string;
}

export function ProtectionPanel({ className }: { className: string }) {
  const risk = useRisk().data;
  const unprotected = (risk?.unprotected ?? []).map(
    (of): Row => ({ ...of, key: `u ${of.bot} ${of.instrument}`, what: "unprotected" }),
  );
  const blocked = (risk?.blocked_exits ?? []).map(
    (of): Row => ({ ...of, key: `b ${of.bot} ${of.instrument}`, what: "cannot be closed", since: null }),
  );
  const rows = [...unprotected, ...blocked];
  if (rows.length === 0) return null;
  return (
    <Panel title="Unprotected positions" className={className} flush>
      <div role="alert" className="max-h-52 overflow-y-auto">
        <Table
          label="Unprotected positions"
          rows={rows}
          columns={COLUMNS}
          rowKey={row => row.key}
          empty="Every position is protected."
        />
      </div>
    </Panel>
  );
}

const COLUMNS: Column<Row>[] = [
  { key: "what", title: "Position", cell: row => <strong className="text-loss">{row.what}</strong> },
  { key: "bot", title: "Bot", cell: row => row.bot },
  { key: "instrument", title: "Instrument", cell: row => product(row.instrument) },
  {
    key: "since",
    title: "Since",
    cell: row => (row.since ? <Age at={row.since} id={`since-${row.key}`} /> : "–"),
  },
  { key: "reason", title: "Reason", cell: row => row.reason },
];
