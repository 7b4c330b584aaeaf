// One bot: its candles with what it did on them, what it holds and why, and the events that concern it.

import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useEffect } from "react";
import { useBot, useCandles, useCauses, useFills } from "../../api/queries";
import type { BotAnswer } from "../../api/types";
import { AsOfNote } from "../../ui/Age";
import { Panel } from "../../ui/Panel";
import { Problem } from "../../ui/Problem";
import { CauseChain } from "../events/CauseChain";
import { FillsTable } from "../orders/FillsTable";
import { OrdersTable } from "../orders/OrdersTable";
import { BotHeader } from "./BotHeader";
import { CandleChart } from "./CandleChart";
import { ChartChoice } from "./ChartChoice";
import { Facts } from "./Facts";
import { Holdings } from "./Holdings";
import { causeOf, intervalsOf } from "./marks";
import { OwnEvents } from "./OwnEvents";

export function BotDetail() {
  const { bot: name } = useParams({ from: "/desk/bots/$bot" });
  const { data, error } = useBot(name);
  if (error && !data) {
    return (
      <Panel title={name}>
        <Problem of={error} />
        <Link to="/bots" className="link">
          All bots
        </Link>
      </Panel>
    );
  }
  return data ? <Detail key={name} answer={data} /> : <p className="p-3 text-dim">Waiting for the desk.</p>;
}

function Detail({ answer }: { answer: BotAnswer }) {
  const { bot, orders, positions, settings, seq } = answer;
  const {
    instrument = bot.instruments[0] ?? "",
    interval = intervalsOf(bot)[0] ?? "1m",
    event,
  } = useChosen();
  const navigate = useNavigate({ from: "/bots/$bot" });
  const candles = useCandles({ instrument, interval, bot: bot.name });
  const fills = useFills({ bot: bot.name, limit: 50 }).data?.items ?? [];
  const cause = causeOf(useCauses(event).data);

  // The chart that shows the cause is the one of the cause's interval.
  useEffect(() => {
    if (!cause?.interval || cause.interval === interval) return;
    void navigate({ search: { instrument, interval: cause.interval, event }, replace: true });
  }, [cause?.interval, interval, instrument, event, navigate]);

  const select = (id: string) =>
    void navigate({ search: { instrument, interval, event: id }, replace: true });

  return (
    <div className="flex flex-col gap-2 sm:gap-3">
      <BotHeader bot={bot} seq={seq} />
      <div className="grid gap-2 sm:gap-3 lg:grid-cols-12">
        <Panel
          title="Candles"
          note={<AsOfNote of={candles.data} />}
          actions={<ChartChoice bot={bot} instrument={instrument} interval={interval} />}
          className="lg:col-span-9"
        >
          <Problem of={candles.error} />
          <CandleChart
            candles={candles.data}
            orders={orders.filter(order => order.instrument === instrument)}
            instrument={instrument}
            interval={interval}
            cause={cause}
            selected={event}
            onSelect={select}
          />
          {event && (
            <div className="mt-3 border-t border-line pt-2">
              <h3 className="panel-title mb-1">Why this fill</h3>
              <CauseChain event={event} />
            </div>
          )}
        </Panel>
        <div className="flex flex-col gap-2 sm:gap-3 lg:col-span-3">
          <Holdings positions={positions} />
          <Facts bot={bot} settings={settings} seq={seq} />
        </div>
        <Panel title="Working orders" className="lg:col-span-12" flush>
          <OrdersTable orders={orders} empty="None." />
        </Panel>
        <Panel title="Fills" className="lg:col-span-7" flush>
          <div className="max-h-96 overflow-y-auto">
            <FillsTable fills={fills} empty="None yet." selected={event} />
          </div>
        </Panel>
        <OwnEvents bot={bot.name} className="lg:col-span-5" />
      </div>
    </div>
  );
}

function useChosen() {
  return useSearch({ from: "/desk/bots/$bot" });
}
