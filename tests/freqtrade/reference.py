"""Backtests strategy files with freqtrade itself and writes its trades as JSON.

It runs in an environment that has freqtrade. No exchange is contacted: the markets are written below.
Usage: reference.py --data FOLDER --out FOLDER --strategies FOLDER NAME... Each strategy runs in a process of its own, as with freqtrade's
own command, and its seconds are those of that process from start to end.
"""

import argparse
import json
import logging
import subprocess
import sys
import time
from pathlib import Path

from freqtrade.enums import CandleType, RunMode
from freqtrade.optimize.backtesting import Backtesting
from freqtrade.resolvers import ExchangeResolver

FEE = 0.001
TICK = 1e-8


def market(pair):
    base, quote = pair.split("/")
    limits = {"min": None, "max": None}
    return {
        "id": base + quote, "symbol": pair, "base": base, "quote": quote, "active": True, "spot": True, "type": "spot",
        "margin": False, "swap": False, "future": False, "contract": False, "linear": None, "inverse": None, "contractSize": None,
        "taker": FEE, "maker": FEE, "precision": {"amount": TICK, "price": TICK},
        "limits": {"amount": dict(limits), "price": dict(limits), "cost": dict(limits), "leverage": dict(limits)}, "info": {},
    }


def configuration(strategy, arguments, pairs, timeframe):
    return {
        "strategy": strategy, "strategy_path": str(arguments.strategies), "timeframe": timeframe,
        "datadir": arguments.data, "user_data_dir": arguments.out, "exportdirectory": arguments.out, "exportfilename": arguments.out / "x.json",
        "dataformat_ohlcv": "feather", "dataformat_trades": "feather", "export": "none",
        "stake_currency": "BTC", "stake_amount": 0.05, "dry_run": True, "dry_run_wallet": 1000.0, "max_open_trades": -1,
        "tradable_balance_ratio": 0.99, "fee": FEE, "runmode": RunMode.BACKTEST, "trading_mode": "spot", "margin_mode": "",
        "candle_type_def": CandleType.SPOT, "enable_protections": True, "cancel_open_orders_on_exit": False,
        "exchange": {"name": "binance", "key": "", "secret": "", "pair_whitelist": pairs, "pair_blacklist": [], "skip_pair_validation": True},
        "pairlists": [{"method": "StaticPairList", "allow_inactive": True}], "entry_pricing": {"price_side": "same", "use_order_book": False},
        "exit_pricing": {"price_side": "same", "use_order_book": False}, "unfilledtimeout": {"entry": 100000, "exit": 100000, "unit": "minutes"},
        "original_config": {}, "internals": {}, "reduce_df_footprint": False, "backtest_cache": "none", "verbosity": 0,
    }


def offline_exchange(config, pairs):
    exchange = ExchangeResolver.load_exchange(config, validate=False, load_leverage_tiers=False)
    exchange._markets = {pair: market(pair) for pair in pairs}
    exchange._api.markets = exchange._markets
    exchange._last_markets_refresh = 2**60
    exchange.reload_markets = lambda *args, **kwargs: None
    return exchange


def run(strategy, arguments, pairs):
    config = configuration(strategy, arguments, pairs, "5m")
    test = Backtesting(config, offline_exchange(config, pairs))
    data, timerange = test.load_bt_data()
    candles = sum(len(frame) for frame in data.values())
    test.backtest_one_strategy(test.strategylist[0], data, timerange)
    results = test.all_bt_content[test.strategylist[0].get_strategy_name()]["results"]
    trades = [
        {
            "pair": row.pair, "entered_at": int(row.open_date.timestamp() * 1000), "left_at": int(row.close_date.timestamp() * 1000),
            "entry": row.open_rate, "exit": row.close_rate, "reason": row.exit_reason, "tag": row.enter_tag or "",
            "orders": [[o["ft_is_entry"], int(o["order_filled_timestamp"]), o["safe_price"], o["amount"]] for o in row.orders],
        }
        for row in results.itertuples()
    ]
    return {"strategy": strategy, "candles": candles, "trades": trades}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--strategies", type=Path, required=True)
    parser.add_argument("--here", action="store_true", help="run in this process, untimed")
    parser.add_argument("names", nargs="+")
    arguments = parser.parse_args()
    logging.disable(logging.INFO)
    arguments.out.mkdir(parents=True, exist_ok=True)
    pairs = sorted(path.name.split("-")[0].replace("_", "/") for path in arguments.data.glob("*-5m.feather"))
    if arguments.here:
        for name in arguments.names:
            (arguments.out / f"{name}.json").write_text(json.dumps(run(name, arguments, pairs)))
        return
    for name in arguments.names:
        began = time.perf_counter()
        subprocess.run([sys.executable, *sys.argv[: -len(arguments.names)], "--here", name], check=True, stdout=subprocess.DEVNULL)
        path = arguments.out / f"{name}.json"
        result = {**json.loads(path.read_text()), "seconds": time.perf_counter() - began}
        path.write_text(json.dumps(result))
        print(f"{name}: {len(result['trades'])} trades, {result['candles']} candles, {result['seconds']:.2f} s", flush=True)


main()
