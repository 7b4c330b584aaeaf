#!/usr/bin/env python3
"""Writes TA-Lib's outputs for every indicator of the catalogue that names TA-Lib as its reference.

    python3 -m venv venv && venv/bin/pip install TA-Lib==0.8.2 numpy
    TRADEWIND_TEST_DATA=/path/to/shared venv/bin/python scripts/talib_catalogue.py

The fixtures hold outputs only, as those of talib_fixtures.py, which describes the format; they are compressed, and
`# hits` lists the rows in which a candle pattern ends: the first possible row, their number, then the first of
them as row:value. Run it again
after adding a row to the catalogue; with the same TA-Lib the output is the same bytes.
"""

import csv
import gzip
import hashlib
import io
import os
import pathlib
import sys
import types

import numpy
import talib
from talib import abstract

FIXTURES = pathlib.Path(__file__).parent.parent / "crates/tradewind-indicators/tests/fixtures"
LAST_ROWS = 5
DIGITS = 15
HITS = 300

# Input file, which of the parameter sets, every n-th row.
SERIES = [
    ("binance_multi_tf_2018/BTC_USDT-5m.csv", 0, 8),
    ("binance_multi_tf_2018/ADA_BTC-1h.csv", 1, 8),
    ("candles_1m/btc-perp-20211231-20220201_1m.csv.gz", 2, 700),
]

# By name: the columns of the answer, the function, and the parameters for each series.
VALUE = ("value",)
STOCHASTIC = ("k", "d")


def close(function):
    return lambda c, *p: function(c.close, *p)


def bar(function):
    return lambda c, *p: function(c.high, c.low, c.close, *p)


def high_low(function):
    return lambda c, *p: function(c.high, c.low, *p)


def whole(function):
    return lambda c, *p: function(c.open, c.high, c.low, c.close, *p)


def traded(function):
    return lambda c, *p: function(c.high, c.low, c.close, c.volume, *p)


def priced(function):
    return lambda c, *p: function(c.close, c.volume, *p)


def zscore(c, n):
    # TA-Lib's deviation of equal values is 0; so is the score.
    deviation = talib.STDDEV(c.close, n, 1.0)
    with numpy.errstate(invalid="ignore", divide="ignore"):
        score = (c.close - talib.SMA(c.close, n)) / deviation
    return numpy.where(deviation == 0.0, 0.0, score)


def linear_regression(c, n):
    functions = (
        talib.LINEARREG, talib.LINEARREG_SLOPE, talib.LINEARREG_INTERCEPT, talib.LINEARREG_ANGLE, talib.TSF
    )
    return [function(c.close, n) for function in functions]


def supertrend(c, n, k):
    stop, direction = talib.SUPERTREND(c.high, c.low, c.close, n, k)
    return stop, numpy.where(numpy.isnan(stop), numpy.nan, direction)


