// The equity line. Coordinates are floats, as every chart's; the figures under the cursor are the desk's own text.

import { useEffect, useRef, useState } from "react";
import uPlot from "uplot";
import type { EquityPoint } from "../../api/types";
import { format, toCoordinate } from "../../lib/decimal";
import { clock, instant } from "../../lib/time";
import { color } from "../../ui/color";

export function EquityChart({ points }: { points: readonly EquityPoint[] }) {
  const holder = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(undefined);
  const [under, setUnder] = useState<number | null>(null);
  const shown = points[under ?? points.length - 1];

  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    const plot = new uPlot(options(element, setUnder), [[], []], element);
    chart.current = plot;
    const observer = new ResizeObserver(() => plot.setSize(size(element)));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, []);

  useEffect(() => {
    chart.current?.setData([
      points.map(point => instant(point.at) / 1000),
      points.map(point => toCoordinate(point.equity)),
    ]);
  }, [points]);

  return (
    <figure className="flex h-full flex-col" aria-label="Equity since the start">
      <figcaption className="flex justify-end gap-3 text-2xs text-faint">
        {shown && (
          <>
            <span>{clock(instant(shown.at))}</span>
            <span className="text-dim">{format(shown.equity, { digits: 2 })}</span>
          </>
        )}
      </figcaption>
      <div className="relative min-h-40 flex-1">
        <div ref={holder} className="absolute inset-0" />
      </div>
    </figure>
  );
}

function size(element: HTMLElement) {
  return { width: element.clientWidth, height: element.clientHeight };
}

function options(element: HTMLElement, onUnder: (index: number | null) => void): uPlot.Options {
  const axis = {
    stroke: color("--faint"),
    font: `11px ${getComputedStyle(element).fontFamily}`,
    grid: { stroke: color("--line"), width: 1 },
    ticks: { show: false },
  };
  return {
    ...size(element),
    padding: [6, 4, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 6 } },
    scales: { y: { range: (_plot, low, high) => around(low, high) } },
    series: [{}, { stroke: color("--sea"), width: 1.5, fill: fade, points: { show: false } }],
    axes: [
      { ...axis, space: 90, size: 24, values: (_plot, ticks) => ticks.map(tick => clock(tick * 1000)) },
      { ...axis, size: 66, values: (_plot, ticks) => ticks.map(tick => tick.toLocaleString("en-US")) },
    ],
    hooks: { setCursor: [plot => onUnder(plot.cursor.idx ?? null)] },
  };
}

/** Padding above and below; a flat line is in the middle. */
function around(low: number, high: number): [number, number] {
  const room = (high - low || Math.abs(high) * 0.0002 || 1) * 0.12;
  return [low - room, high + room];
}

function fade(plot: uPlot): CanvasGradient {
  const { top, height } = plot.bbox;
  const gradient = plot.ctx.createLinearGradient(0, top, 0, top + height);
  gradient.addColorStop(0, `${color("--sea")}33`);
  gradient.addColorStop(1, `${color("--sea")}00`);
  return gradient;
}
