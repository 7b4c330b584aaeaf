// The stream as it passes, by type; each event opens into its causes.

import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { EventType } from "../../api/events";
import { useDesk } from "../../state/desk";
import { Panel } from "../../ui/Panel";
import { EventLine } from "./EventLine";

const SHOWN = 300;

export function EventsView() {
  const { types } = useSearch({ from: "/desk/events" });
  const navigate = useNavigate({ from: "/events" });
  const live = useDesk(state => state.events);
  const [held, setHeld] = useState<typeof live>();
  const events = held ?? live;
  const chosen = useMemo(() => new Set((types ?? "").split(",").filter(Boolean)), [types]);
  const counts = useMemo(() => count(events.map(event => event.type)), [events]);
  const shown = events.filter(event => chosen.size === 0 || chosen.has(event.type)).slice(0, SHOWN);

  const toggle = (type: string) => {
    const next = new Set(chosen);
    if (!next.delete(type)) next.add(type);
    void navigate({ search: next.size > 0 ? { types: [...next].join(",") } : {}, replace: true });
  };

  return (
    <Panel
      title="Events"
      note={`${events.length} since this page was opened`}
      actions={
        <button type="button" className="button" onClick={() => setHeld(held ? undefined : live)}>
          {held ? `Resume (${live.length - held.length} new)` : "Pause"}
        </button>
      }
      flush
    >
      <fieldset className="flex flex-wrap gap-1 px-3 pb-2">
        <legend className="sr-only">Types of event</legend>
        {[...new Set([...counts.keys(), ...chosen])].sort().map(type => (
          <button
            key={type}
            type="button"
            aria-pressed={chosen.has(type)}
            onClick={() => toggle(type)}
            className={`rounded border px-1.5 py-0.5 text-2xs ${chosen.has(type) ? "border-sea bg-sea-deep text-text" : "border-line text-dim hover:border-dim"}`}
          >
            {type.replaceAll("_", " ")} <span className="text-faint">{counts.get(type) ?? 0}</span>
          </button>
        ))}
      </fieldset>
      {shown.length === 0 ? (
        <p className="px-3 pb-4 text-dim">
          Nothing yet. The stream is read from the moment this page is opened.
        </p>
      ) : (
        <ol aria-label="Events">
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

function count(types: readonly EventType[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const type of types) counts.set(type, (counts.get(type) ?? 0) + 1);
  return counts;
}
