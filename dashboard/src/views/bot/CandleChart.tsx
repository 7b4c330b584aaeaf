// Candles with the bot's fills, stops and orders. A click on a fill shows its causes. The library draws on a canvas and
// takes floats as coordinates; every figure that is read as text comes from elsewhere.

import {
  type AutoscaleInfo,
  CandlestickSeries,
  createChart,
  createSeriesMarkers,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  type ISeriesMarkersPluginApi,
  LineStyle,
  type SeriesMarker,
  type Time,
  type UTCTimestamp,
} from "lightweight-charts";
import { useEffect, useMemo, useRef } from "react";
import type { CandleAnswer, FillMarker, Order } from "../../api/types";
import { decimals, toCoordinate } from "../../lib/decimal";
import { instant } from "../../lib/time";
import { useDesk } from "../../state/desk";
import { color } from "../../ui/color";
import { type CauseMark, causeCandle, inOrder, type Line, linesOf, openOf, shownFills } from "./marks";

interface CandleChartProps {
  candles: CandleAnswer | undefined;
  orders: readonly Order[];
  instrument: string;
  interval: string;
  cause: CauseMark | undefined;
  selected: string | undefined;
  onSelect(event: string): void;
}

export function CandleChart(props: CandleChartProps) {
  const { candles, orders, instrument, interval, cause, selected, onSelect } = props;
  const holder = useRef<HTMLDivElement>(null);
  const chart = useChart(holder, onSelect, `${instrument} ${interval}`);
  const items = useMemo(() => inOrder(candles?.items ?? []), [candles]);
  const highlighted = causeCandle(cause, interval);
  const fresh = candles?.instrument === instrument && candles.interval === interval;

  useEffect(() => {
    if (fresh) chart.current?.setCandles(items, interval, highlighted);
  }, [chart, items, interval, highlighted, fresh]);
  useEffect(() => {
    if (fresh) chart.current?.setFills(shownFills(candles.fills, items), interval, selected, highlighted);
  }, [chart, candles, items, interval, selected, highlighted, fresh]);
  useEffect(() => {
    if (fresh) chart.current?.setLines(linesOf(candles.positions, orders));
  }, [chart, candles, orders, fresh]);
  useEffect(() => {
    const show = () => chart.current?.setBid(useDesk.getState().prices[instrument]?.bid);
    show();
    return useDesk.subscribe((now, before) => {
      if (now.prices[instrument] !== before.prices[instrument]) show();
    });
  }, [chart, instrument]);

  return (
    <figure className="flex flex-1 flex-col gap-1">
      <div className="relative min-h-96 flex-1">
        <div
          ref={holder}
          data-testid="candles"
          data-candles={fresh ? items.length : 0}
          data-cause={highlighted === undefined ? undefined : new Date(highlighted * 1000).toISOString()}
          className="absolute inset-0"
        />
      </div>
      <figcaption className="flex flex-wrap justify-between gap-x-4 text-2xs text-faint">
        <span>Triangles are fills; click one to see what led to it. Dashed lines are stops and targets.</span>
        <a className="hover:text-text" href="https://www.tradingview.com/" rel="noreferrer">
          Charts by TradingView
        </a>
      </figcaption>
    </figure>
  );
}

/** The chart for as long as `subject` stays the same; another instrument or interval is another chart. */
function useChart(
  holder: React.RefObject<HTMLDivElement | null>,
  onSelect: (event: string) => void,
  subject: string,
) {
  const chart = useRef<Drawing>(undefined);
  const select = useRef(onSelect);
  select.current = onSelect;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another subject needs a new chart, without the zoom and scale of the old one
  useEffect(() => {
    if (!holder.current) return;
    const drawing = new Drawing(holder.current, id => select.current(id));
    chart.current = drawing;
    return () => {
      chart.current = undefined;
      drawing.remove();
    };
  }, [holder, subject]);
  return chart;
}

const STYLES = { solid: LineStyle.Solid, dashed: LineStyle.Dashed, dotted: LineStyle.Dotted };

/** Wraps the chart library. */
class Drawing {
  readonly #chart: IChartApi;
  readonly #series: ISeriesApi<"Candlestick">;
  readonly #markers: ISeriesMarkersPluginApi<Time>;
  #lines: IPriceLine[] = [];
  #levels: number[] = [];
  #bid: IPriceLine | undefined;
  #openTime: UTCTimestamp | undefined;
  #lastBid: string | undefined;
  #fitted = false;

