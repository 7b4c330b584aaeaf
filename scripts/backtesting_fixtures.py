#!/usr/bin/env python3
"""Writes the trades that backtesting.py makes of real candles, which a test of the backtest compares with.

The fixture holds trades only: it names its input file and the SHA-256 of it, and the test reads the candles
itself. With the same backtesting.py the output is the same bytes.

    python3 -m venv venv && venv/bin/pip install backtesting==0.6.6
    TRADEWIND_TEST_DATA=/path/to/shared venv/bin/python scripts/backtesting_fixtures.py

The rules: whenever flat, buy one unit at the next open, except after the first candle behind a gap, on which
the desk only warms up again; close it 2 % above or 4 % below the entry price,
levels cut to the last digit of the data; no fees, no spread. backtesting.py fills a stop at its level or at a
worse open, a target at its level or at a better open, and the stop first where a candle holds both.

Format of the fixture: `# key value` lines (`ambiguous`: candles that hold stop and target; `gain`: what the
targets would have brought more), then CSV: the candle of the entry (the first of the file is 0), the
entry price, candles until the exit (0 is the same candle), the exit price. Prices are counts of 0.0001; all
trades are long.
"""

import gzip
import hashlib
import io
import os
import pathlib
import sys
import warnings

import backtesting
import pandas

FIXTURES = pathlib.Path(__file__).parent.parent / "crates/tradewind-backtest/tests/data"
INPUT = "binance_1h/SOLUSDT_1h_2020_2026.csv.gz"
SCALE = 10_000  # The data has four digits after the point.
TARGET_PPM = 20_000
STOP_PPM = 40_000


class BlindEntries(backtesting.Strategy):
    """Buys one unit whenever it is flat. The levels follow from the price it is going to pay."""

    opens: list

    def init(self):
        pass

    def next(self):
        following = len(self.data)
        if self.position or self.orders or following >= len(self.opens):
            return
        if self.data.index[-1] - self.data.index[-2] != pandas.Timedelta(hours=1):
            return
        stop, target = levels(price(self.opens[following]))
        order = self.buy(size=1)
        # Not as arguments of buy(): it compares them with the last close, and a gap may lie between.
        order._replace(sl_price=stop / SCALE, tp_price=target / SCALE)


def main():
    root = os.environ.get("TRADEWIND_TEST_DATA")
    if root is None:
        sys.exit("TRADEWIND_TEST_DATA is not set: point it at the folder that holds data/")
    raw = (pathlib.Path(root) / "data" / INPUT).read_bytes()
    candles = pandas.read_csv(io.BytesIO(gzip.decompress(raw)))
    frame = candles.rename(columns=str.capitalize)
    frame.index = pandas.to_datetime(frame.pop("Time"), unit="s")
    BlindEntries.opens = frame["Open"].tolist()
    warnings.simplefilter("ignore")
    run = backtesting.Backtest(frame, BlindEntries, cash=1_000_000, finalize_trades=False).run()
    FIXTURES.mkdir(parents=True, exist_ok=True)
    target = FIXTURES / "SOLUSDT-1h.blind-entries.csv"
    target.write_text(render(raw, frame, run["_trades"]))
    print(f"{target.name}: {target.stat().st_size} bytes, {len(run['_trades'])} trades")
    returns = run["_trades"]["ExitPrice"] / run["_trades"]["EntryPrice"] - 1
    print(f"mean return {100 * returns.mean():+.4f} %")


def ambiguous(frame, trades):
    """Trades whose last candle holds stop and target, and what the targets would have brought more."""
    count, gain = 0, 0
    for trade in trades.itertuples():
        entry, candle = price(trade.EntryPrice), frame.iloc[trade.ExitBar]
        stop, target = levels(entry)
        if price(candle["Low"]) <= stop < price(candle["Open"]) < target <= price(candle["High"]):
            count, gain = count + 1, gain + target - price(trade.ExitPrice)
    return count, gain


def levels(entry):
    """Stop and target of an entry price, all in counts."""
    return entry - entry * STOP_PPM // 1_000_000, entry + entry * TARGET_PPM // 1_000_000


def render(raw, frame, trades):
    if not (trades["Size"] == 1).all():
        sys.exit("a trade is not of one unit, long")
    count, gain = ambiguous(frame, trades)
    lines = [
        f"# input {INPUT}",
        f"# sha256 {hashlib.sha256(raw).hexdigest()}",
        f"# backtesting.py {backtesting.__version__}",
        f"# trades {len(trades)}",
        f"# ambiguous {count}",
        f"# gain {gain}",
        "entry,entry_price,held,exit_price",
    ]
    for trade in trades.sort_values("EntryBar", kind="stable").itertuples():
        held = trade.ExitBar - trade.EntryBar
        lines.append(f"{trade.EntryBar},{price(trade.EntryPrice)},{held},{price(trade.ExitPrice)}")
    return "\n".join(lines) + "\n"


def price(value):
    return round(value * SCALE)


if __name__ == "__main__":
    main()
