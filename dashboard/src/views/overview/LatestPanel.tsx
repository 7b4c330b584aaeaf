// The newest events. The events view has all of them.

import { Link } from "@tanstack/react-router";
import { useDesk } from "../../state/desk";
import { Panel } from "../../ui/Panel";
import { EventLine } from "../events/EventLine";

const QUIET = new Set(["equity_snapshot", "candle_closed", "order_accepted"]);

export function LatestPanel({ className }: { className: string }) {
  const events = useDesk(state => state.events);
  const shown = events.filter(event => !QUIET.has(event.type)).slice(0, 40);
  return (
    <Panel
      title="Latest events"
      actions={
        <Link to="/events" className="link text-xs">
          All events
        </Link>
      }
      className={className}
      flush
    >
      {shown.length === 0 ? (
        <p className="px-3 pb-4 text-dim">Nothing since this page was opened.</p>
      ) : (
        <ol aria-label="Latest events" className="max-h-96 overflow-y-auto">
          {shown.map(event => (
            <li key={event.id}>
              <EventLine event={event} />
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}
