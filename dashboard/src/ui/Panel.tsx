// A titled box. The title row may hold a note (how old, how many) and controls.

import type { ReactNode } from "react";

interface PanelProps {
  title: string;
  note?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  className?: string;
  /** For what brings its own padding, such as tables. */
  flush?: boolean;
}

export function Panel({ title, note, actions, children, className = "", flush = false }: PanelProps) {
  return (
    <section className={`panel flex flex-col ${className}`} aria-label={title}>
      <header className="flex flex-wrap items-baseline gap-x-3 gap-y-1 px-3 pt-2 pb-1.5">
        <h2 className="panel-title">{title}</h2>
        {note && <div className="text-2xs text-faint">{note}</div>}
        {actions && <div className="ml-auto flex items-center gap-2">{actions}</div>}
      </header>
      <div className={flush ? "min-h-0 flex-1" : "flex min-h-0 flex-1 flex-col px-3 pb-3"}>{children}</div>
    </section>
  );
}
