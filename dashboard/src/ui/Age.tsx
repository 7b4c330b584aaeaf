// How old something is, in the desk's own time, and how long until something is due.

import type { AsOf } from "../api/types";
import { clock, countdown, deskNow, duration, instant } from "../lib/time";
import { useBeat } from "../state/clock";
import { useDesk } from "../state/desk";

/** Desk time now; `undefined` until the first message of the desk. */
export function useDeskTime(): number | undefined {
  const beat = useBeat();
  const known = useDesk(state => state.clock);
  return known && deskNow(known, Math.max(beat, known.receivedAt));
}

/** Seconds of the wall, not of the desk: at ten times the speed everything is ten times as old. */
const OLD_MS = 15_000;

interface AgeProps {
  at: string | null | undefined;
  id?: string;
  /** For what may be old: no warning colour. */
  plain?: boolean;
}

/** `3 s ago`, in the warning colour once it is old. */
export function Age({ at, id, plain = false }: AgeProps) {
  const now = useDeskTime();
  const speed = useDesk(state => state.speed);
  if (!at || now === undefined) return <span className="text-faint">–</span>;
  const age = Math.max(0, now - instant(at));
  const tone = !plain && age > OLD_MS * speed ? "text-warn" : "";
  return (
    <time dateTime={at} data-testid={id} className={tone}>
      {age < 1_000 ? "now" : `${duration(age)} ago`}
    </time>
  );
}

/** What a panel's numbers belong to: desk time, age, sequence number. */
export function AsOfNote({ of }: { of: AsOf | undefined }) {
  if (!of) return <span>waiting for the desk</span>;
  return (
    <span>
      {clock(instant(of.at))} · <Age at={of.at} /> · seq {of.seq.toLocaleString("en-US")}
    </span>
  );
}

/** Time left until `at`. */
export function Countdown({ at }: { at: string | null | undefined }) {
  const now = useDeskTime();
  if (!at || now === undefined) return <span className="text-faint">–</span>;
  return <time dateTime={at}>{countdown(instant(at), now)}</time>;
}