TABLE = {
    "sma": (VALUE, close(talib.SMA), [(20,), (2,), (200,)]),
    "ema": (VALUE, close(talib.EMA), [(20,), (2,), (200,)]),
    "rma": (VALUE, close(talib.RMA), [(14,), (2,), (100,)]),
    "wma": (VALUE, close(talib.WMA), [(20,), (3,), (200,)]),
    "dema": (VALUE, close(talib.DEMA), [(20,), (3,), (100,)]),
    "tema": (VALUE, close(talib.TEMA), [(20,), (3,), (100,)]),
    "trima": (VALUE, close(talib.TRIMA), [(20,), (5,), (101,)]),
    "kama": (VALUE, close(talib.KAMA), [(30,), (3,), (100,)]),
    "t3": (VALUE, close(talib.T3), [(5, 0.7), (2, 0.5), (40, 0.9)]),
    "hma": (VALUE, close(talib.HMA), [(20,), (7,), (100,)]),
    "vwma": (VALUE, priced(talib.VWMA), [(20,), (3,), (100,)]),
    "zlema": (VALUE, close(talib.ZLEMA), [(20,), (5,), (100,)]),
    "rsi": (VALUE, close(talib.RSI), [(14,), (2,), (100,)]),
    "macd": (("line", "signal", "histogram"), close(talib.MACD), [(12, 26, 9), (3, 10, 4), (50, 100, 20)]),
    "stoch": (
        STOCHASTIC,
        lambda c, n, k, d: talib.STOCH(c.high, c.low, c.close, n, k, 0, d, 0),
        [(5, 3, 3), (3, 2, 2), (55, 10, 5)],
    ),
    "stochf": (
        STOCHASTIC, lambda c, n, d: talib.STOCHF(c.high, c.low, c.close, n, d, 0), [(5, 3), (3, 2), (55, 10)]
    ),
    "stochrsi": (
        STOCHASTIC, lambda c, r, n, d: talib.STOCHRSI(c.close, r, n, d, 0), [(14, 5, 3), (3, 4, 2), (55, 20, 10)]
    ),
    "cci": (VALUE, bar(talib.CCI), [(14,), (3,), (100,)]),
    "willr": (VALUE, bar(talib.WILLR), [(14,), (3,), (100,)]),
    "mfi": (VALUE, traded(talib.MFI), [(14,), (3,), (100,)]),
    "cmo": (VALUE, close(talib.CMO), [(14,), (2,), (100,)]),
    "mom": (VALUE, close(talib.MOM), [(10,), (1,), (100,)]),
    "roc": (VALUE, close(talib.ROC), [(10,), (1,), (100,)]),
    "rocp": (VALUE, close(talib.ROCP), [(10,), (1,), (100,)]),
    "rocr": (VALUE, close(talib.ROCR), [(10,), (1,), (100,)]),
    "apo": (VALUE, lambda c, f, s: talib.APO(c.close, f, s, 1), [(12, 26), (3, 10), (50, 100)]),
    "ppo": (VALUE, lambda c, f, s: talib.PPO(c.close, f, s, 1), [(12, 26), (3, 10), (50, 100)]),
    "trix": (VALUE, close(talib.TRIX), [(15,), (3,), (60,)]),
    "ultosc": (VALUE, bar(talib.ULTOSC), [(7, 14, 28), (2, 3, 5), (20, 40, 80)]),
    "aroon": (
        ("down", "up", "oscillator"),
        lambda c, n: [*talib.AROON(c.high, c.low, n), talib.AROONOSC(c.high, c.low, n)],
        [(14,), (3,), (100,)],
    ),
    "bop": (VALUE, whole(talib.BOP), [(), (), ()]),
    "dpo": (VALUE, close(talib.DPO), [(20,), (3,), (100,)]),
    "tsi": (VALUE, close(talib.TSI), [(25, 13), (4, 3), (60, 30)]),
    "ao": (VALUE, high_low(talib.AO), [(5, 34), (2, 5), (20, 100)]),
    "coppock": (VALUE, close(talib.COPPOCK), [(10, 11, 14), (3, 2, 4), (20, 30, 60)]),
    "dm": (
        ("plus", "minus"),
        lambda c, n: [talib.PLUS_DM(c.high, c.low, n), talib.MINUS_DM(c.high, c.low, n)],
        [(14,), (2,), (50,)],
    ),
    "dmi": (
        ("plus", "minus", "index"),
        lambda c, n: [f(c.high, c.low, c.close, n) for f in (talib.PLUS_DI, talib.MINUS_DI, talib.DX)],
        [(14,), (2,), (50,)],
    ),
    "adx": (VALUE, bar(talib.ADX), [(14,), (2,), (50,)]),
    "adxr": (VALUE, bar(talib.ADXR), [(14,), (2,), (50,)]),
    "sar": (VALUE, high_low(talib.SAR), [(0.02, 0.2), (0.1, 0.3), (0.01, 0.1)]),
    "supertrend": (("stop", "direction"), supertrend, [(10, 3.0), (3, 1.0), (50, 2.0)]),
    "vortex": (("plus", "minus"), bar(talib.VORTEX), [(14,), (2,), (100,)]),
    "linreg": (
        ("value", "slope", "intercept", "angle", "forecast"), linear_regression, [(14,), (3,), (100,)]
    ),
    "atr": (VALUE, bar(talib.ATR), [(14,), (1,), (100,)]),
    "natr": (VALUE, bar(talib.NATR), [(14,), (2,), (100,)]),
    "trange": (VALUE, bar(talib.TRANGE), [(), (), ()]),
    "bbands": (
        ("upper", "middle", "lower"), lambda c, n, k: talib.BBANDS(c.close, n, k, k), [(20, 2.0), (5, 1.5), (100, 2.5)]
    ),
    "donchian": (
        ("upper", "lower"), lambda c, n: talib.DONCHIAN(c.high, c.low, n)[::2], [(20,), (3,), (55,)]
    ),
    "keltner": (("upper", "middle", "lower"), bar(talib.KC), [(20, 10, 2.0), (3, 8, 1.5), (50, 100, 2.5)]),
    "stddev": (VALUE, lambda c, n: talib.STDDEV(c.close, n, 1.0), [(20,), (2,), (200,)]),
    "var": (VALUE, lambda c, n: talib.VAR(c.close, n, 1.0), [(20,), (2,), (200,)]),
    "avgdev": (VALUE, close(talib.AVGDEV), [(14,), (3,), (100,)]),
    "mass": (VALUE, high_low(talib.MASSI), [(9, 25), (3, 4), (20, 50)]),
    "obv": (VALUE, priced(talib.OBV), [(), (), ()]),
    "ad": (VALUE, traded(talib.AD), [(), (), ()]),
    "adosc": (VALUE, traded(talib.ADOSC), [(3, 10), (2, 4), (20, 60)]),
    "cmf": (VALUE, traded(talib.CMF), [(20,), (3,), (100,)]),
    "vwap": (VALUE, traded(talib.VWAP), [(), (), ()]),
    "efi": (VALUE, priced(talib.EFI), [(13,), (2,), (60,)]),
    "pvt": (VALUE, priced(talib.PVT), [(), (), ()]),
    "nvi": (VALUE, priced(talib.NVI), [(), (), ()]),
    "pvi": (VALUE, priced(talib.PVI), [(), (), ()]),
    "rvol": (VALUE, lambda c, n: talib.RVOL(c.volume, n), [(20,), (3,), (100,)]),
    "highest": (VALUE, close(talib.MAX), [(20,), (2,), (100,)]),
    "lowest": (VALUE, close(talib.MIN), [(20,), (2,), (100,)]),
    "sum": (VALUE, close(talib.SUM), [(20,), (2,), (100,)]),
    "midpoint": (VALUE, close(talib.MIDPOINT), [(14,), (2,), (100,)]),
    "midprice": (VALUE, high_low(talib.MIDPRICE), [(14,), (2,), (100,)]),
    "percentile": (VALUE, close(talib.PERCENTILE), [(30, 50.0), (7, 36.0), (100, 90.0)]),
    "percentrank": (VALUE, close(talib.PERCENTRANK), [(100,), (5,), (200,)]),
    "zscore": (VALUE, zscore, [(20,), (5,), (100,)]),
    "er": (VALUE, close(talib.ER), [(10,), (2,), (100,)]),
    "correl": (VALUE, high_low(talib.CORREL), [(30,), (5,), (100,)]),
    "beta": (VALUE, high_low(talib.BETA), [(5,), (3,), (100,)]),
    "typprice": (VALUE, bar(talib.TYPPRICE), [(), (), ()]),
    "medprice": (VALUE, high_low(talib.MEDPRICE), [(), (), ()]),
    "wclprice": (VALUE, bar(talib.WCLPRICE), [(), (), ()]),
    "avgprice": (VALUE, whole(talib.AVGPRICE), [(), (), ()]),
    "ha": (("open", "high", "low", "close"), whole(talib.HA), [(), (), ()]),
}

