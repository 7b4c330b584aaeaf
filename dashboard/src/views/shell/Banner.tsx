// What must be known before any number is read: that it is simulated, from which seed, that there is no edge, how fast the
// clock runs, what state the desk is in. And the way to stop it.

import { useState } from "react";
import type { Status } from "../../api/types";
import { clock } from "../../lib/time";
import { useDesk } from "../../state/desk";
import { useDeskTime } from "../../ui/Age";
import { DeskStateBadge } from "../../ui/State";
import { KillDialog } from "./KillDialog";
import { ResetDialog } from "./ResetDialog";

export function Banner({ status }: { status: Status | undefined }) {
  return (
    <div
      data-testid="banner"
      className={`flex flex-wrap items-center gap-x-4 gap-y-1.5 border-b border-line px-3 py-1.5 ${status && status.mode.name !== "LIVE" ? "stripes" : ""}`}
    >
      {status ? <Facts status={status} /> : <span className="text-dim">Waiting for the desk …</span>}
      <div className="ml-auto flex items-center gap-3">
        <Live />
        {status && <KnownState status={status} />}
        <Switch status={status} />
      </div>
    </div>
  );
}

function Facts({ status }: { status: Status }) {
  const { name, seed, speed, note } = status.mode;
  return (
    <p className="flex flex-wrap items-baseline gap-x-3 text-xs text-dim">
      <strong
        data-testid="mode"
        className={`text-sm font-semibold ${name === "LIVE" ? "text-loss" : "text-warn"}`}
      >
        {name}
      </strong>
      {seed !== null && !note.includes(`seed ${seed}`) && (
        <span>
          seed{" "}
          <data value={seed} data-testid="seed" data-seq={status.seq} className="text-text">
            {seed}
          </data>
        </span>
      )}
      <span data-testid="note" className="text-text">
        {note}
      </span>
      <span>
        speed <span className="text-text">{speed}×</span>
      </span>
    </p>
  );
}

/** The desk's state; while the stream is down it is only what it was. */
function KnownState({ status }: { status: Status }) {
  const current = useDesk(state => state.stream.phase === "live");
  return (
    <span className={current ? "" : "opacity-50 grayscale"}>
      {!current && <span className="mr-1 text-xs text-dim">was</span>}
      <DeskStateBadge state={status.state} seq={status.seq} />
    </span>
  );
}

/** Desk time while the stream is live; otherwise what it is instead. */
function Live() {
  const phase = useDesk(state => state.stream.phase);
  const now = useDeskTime();
  const live = phase === "live";
  return (
    <span
      data-testid="stream"
      data-phase={phase}
      role="status"
      className={`flex items-center gap-1.5 text-xs ${live ? "text-dim" : "font-semibold text-loss"}`}
    >
      <span aria-hidden="true" className={`h-2 w-2 rounded-full ${live ? "pulse bg-gain" : "bg-alarm"}`} />
      {live ? clock(now ?? Number.NaN) : phase === "connecting" ? "connecting" : "stale"}
    </span>
  );
}

function Switch({ status }: { status: Status | undefined }) {
  const [open, setOpen] = useState(false);
  const close = () => setOpen(false);
  const killed = status?.state === "KILLED" || status?.state === "FLATTENING";
  return (
    <>
      <button
        type="button"
        data-testid={killed ? "reset" : "kill"}
        className={`button ${killed ? "" : "button-alarm"} font-semibold`}
        onClick={() => setOpen(true)}
      >
        {killed ? "Reset …" : "KILL"}
      </button>
      {open && (killed ? <ResetDialog onClose={close} /> : <KillDialog onClose={close} />)}
    </>
  );
}
