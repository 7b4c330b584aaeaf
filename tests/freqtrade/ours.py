"""Backtests strategy files with `tradewind backtest` and writes its trades as reference.py does. With --as-live callbacks see what they see live.

A trade begins with a buy while flat and ends with the sale after which nothing but dust is left. Times are those of the candle.
"""

import argparse
import json
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

CANDLE_MS = 300_000
# Reasons of the desk, by how they begin, in freqtrade's words. A take-profit is the level above the open at which freqtrade fills a trailing
# stop in the candle of the entry; `minimal_roi` is a profit by age.
REASONS = {"stop:": "stop_loss", "trailing stop:": "trailing_stop_loss", "profit by age:": "roi", "take profit:": "trailing_stop_loss"}
LEVELS = ("stop_loss", "trailing_stop_loss", "roi")


def backtest(binary, python, strategy, files, as_live):
    command = [
        binary, "--json", "backtest", "--strategy", f"freqtrade:{strategy}", "--python", python, "--param", f"freqtrade_candles={str(not as_live).lower()}",
        "--cash", "1000", "--share", "0.001", "--fee", "0.001", "--half-spread", "0", "--fills", "100000", "--data", *files,
    ]
    began = time.perf_counter()
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300)
    seconds = time.perf_counter() - began
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return json.loads(done.stdout), seconds


def milliseconds(text):
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def reason(fill):
    words = fill["reason"]
    for begin, name in REASONS.items():
        if words.startswith(begin):
            return fill["tag"] if fill["tag"] in LEVELS else name
    return words


def trades(report):
    open_trades, done = {}, []
    for fill in report["newest_fills"]:
        pair, quantity, price = fill["instrument"].rpartition(":")[2], float(fill["quantity"]), float(fill["price"])
        at = milliseconds(fill["at"])
        candle = at - at % CANDLE_MS
        trade = open_trades.get(pair)
        if trade is None:
            open_trades[pair] = {
                "pair": pair, "entered_at": candle, "entry": price, "tag": fill["tag"], "orders": [[True, candle, price, quantity]],
                "held": quantity * (1 - 0.001 * (fill["fee_asset"] == pair.split("/")[0])),
            }
            continue
        is_buy = fill["side"] == "buy"
        trade["orders"].append([is_buy, candle, price, quantity])
        kept = 1 - 0.001 * (fill["fee_asset"] == pair.split("/")[0])
        trade["held"] += quantity * kept if is_buy else -quantity
        if not is_buy and trade["held"] * price < 1e-4:
            trade.update(left_at=candle, exit=price, reason=reason(fill))
            done.append(open_trades.pop(pair))
    return done


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--strategies", type=Path, required=True)
    parser.add_argument("--as-live", action="store_true")
    parser.add_argument("names", nargs="+")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    files = sorted(arguments.data.glob("*-5m.csv"))
    candles = sum(len(path.read_text().splitlines()) - 1 for path in files)
    for name in arguments.names:
        report, seconds = backtest(arguments.binary, sys.executable, arguments.strategies / f"{name}.py", files, arguments.as_live)
        found = trades(report)
        result = {"strategy": name, "candles": candles, "seconds": seconds, "trades": found}
        (arguments.out / f"{name}.json").write_text(json.dumps(result))
        notes = f", denials {report['denials']}" if report["denials"] else ""
        notes += f", {report['bot_errors']} errors: {report['last_error']}" if report["bot_errors"] else ""
        print(f"{name}: {len(found)} trades, {candles} candles, {seconds:.2f} s{notes}", flush=True)


main()