  constructor(element: HTMLElement, onSelect: (event: string) => void) {
    this.#chart = createChart(element, look(element));
    this.#series = this.#chart.addSeries(CandlestickSeries, {
      upColor: color("--gain"),
      downColor: color("--loss"),
      wickUpColor: color("--gain"),
      wickDownColor: color("--loss"),
      borderVisible: false,
      lastValueVisible: false,
      autoscaleInfoProvider: (fitted: () => AutoscaleInfo | null) => this.#withLines(fitted()),
      priceLineVisible: false,
    });
    this.#markers = createSeriesMarkers(this.#series, []);
    this.#chart.subscribeClick(({ hoveredObjectId: id }) => {
      if (typeof id === "string" && id !== CAUSE) onSelect(id);
    });
  }

  setCandles(
    items: readonly CandleAnswer["items"][number][],
    interval: string,
    highlighted: number | undefined,
  ): void {
    const digits = Math.max(0, ...items.slice(-50).map(candle => decimals(candle.close)));
    this.#series.applyOptions({ priceFormat: { type: "price", precision: digits, minMove: 10 ** -digits } });
    const bars = items.map(candle => {
      const time = (instant(candle.open_time) / 1000) as UTCTimestamp;
      const tone = time === highlighted ? { color: color("--warn"), wickColor: color("--warn") } : {};
      return {
        time,
        open: toCoordinate(candle.open),
        high: toCoordinate(candle.high),
        low: toCoordinate(candle.low),
        close: toCoordinate(candle.close),
        ...tone,
      };
    });
    this.#series.setData(bars);
    const last = items.at(-1);
    this.#openTime = last && (openOf(last.close_time, interval) as UTCTimestamp);
    this.setBid(this.#lastBid ?? last?.close);
    if (!this.#fitted && bars.length > 0) {
      this.#fitted = true;
      this.#chart.timeScale().setVisibleLogicalRange({ from: bars.length - 110, to: bars.length + 6 });
    }
    if (highlighted !== undefined) this.#reveal(bars.findIndex(bar => bar.time === highlighted));
  }

  setFills(
    fills: readonly FillMarker[],
    interval: string,
    selected: string | undefined,
    highlighted: number | undefined,
  ): void {
    const marks: SeriesMarker<Time>[] = fills.map(fill => ({
      id: fill.event ?? "",
      time: openOf(fill.at, interval) as UTCTimestamp,
      price: toCoordinate(fill.price),
      position: fill.side === "buy" ? "atPriceBottom" : "atPriceTop",
      shape: fill.side === "buy" ? "arrowUp" : "arrowDown",
      color: fill.event === selected ? color("--text") : color(fill.side === "buy" ? "--sea" : "--warn"),
      size: fill.event === selected ? 2 : 1.2,
    }));
    if (highlighted !== undefined) {
      marks.push({
        id: CAUSE,
        time: highlighted as UTCTimestamp,
        position: fills.some(fill => fill.event === selected && fill.side === "sell")
          ? "belowBar"
          : "aboveBar",
        shape: "circle",
        color: color("--warn"),
        text: "cause",
      });
    }
    this.#markers.setMarkers(marks.sort((a, b) => Number(a.time) - Number(b.time)));
  }

  setLines(lines: readonly Line[]): void {
    for (const line of this.#lines) this.#series.removePriceLine(line);
    this.#levels = lines.map(line => toCoordinate(line.price));
    this.#lines = lines.map(line =>
      this.#series.createPriceLine({
        title: line.title,
        price: toCoordinate(line.price),
        color: color(line.color),
        lineStyle: STYLES[line.style],
        lineWidth: 1,
        axisLabelVisible: true,
      }),
    );
  }

  /** The bid as a line, and as a dash in the place of the candle that is still open, where the newest fills belong. */
  setBid(bid: string | undefined): void {
    if (bid === undefined) return;
    this.#lastBid = bid;
    const price = toCoordinate(bid);
    if (this.#openTime !== undefined) {
      const faint = { color: color("--faint"), wickColor: color("--faint") };
      this.#series.update({
        time: this.#openTime,
        open: price,
        high: price,
        low: price,
        close: price,
        ...faint,
      });
    }
    if (this.#bid) this.#bid.applyOptions({ price });
    else {
      this.#bid = this.#series.createPriceLine({
        title: "bid",
        price,
        color: color("--faint"),
        lineStyle: LineStyle.Dotted,
        lineWidth: 1,
        axisLabelVisible: true,
      });
    }
  }

  remove(): void {
    this.#chart.remove();
  }

  /** The scale that shows the candles and every level: stops must be visible. */
  #withLines(fitted: AutoscaleInfo | null): AutoscaleInfo | null {
    if (!fitted?.priceRange) return fitted;
    const { minValue, maxValue } = fitted.priceRange;
    return {
      ...fitted,
      priceRange: {
        minValue: Math.min(minValue, ...this.#levels),
        maxValue: Math.max(maxValue, ...this.#levels),
      },
    };
  }

  /** Brings a bar into view if it is not. */
  #reveal(index: number): void {
    const scale = this.#chart.timeScale();
    const range = scale.getVisibleLogicalRange();
    if (index < 0 || !range || (index > range.from && index < range.to)) return;
    const half = (range.to - range.from) / 2;
    scale.setVisibleLogicalRange({ from: index - half, to: index + half });
  }
}

const CAUSE = "cause";

function look(element: HTMLElement) {
  return {
    autoSize: true,
    layout: {
      background: { color: "transparent" },
      textColor: color("--dim"),
      fontFamily: getComputedStyle(element).fontFamily,
      fontSize: 11,
      // The page has the required link and notice: the library's logo needs an inline style, which the page's policy refuses.
      attributionLogo: false,
    },
    grid: { vertLines: { color: color("--line") }, horzLines: { color: color("--line") } },
    rightPriceScale: { borderColor: color("--line") },
    timeScale: { borderColor: color("--line"), timeVisible: true, secondsVisible: false, rightOffset: 4 },
    crosshair: { vertLine: { color: color("--line-strong") }, horzLine: { color: color("--line-strong") } },
  };
}
