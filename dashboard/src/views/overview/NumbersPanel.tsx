// Numbers of named series that house sources send, with their age. Nothing is shown on a desk without any.

import { useNumbers } from "../../api/queries";
import type { SeriesNumber } from "../../api/types";
import { AsOfNote } from "../../ui/Age";
import { Panel } from "../../ui/Panel";
import { type Column, Table } from "../../ui/Table";

export function NumbersPanel({ className }: { className: string }) {
  const numbers = useNumbers().data;
  if (!numbers?.items.length) return null;
  return (
    <Panel title="Numbers" note={<AsOfNote of={numbers} />} className={className} flush>
      <div className="max-h-64 overflow-y-auto">
        <Table
          label="Numbers"
          rows={numbers.items}
          columns={COLUMNS}
          rowKey={number => number.series}
          empty="No numbers yet."
        />
      </div>
    </Panel>
  );
}

const COLUMNS: Column<SeriesNumber>[] = [
  { key: "series", title: "Series", cell: number => <span className="font-medium">{number.series}</span> },
  { key: "value", title: "Value", end: true, cell: number => number.value },
  { key: "time", title: "Of", wide: true, className: "text-dim", cell: number => number.event_time },
  {
    key: "received",
    title: "Received",
    wide: true,
    className: "text-dim",
    cell: number => number.received_at,
  },
  { key: "age", title: "Age", end: true, cell: number => `${Math.floor(number.age_ms / 1_000)} s` },
  {
    key: "stale",
    title: "State",
    cell: number =>
      number.stale ? <span className="text-warn">STALE</span> : <span className="text-dim">current</span>,
  },
];
