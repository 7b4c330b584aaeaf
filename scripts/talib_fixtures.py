#!/usr/bin/env python3
"""Writes TA-Lib's outputs on real candles, which the indicator tests compare with.

The fixtures hold outputs only: each names its input file and the SHA-256 of it, and the test reads the
candles itself. Run it again after adding a column; with the same TA-Lib the output is the same bytes.

    python3 -m venv venv && venv/bin/pip install TA-Lib==0.8.2 numpy
    TRADEWIND_TEST_DATA=/path/to/shared venv/bin/python scripts/talib_fixtures.py

TA-Lib before 0.8 answers a standard deviation of 0 for prices around 1e-5, where variances are below its
idea of zero then; do not regenerate with an older one.

Format of a fixture: `# key value` lines, then CSV. A column is an indicator and its parameters, split by
colons. `# first` gives, for each column, the index of TA-Lib's first value. The first rows are complete;
after them only every n-th and the last few are kept.
"""

import csv
import gzip
import hashlib
import io
import os
import pathlib
import sys

import numpy
import talib

FIXTURES = pathlib.Path(__file__).parent.parent / "crates/tradewind-indicators/tests/fixtures"
LAST_ROWS = 5
DIGITS = 13  # The tests compare to a relative 1e-9.

CUSTOMARY = [
    "sma:20", "ema:20", "rsi:14", "atr:14", "deviation:20", "bollinger:20:2",
    "macd:12:26:9", "highest:20", "lowest:20", "donchian:20",
]
SHORT = [
    "sma:2", "ema:2", "rsi:2", "atr:1", "deviation:2", "bollinger:5:1.5",
    "macd:3:10:4", "highest:2", "lowest:2", "donchian:3",
]
LONG = [
    "sma:200", "ema:200", "rsi:100", "atr:100", "deviation:200", "bollinger:100:2.5",
    "macd:50:100:20", "highest:100", "lowest:100", "donchian:55",
]

# Input file, columns, complete rows at the start, then every n-th.
SERIES = [
    ("binance_multi_tf_2018/BTC_USDT-1m.csv", CUSTOMARY, 120, 10),
    ("binance_multi_tf_2018/BTC_USDT-5m.csv", SHORT, 120, 10),
    ("binance_multi_tf_2018/BTC_USDT-1h.csv", LONG, 0, 4),
    ("binance_multi_tf_2018/ADA_BTC-1m.csv", SHORT, 60, 10),
    ("binance_multi_tf_2018/ADA_BTC-1h.csv", CUSTOMARY, 120, 10),
    ("candles_1m/btc-perp-20211231-20220201_1m.csv.gz", CUSTOMARY + LONG, 0, 500),
]


def main():
    root = os.environ.get("TRADEWIND_TEST_DATA")
    if root is None:
        sys.exit("TRADEWIND_TEST_DATA is not set: point it at the folder that holds data/")
    FIXTURES.mkdir(parents=True, exist_ok=True)
    for name, specs, complete, every in SERIES:
        raw = (pathlib.Path(root) / "data" / name).read_bytes()
        columns = {}
        high, low, close = candles(raw, name)
        for spec in specs:
            columns.update(outputs(spec, high, low, close))
        target = FIXTURES / fixture_name(name)
        target.write_text(render(name, raw, columns, len(close), complete, every))
        print(f"{target.name}: {target.stat().st_size} bytes")


def candles(raw, name):
    text = (gzip.decompress(raw) if name.endswith(".gz") else raw).decode()
    rows = list(csv.reader(io.StringIO(text)))[1:]
    return (numpy.array([float(row[i]) for row in rows]) for i in (2, 3, 4))


def outputs(spec, high, low, close):
    """The columns of one indicator, as TA-Lib computes them."""
    kind, *parameters = spec.split(":")
    period = int(parameters[0])
    match kind:
        case "sma":
            return {spec: talib.SMA(close, period)}
        case "ema":
            return {spec: talib.EMA(close, period)}
        case "rsi":
            return {spec: talib.RSI(close, period)}
        case "atr":
            return {spec: talib.ATR(high, low, close, period)}
        case "deviation":
            return {spec: talib.STDDEV(close, period, 1.0)}
        case "highest":
            return {spec: talib.MAX(close, period)}
        case "lowest":
            return {spec: talib.MIN(close, period)}
        case "donchian":
            lines = talib.MAX(high, period), talib.MIN(low, period)
            return named(spec, ("upper", "lower"), lines)
        case "bollinger":
            k = float(parameters[1])
            return named(spec, ("upper", "middle", "lower"), talib.BBANDS(close, period, k, k))
        case "macd":
            fast, slow, signal = map(int, parameters)
            lines = talib.MACD(close, fast, slow, signal)
            return named(spec, ("line", "signal", "histogram"), lines)
    raise ValueError(f"unknown indicator {spec}")


def named(spec, names, lines):
    return {f"{spec}:{name}": line for name, line in zip(names, lines, strict=True)}


def render(name, raw, columns, rows, complete, every):
    first = [int(numpy.flatnonzero(~numpy.isnan(line))[0]) for line in columns.values()]
    kept = [i for i in range(rows) if i < complete or i % every == 0 or i >= rows - LAST_ROWS]
    lines = [
        f"# input {name}",
        f"# sha256 {hashlib.sha256(raw).hexdigest()}",
        f"# talib {talib.__ta_version__.decode().split()[0]}",
        f"# rows {rows}",
        "# first " + ",".join(map(str, first)),
        "index," + ",".join(columns),
    ]
    lines += [f"{i}," + ",".join(cell(line[i]) for line in columns.values()) for i in kept]
    return "\n".join(lines) + "\n"


def cell(value):
    return "" if numpy.isnan(value) else f"{value:.{DIGITS}g}"


def fixture_name(name):
    return pathlib.Path(name).name.removesuffix(".gz").removesuffix(".csv") + ".talib.csv"


if __name__ == "__main__":
    main()
