// The last candle close in one line, and the time to the next.

import type { Bot, Close } from "../../api/types";
import { clock, instant } from "../../lib/time";
import { Countdown } from "../../ui/Age";

interface CloseLineProps {
  close: Close | null | undefined;
  next: string | undefined;
}

export function CloseLine({ close, next }: CloseLineProps) {
  return (
    <p data-testid="last-close" className="mb-2 flex flex-wrap items-baseline gap-x-3 text-sm">
      {close ? <Outcome close={close} /> : <span className="text-dim">No close yet.</span>}
      {next && (
        <span className="text-dim">
          Next close in{" "}
          <span className="text-text">
            <Countdown at={next} />
          </span>
        </span>
      )}
    </p>
  );
}

function Outcome({ close }: { close: Close }) {
  const denied = close.denied.reduce((total, { count }) => total + count, 0);
  const rules = close.denied.map(({ rule, name, count }) => `${name} (${rule}) × ${count}`).join(", ");
  return (
    <>
      <span className="text-dim">At the close of {clock(instant(close.at))}</span>
      <Counted count={close.woke}>evaluated</Counted>
      <Counted count={close.held}>no signal</Counted>
      <Counted count={close.signals}>signals</Counted>
      <Counted count={denied} tone={denied ? "text-warn" : ""}>
        denied{rules && `: ${rules}`}
      </Counted>
      <Counted count={close.filled}>filled</Counted>
      <Counted count={close.partly_filled}>partly filled</Counted>
    </>
  );
}

function Counted({
  count,
  tone = "",
  children,
}: {
  count: number;
  tone?: string;
  children: React.ReactNode;
}) {
  return (
    <span className={tone}>
      <b className="font-semibold">{count}</b> {children}
    </span>
  );
}

/** The earliest close at which a bot is evaluated. */
export function nextClose(bots: readonly Bot[]): string | undefined {
  const closes = bots.flatMap(bot => (bot.next_wake?.interval ? [bot.next_wake.at] : []));
  return closes.sort((a, b) => instant(a) - instant(b))[0];
}
