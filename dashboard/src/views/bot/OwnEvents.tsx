// The events of one bot since the page was opened.

import { botOf } from "../../api/events";
import { useDesk } from "../../state/desk";
import { Panel } from "../../ui/Panel";
import { EventLine } from "../events/EventLine";

const SHOWN = 100;

export function OwnEvents({ bot, className }: { bot: string; className: string }) {
  const events = useDesk(state => state.events);
  const own = events.filter(event => botOf(event) === bot).slice(0, SHOWN);
  return (
    <Panel title="Its events" className={className} flush>
      {own.length === 0 ? (
        <p className="px-3 pb-4 text-dim">Nothing since this page was opened.</p>
      ) : (
        <ol aria-label="Events of the bot" className="max-h-96 overflow-y-auto">
          {own.map(event => (
            <li key={event.id}>
              <EventLine event={event} />
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}
