// Why something happened: each event and the one that led to it, down to a quote, a candle or a command.

import { useCauses } from "../../api/queries";
import { Problem } from "../../ui/Problem";
import { EventWords } from "./EventLine";

export function CauseChain({ event }: { event: string }) {
  const { data, error, isPending } = useCauses(event);
  if (error) return <Problem of={error} />;
  if (isPending) return <p className="text-xs text-faint">Asking why …</p>;
  return (
    <ol
      aria-label="Cause chain"
      data-testid="cause-chain"
      className="relative ml-1 border-l border-sea/50 pl-3"
    >
      {data.chain.map((cause, index) => (
        <li key={cause.id} data-type={cause.type} className="relative flex gap-x-2 py-0.5 text-xs">
          <span aria-hidden="true" className="absolute top-2 -left-[15px] h-1.5 w-1.5 rounded-full bg-sea" />
          {index > 0 && <span className="shrink-0 text-faint">because</span>}
          <EventWords event={cause} />
        </li>
      ))}
      {!data.complete && <li className="py-0.5 text-xs text-faint">The log does not reach further back.</li>}
    </ol>
  );
}