PATTERNS = {
    "doji": "CDLDOJI",
    "dragonfly_doji": "CDLDRAGONFLYDOJI",
    "gravestone_doji": "CDLGRAVESTONEDOJI",
    "spinning_top": "CDLSPINNINGTOP",
    "marubozu": "CDLMARUBOZU",
    "hammer": "CDLHAMMER",
    "hanging_man": "CDLHANGINGMAN",
    "inverted_hammer": "CDLINVERTEDHAMMER",
    "shooting_star": "CDLSHOOTINGSTAR",
    "engulfing": "CDLENGULFING",
    "harami": "CDLHARAMI",
    "piercing": "CDLPIERCING",
    "dark_cloud_cover": "CDLDARKCLOUDCOVER",
    "morning_star": "CDLMORNINGSTAR",
    "evening_star": "CDLEVENINGSTAR",
    "morning_doji_star": "CDLMORNINGDOJISTAR",
    "evening_doji_star": "CDLEVENINGDOJISTAR",
    "three_inside": "CDL3INSIDE",
    "three_outside": "CDL3OUTSIDE",
    "three_white_soldiers": "CDL3WHITESOLDIERS",
    "three_black_crows": "CDL3BLACKCROWS",
}


def main():
    root = os.environ.get("TRADEWIND_TEST_DATA")
    if root is None:
        sys.exit("TRADEWIND_TEST_DATA is not set: point it at the folder that holds data/")
    for name, which, every in SERIES:
        raw = (pathlib.Path(root) / "data" / name).read_bytes()
        target = FIXTURES / fixture_name(name)
        text = render(name, raw, candles(raw, name), which, every)
        with gzip.GzipFile(target, "wb", compresslevel=9, mtime=0) as file:
            file.write(text.encode())
        print(f"{target.name}: {target.stat().st_size} bytes")


