"""Converts gzip CSV candles to the feather files that freqtrade reads, with longer candles beside them, and to CSV: convert.py FROM TO.

Prices are rounded to the eight decimals that they have: the source carries noise of floats (0.00005330000000000001), for which freqtrade
takes an order at a candle's own open to be outside of the candle. A longer candle is written when all of it lies in the file. Holes are
filled with flat candles in the CSV files, as freqtrade fills them when it reads the others.
"""

import sys
from pathlib import Path

import pandas

LONGER = {"15m": "15min", "30m": "30min", "1h": "1h", "4h": "4h"}
DECIMALS = 8
COLUMNS = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}


def longer(frame, rule):
    grouped = frame.set_index("date").resample(rule, label="left", closed="left").agg(COLUMNS).dropna(subset=["open"])
    length = pandas.Timedelta(rule)
    first, last = frame["date"].iloc[0], frame["date"].iloc[-1] + pandas.Timedelta("5min")
    return grouped[(grouped.index >= first) & (grouped.index + length <= last)].reset_index()


def filled(frame):
    full = frame.set_index("date").resample("5min").first()
    full["close"] = full["close"].ffill()
    for name in ("open", "high", "low"):
        full[name] = full[name].fillna(full["close"])
    full["volume"] = full["volume"].fillna(0.0)
    return full.reset_index()


def write_csv(frame, path):
    out = frame.copy()
    out.insert(0, "open_time_ms", out.pop("date").astype("datetime64[ms, UTC]").astype("int64"))
    for name in ("open", "high", "low", "close"):
        out[name] = out[name].map(lambda price: f"{price:.{DECIMALS}f}")
    out["volume"] = out["volume"].map(lambda volume: f"{volume:.8f}")
    out.to_csv(path, index=False)


def main():
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.glob("*.csv.gz")):
        frame = pandas.read_csv(path)
        frame.insert(0, "date", pandas.to_datetime(frame.pop("open_time_ms"), unit="ms", utc=True))
        prices = ["open", "high", "low", "close"]
        frame[prices] = frame[prices].round(DECIMALS)
        name = path.name.removesuffix("-5m.csv.gz")
        frame.to_feather(target / f"{name}-5m.feather")
        write_csv(filled(frame), target / f"{name}-5m.csv")
        for timeframe, rule in LONGER.items():
            longer(frame, rule).to_feather(target / f"{name}-{timeframe}.feather")


main()
