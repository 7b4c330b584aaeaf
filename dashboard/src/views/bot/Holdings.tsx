// The positions of a bot, their stops and targets, and the button that closes them.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { post } from "../../api/client";
import type { Position } from "../../api/types";
import { format } from "../../lib/decimal";
import { product } from "../../lib/names";
import { Age, Countdown } from "../../ui/Age";
import { Num } from "../../ui/Num";
import { Panel } from "../../ui/Panel";
import { Problem } from "../../ui/Problem";

export function Holdings({ positions }: { positions: readonly Position[] }) {
  return (
    <Panel title="Position">
      {positions.length === 0 && <p className="text-dim">No open position.</p>}
      {positions.map(position => (
        <Holding key={position.instrument} position={position} />
      ))}
    </Panel>
  );
}

function Holding({ position }: { position: Position }) {
  const client = useQueryClient();
  const close = useMutation({
    mutationFn: () =>
      post("positions/close", {
        account: position.account,
        bot: position.owner,
        instrument: position.instrument,
      }),
    onSettled: () => client.invalidateQueries({ queryKey: ["bots"] }),
  });
  const { stop, take_profit, trailing, at } = position.exit;
  return (
    <div className="flex flex-col gap-1">
      <p className="flex items-baseline gap-2">
        <Num value={position.quantity} className="text-base font-semibold" />
        <span>{product(position.instrument)}</span>
        <span className="ml-auto">
          <Num value={position.unrealized} digits={2} signed />{" "}
          <span className="text-faint">{position.quote_asset}</span>
        </span>
      </p>
      <p className="text-dim">
        in at {position.entry_price ? format(position.entry_price) : "–"},{" "}
        <Age at={position.opened_at} plain />
      </p>
      <ul className="text-xs">
        {stop && <Level name="Stop" price={stop} tone="text-loss" />}
        {trailing && <Level name="Trailing stop" price={trailing} tone="text-warn" />}
        {take_profit && <Level name="Take profit" price={take_profit} tone="text-gain" />}
        {at && (
          <li className="flex justify-between">
            <span className="text-dim">Closed at the latest in</span>
            <Countdown at={at} />
          </li>
        )}
      </ul>
      {!position.protected && <p className="font-semibold text-loss">Not protected by a stop.</p>}
      <Problem of={close.error} />
      <button
        type="button"
        className="button mt-1 self-start"
        disabled={close.isPending}
        onClick={() => close.mutate()}
      >
        Close at market
      </button>
    </div>
  );
}

function Level({ name, price, tone }: { name: string; price: string; tone: string }) {
  return (
    <li className="flex justify-between">
      <span className="text-dim">{name}</span>
      <Num value={price} className={tone} />
    </li>
  );
}