def candles(raw, name):
    text = (gzip.decompress(raw) if name.endswith(".gz") else raw).decode()
    rows = list(csv.reader(io.StringIO(text)))[1:]
    names = ("open", "high", "low", "close", "volume")
    columns = {key: numpy.array([float(row[i]) for row in rows]) for i, key in enumerate(names, 1)}
    return types.SimpleNamespace(**columns)


def render(name, raw, series, which, every):
    columns = {}
    for key, (lines, function, parameters) in TABLE.items():
        answer = function(series, *parameters[which])
        answer = [answer] if isinstance(answer, numpy.ndarray) else answer
        spec = ":".join([key, *map(str, parameters[which])])
        for line, values in zip(lines, answer, strict=True):
            columns[f"{spec}:{line}"] = values
    rows = len(series.close)
    kept = [i for i in range(rows) if i % every == every - 1 or i >= rows - LAST_ROWS]
    first = [int(numpy.flatnonzero(~numpy.isnan(line))[0]) for line in columns.values()]
    text = [
        f"# input {name}",
        f"# sha256 {hashlib.sha256(raw).hexdigest()}",
        f"# talib {talib.__ta_version__.decode().split()[0]}",
        f"# rows {rows}",
        "# first " + ",".join(map(str, first)),
    ]
    for key, name in PATTERNS.items():
        hits = getattr(talib, name)(series.open, series.high, series.low, series.close)
        places = numpy.flatnonzero(hits)
        lookback = abstract.Function(name).lookback
        text.append(f"# hits {key} {lookback} {len(places)} " + ",".join(f"{i}:{hits[i]}" for i in places[:HITS]))
    text.append("index," + ",".join(columns))
    text += [f"{i}," + ",".join(cell(line[i]) for line in columns.values()) for i in kept]
    return "\n".join(text) + "\n"


def cell(value):
    return "" if numpy.isnan(value) else f"{value:.{DIGITS}g}"


def fixture_name(name):
    return pathlib.Path(name).name.removesuffix(".gz").removesuffix(".csv") + ".catalogue.csv.gz"


if __name__ == "__main__":
    main()
