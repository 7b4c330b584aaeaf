// One event as one line that opens: its cause chain, and the whole of it as JSON.

import { useState } from "react";
import { botOf, type DeskEvent, type EventType } from "../../api/events";
import { describe } from "../../lib/eventText";
import { instant, preciseClock } from "../../lib/time";
import { CauseChain } from "./CauseChain";

const TONE: Partial<Record<EventType, string>> = {
  order_filled: "text-gain",
  position_opened: "text-gain",
  signal_generated: "text-sea",
  order_placed: "text-sea",
  risk_decision_rejected: "text-warn",
  order_unknown: "text-warn",
  queue_overflow: "text-warn",
  gap: "text-warn",
  order_rejected: "text-loss",
  bot_error: "text-loss",
  circuit_breaker_fired: "text-loss",
  kill_switch: "text-loss",
  desk_stopping: "text-loss",
  position_unprotected: "text-loss",
  target_refused: "text-warn",
  alarm: "text-loss",
};

export function EventLine({ event }: { event: DeskEvent }) {
  const [open, setOpen] = useState(false);
  return (
    <details
      open={open}
      onToggle={toggle => setOpen(toggle.currentTarget.open)}
      data-event={event.id}
      className="border-b border-line/60 open:bg-raised/50"
    >
      <summary className="flex gap-x-2 px-3 py-1 text-xs hover:bg-raised/60">
        <EventWords event={event} />
      </summary>
      {open && (
        <div className="flex flex-col gap-2 px-3 pb-3">
          <CauseChain event={event.id} />
          <Json of={event} />
        </div>
      )}
    </details>
  );
}

/** Time, type, bot and words of an event. */
export function EventWords({ event }: { event: DeskEvent }) {
  const bot = botOf(event);
  return (
    <>
      <time dateTime={event.at} className="shrink-0 text-faint" title={preciseClock(instant(event.at))}>
        {preciseClock(instant(event.at)).slice(0, 8)}
      </time>
      <span className={`shrink-0 ${TONE[event.type] ?? "text-dim"}`}>{event.type.replaceAll("_", " ")}</span>
      {bot && <span className="shrink-0 text-text">{bot}</span>}
      <span className="min-w-0 truncate text-dim" title={describe(event)}>
        {describe(event)}
      </span>
    </>
  );
}

function Json({ of }: { of: unknown }) {
  return (
    <details>
      <summary className="text-2xs text-faint hover:text-text">JSON</summary>
      <pre className="mt-1 overflow-x-auto rounded border border-line bg-ink p-2 font-mono text-2xs leading-4">
        {JSON.stringify(of, null, 2)}
      </pre>
    </details>
  );
}
