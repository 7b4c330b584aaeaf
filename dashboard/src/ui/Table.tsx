// A dense table that sorts by its headings. Columns say how to show a row and how to compare two; what is not compared is not
// sortable. It holds no rows of its own.

import { type KeyboardEvent, type ReactNode, useMemo, useState } from "react";

export interface Column<Row> {
  key: string;
  title: string;
  cell(row: Row): ReactNode;
  compare?(a: Row, b: Row): number;
  /** Right-aligned: numbers. */
  end?: boolean;
  /** Left out on small screens. */
  wide?: boolean;
  /** Extra classes of its cells. */
  className?: string;
}

interface TableProps<Row> {
  label: string;
  rows: readonly Row[];
  columns: readonly Column<Row>[];
  rowKey(row: Row): string;
  onOpen?(row: Row): void;
  selected?: string | undefined;
  empty?: ReactNode;
}

interface Order {
  key: string;
  descending: boolean;
}

export function Table<Row>({ label, rows, columns, rowKey, onOpen, selected, empty }: TableProps<Row>) {
  const [order, setOrder] = useState<Order>();
  const sorted = useMemo(() => sort(rows, columns, order), [rows, columns, order]);
  if (rows.length === 0 && empty) return <p className="px-3 pt-1 pb-4 text-dim">{empty}</p>;
  return (
    <div className="overflow-x-auto">
      <table className="grid-table" aria-label={label}>
        <thead>
          <tr>
            {columns.map(column => (
              <Heading key={column.key} column={column} order={order} onOrder={setOrder} />
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted.map(row => {
            const key = rowKey(row);
            return (
              <tr
                key={key}
                data-row={key}
                aria-selected={selected === undefined ? undefined : selected === key}
                {...(onOpen ? openable(() => onOpen(row)) : {})}
              >
                {columns.map(column => (
                  <td
                    key={column.key}
                    className={`${column.end ? "text-right" : ""} ${hidden(column)} ${column.className ?? ""}`}
                  >
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function openable(open: () => void) {
  return {
    tabIndex: 0,
    className: "cursor-pointer",
    onClick: open,
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key === "Enter" && event.target === event.currentTarget) open();
    },
  };
}

interface HeadingProps<Row> {
  column: Column<Row>;
  order: Order | undefined;
  onOrder(order: Order | undefined): void;
}

function Heading<Row>({ column, order, onOrder }: HeadingProps<Row>) {
  const active = order?.key === column.key ? order : undefined;
  const sorting = active ? (active.descending ? "descending" : "ascending") : "none";
  const className = `${column.end ? "text-right!" : ""} ${hidden(column)}`;
  if (!column.compare) return <th className={className}>{column.title}</th>;
  return (
    <th className={className} aria-sort={sorting}>
      <button
        type="button"
        className={active ? "text-text" : "hover:text-text"}
        onClick={() => onOrder(next(active, column.key))}
      >
        {column.title}
        <span aria-hidden="true">{active ? (active.descending ? " ↓" : " ↑") : ""}</span>
      </button>
    </th>
  );
}

function hidden<Row>(column: Column<Row>): string {
  return column.wide ? "hidden md:table-cell" : "";
}

/** Up, down, as it came. */
function next(active: Order | undefined, key: string): Order | undefined {
  if (!active) return { key, descending: false };
  return active.descending ? undefined : { key, descending: true };
}

function sort<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  order: Order | undefined,
): readonly Row[] {
  const compare = columns.find(column => column.key === order?.key)?.compare;
  if (!order || !compare) return rows;
  const direction = order.descending ? -1 : 1;
  return [...rows].sort((a, b) => direction * compare(a, b));
}
