// The software that this page uses, with the notices that its licences require.

import { Panel } from "../ui/Panel";

export function About() {
  return (
    <div className="mx-auto flex max-w-3xl flex-col gap-3">
      <Panel title="About">
        <div className="flex flex-col gap-2 text-sm">
          <p>
            Tradewind is a trading desk in one process. This page shows the answers of its API and sends your
            commands.
          </p>
          <p>
            Figures are exact decimals from the venue to this screen. Each snapshot shows the number of its
            last input; times are UTC by the desk's clock.
          </p>
          <p>
            The built-in strategies exist to exercise the desk. They have no edge. Nothing here is financial
            advice.
          </p>
        </div>
      </Panel>
      <Panel title="Notices">
        <div className="flex flex-col gap-3 text-sm">
          <p>
            Candles are drawn with TradingView Lightweight Charts™, Copyright (c) 2025 TradingView, Inc.{" "}
            <a className="link" href="https://www.tradingview.com/" rel="noreferrer">
              https://www.tradingview.com/
            </a>{" "}
            Licensed under the Apache License, Version 2.0.
          </p>
          <p>
            Lines are drawn with µPlot, Copyright (c) Leon Sorokin, MIT licence. React, TanStack Query and
            Router, Zustand and Tailwind CSS are used under the MIT licence.
          </p>
          <p>IBM Plex Sans Condensed, Copyright © IBM Corp., SIL Open Font License 1.1.</p>
        </div>
      </Panel>
    </div>
  );
}
