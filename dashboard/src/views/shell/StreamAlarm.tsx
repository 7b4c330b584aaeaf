// Says, loudly, that what is on the screen is no longer what is.

import { duration } from "../../lib/time";
import { useBeat } from "../../state/clock";
import { useDesk } from "../../state/desk";

export function StreamAlarm() {
  const { phase, problem, attempt } = useDesk(state => state.stream);
  const lastByteAt = useDesk(state => state.lastByteAt);
  const beat = useBeat();
  if (phase !== "stale" && phase !== "down") return null;
  const since = lastByteAt === undefined ? undefined : Math.max(0, beat - lastByteAt);
  return (
    <div
      role="alert"
      data-testid="stale"
      className="flex flex-wrap items-baseline gap-x-4 bg-alarm px-3 py-2 font-medium text-white"
    >
      <strong className="font-semibold">STALE: nothing on this screen is current.</strong>
      <span>
        {problem}
        {since !== undefined && `; last message ${duration(since)} ago`}
      </span>
      <span className="ml-auto text-xs opacity-90">
        {phase === "down"
          ? `Reconnecting by itself${attempt > 1 ? `, attempt ${attempt}` : ""}`
          : "Waiting for it"}
      </span>
    </div>
  );
}
