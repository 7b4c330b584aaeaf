// The instruments: live prices and the health of each feed.

import { memo } from "react";
import { useFeeds } from "../../api/queries";
import type { Feed } from "../../api/types";
import { nameAmong } from "../../lib/names";
import { useDesk } from "../../state/desk";
import { AsOfNote } from "../../ui/Age";
import { Count } from "../../ui/Num";
import { Panel } from "../../ui/Panel";
import { Price } from "../../ui/Price";
import { FeedMark } from "../../ui/State";
import { type Column, Table } from "../../ui/Table";

export function MarketsPanel({ className }: { className: string }) {
  const feeds = useFeeds().data;
  const live = feeds?.items.filter(feed => feed.health === "LIVE").length ?? 0;
  return (
    <Panel
      title="Markets"
      note={<AsOfNote of={feeds} />}
      actions={
        <span className="text-xs text-dim">
          <Count id="feeds-live" seq={feeds?.seq} value={live} /> of {feeds?.items.length ?? 0} live
        </span>
      }
      className={className}
      flush
    >
      <div className="max-h-96 overflow-y-auto">
        <Table
          label="Markets"
          rows={feeds?.items ?? []}
          columns={COLUMNS}
          rowKey={feed => feed.instrument}
          empty="No instruments yet."
        />
      </div>
    </Panel>
  );
}

const COLUMNS: Column<Feed>[] = [
  {
    key: "instrument",
    title: "Instrument",
    cell: feed => <Name feed={feed} />,
    compare: (a, b) => a.instrument.localeCompare(b.instrument),
  },
  { key: "bid", title: "Bid", end: true, cell: feed => <Side feed={feed} side="bid" /> },
  { key: "ask", title: "Ask", end: true, cell: feed => <Side feed={feed} side="ask" /> },
  {
    key: "quotes",
    title: "Quotes",
    end: true,
    wide: true,
    className: "text-dim",
    cell: feed => <Count value={feed.quotes} />,
    compare: (a, b) => a.quotes - b.quotes,
  },
  {
    key: "trades",
    title: "Trades",
    end: true,
    wide: true,
    className: "text-dim",
    cell: feed => <Count value={feed.trades} />,
    compare: (a, b) => a.trades - b.trades,
  },
  {
    key: "health",
    title: "Feed",
    cell: feed => <FeedMark health={feed.health} />,
    compare: (a, b) => a.health.localeCompare(b.health),
  },
];

/** The instrument; with its venue or source where two of them have the same product. */
function Name({ feed }: { feed: Feed }) {
  const feeds = useFeeds().data?.items ?? [];
  const name = nameAmong(
    feed.instrument,
    feeds.map(other => other.instrument),
  );
  return <span className="font-medium">{name}</span>;
}

/** Bid or ask. Only this cell is drawn again when its price changes. */
const Side = memo(function Side({ feed, side }: { feed: Feed; side: "bid" | "ask" }) {
  const price = useDesk(state => state.prices[feed.instrument]);
  const text = price?.[side] ?? feed.quote?.[side];
  if (!text) return <span className="text-faint">–</span>;
  const tone = price && side === "bid" ? ["text-loss", "", "text-gain"][price.move + 1] : "";
  return <Price instrument={feed.instrument} value={text} className={tone ?? ""} />;
});
