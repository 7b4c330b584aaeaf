"""A candle loop for the shim alone: what the strategy process decides, filled as freqtrade fills. Writes the JSON of reference.py."""

import argparse
import json
import math
import sys
import time
from pathlib import Path

BEGAN = time.perf_counter()
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python"))
import pandas  # noqa: E402
from tradewind.freqtrade import analysis, load  # noqa: E402
from tradewind.freqtrade.constants import RunMode  # noqa: E402
from tradewind.freqtrade.dataprovider import DataProvider  # noqa: E402
from tradewind.freqtrade.interface import Wallets  # noqa: E402
from tradewind.freqtrade.loader import own  # noqa: E402
from tradewind.freqtrade.protections import Protection  # noqa: E402
from tradewind.freqtrade.rules import Rules  # noqa: E402
from tradewind.freqtrade.trade import PairLocks, Trade  # noqa: E402

TICK = 1e-8
STAKE = 0.05


def read(folder):
    out = {}
    for path in sorted(Path(folder).glob("*-5m.csv")):
        frame = pandas.read_csv(path)
        frame.insert(0, "date", pandas.to_datetime(frame.pop("open_time_ms"), unit="ms", utc=True))
        out[path.name.split("-")[0].replace("_", "/")] = frame
    return out


def run(path, candles, variant):
    began = time.perf_counter()
    Trade._reset()
    PairLocks._reset()
    strategy = load(str(path), config={"stake_currency": "BTC", "timeframe": "5m"})
    PairLocks.timeframe = strategy.timeframe
    base = {pair: analysis.fill_holes(frame, "5m") for pair, frame in candles.items()}
    strategy.dp = DataProvider(
        lambda pair, timeframe: analysis.longer_candles(base[pair], strategy.timeframe, timeframe).copy(), list(base), strategy.timeframe, RunMode.BACKTEST
    )
    strategy.wallets = Wallets(1000.0, "BTC")
    strategy.bot_start()
    rules = Rules(strategy)
    protections = [Protection(settings, strategy.timeframe) for settings in strategy.protections]
    confirm_entry, confirm_exit = own(type(strategy), "confirm_trade_entry"), own(type(strategy), "confirm_trade_exit")
    rows = {}
    first = strategy.startup_candle_count
    loops = own(type(strategy), "bot_loop_start")
    for pair, frame in base.items():
        table = analysis.analyze(strategy, frame.copy(), pair)
        strategy.dp.set_analyzed(pair, table)
        enter, leave = analysis.flags(table, "enter_long"), analysis.flags(table, "exit_long")
        etag, xtag = analysis.tags(table, "enter_tag"), analysis.tags(table, "exit_tag")
        dates = [d.to_pydatetime() for d in table["date"]]
        rows[pair] = list(zip(dates, table.open.tolist(), table.high.tolist(), table.low.tolist(), table.close.tolist(), enter.tolist(), leave.tolist(), etag, xtag))
    out = []

    def close(trade, now, rate, reason):
        entered = int(trade.open_date.timestamp() * 1000)
        trade.close(rate, now, reason)
        out.append({"pair": trade.pair, "entered_at": entered, "left_at": int(now.timestamp() * 1000), "entry": trade.open_rate, "exit": rate,
                    "reason": reason, "tag": trade.enter_tag or "",
                    "orders": [[o.side == "buy", int(o.order_date.timestamp() * 1000), o.price, o.amount] for o in trade.orders]})
        for protection in protections:
            protection.apply(trade.pair, now)

    def step(pair, k):
        now, opening, high, low, closing = rows[pair][k][:5]
        _, _, _, _, _, enter, leave, etag, xtag = rows[pair][k - 1]
        trade = Trade._open.get(pair)
        if k >= len(rows[pair]) - 1:
            if trade:
                close(trade, now, opening, "force_exit")
            return
        if trade is None and enter and not leave and not PairLocks.is_pair_locked(pair, now):
            rate = opening
            stake = strategy.custom_stake_amount(pair=pair, current_time=now, current_rate=rate, proposed_stake=STAKE, min_stake=None, max_stake=1000.0, leverage=1.0, entry_tag=etag or None, side="long")
            amount = math.floor(stake / rate / TICK) * TICK
            if not confirm_entry or strategy.confirm_trade_entry(pair=pair, order_type="limit", amount=amount, rate=rate, time_in_force="GTC", current_time=now, entry_tag=etag or None, side="long"):
                trade = Trade._open[pair] = Trade(pair, rate, amount, now, etag or None, TICK)
        if trade is None:
            return
        if strategy.position_adjustment_enable:
            profit = trade.calc_profit_ratio(opening)
            answer = strategy.adjust_trade_position(trade=trade, current_time=now, current_rate=opening, current_profit=profit, min_stake=0, max_stake=1000.0, current_entry_rate=opening, current_exit_rate=opening, current_entry_profit=profit, current_exit_profit=profit)
            stake, tag = answer if isinstance(answer, tuple) else (answer, "")
            if stake and stake > 0 and (strategy.max_entry_position_adjustment < 0 or trade.nr_of_successful_entries <= strategy.max_entry_position_adjustment):
                trade.add(math.floor(stake / opening / TICK) * TICK, opening, now, tag)
            elif stake and stake < 0:
                trade.reduce(math.floor(-stake * trade.amount / trade.stake_amount / TICK) * TICK, opening, now, tag)
        if variant == "tradewind" and now != trade.open_date:
            # The stop is moved by the candle before, and signals see its close.
            p = rows[pair][k - 1]
            before = trade.stop_loss
            rules.adjust_stop(trade, now, p[4], p[4], p[2])
            keep = Rules.adjust_stop
            Rules.adjust_stop = lambda self, t, *a, **k: None
            ways = rules.exits(trade, now, p[4], enter, leave, xtag, low, high)
            Rules.adjust_stop = keep
        elif variant == "tradewind":
            keep = Rules.adjust_stop
            Rules.adjust_stop = lambda self, t, *a, **k: t.adjust_stop_loss(t.open_rate, strategy.stoploss, initial=True)
            ways = rules.exits(trade, now, opening, enter, leave, xtag, low, high)
            Rules.adjust_stop = keep
        else:
            ways = rules.exits(trade, now, opening, enter, leave, xtag, low, high)
        for way in ways:
            rate = price_of(trade, way, now, opening, high, low)
            if confirm_exit and not strategy.confirm_trade_exit(pair=pair, trade=trade, order_type="limit", amount=trade.amount, rate=rate, time_in_force="GTC", exit_reason=way.reason, current_time=now):
                continue
            close(trade, now, rate, way.reason)
            return

    def price_of(*arguments):
        return round(_price_of(*arguments), 8)

    def _price_of(trade, way, now, opening, high, low):
        if variant == "tradewind":
            if way.price is None:
                return opening
            if way.kind == "roi":
                return max(way.price, opening) if now != trade.open_date else way.price
            return min(way.price, opening)
        if way.price is None:
            return opening
        if way.kind == "roi":
            minutes, _ = rules.roi_at(trade, now)
            age = int((now - trade.open_date).total_seconds() // 60)
            if age > 0 and age == minutes and opening > way.price:
                return opening
            return min(max(way.price, low), high)
        if way.price > high:
            return opening
        if way.kind == "trailing_stop_loss" and now == trade.open_date:
            if not strategy.use_custom_stoploss and strategy.trailing_only_offset_is_reached and strategy.trailing_stop_positive:
                return max(low, opening * (1 + strategy.trailing_stop_positive_offset - strategy.trailing_stop_positive))
            return max(low, opening * (1 + trade.stop_loss_pct))
        return way.price

    for k in range(first + 1, max(len(r) for r in rows.values())):
        opened = [p for p in Trade._open]
        order = list(dict.fromkeys(opened + list(rows)))
        if loops:
            strategy.bot_loop_start(current_time=rows[order[0]][k][0])
        for pair in order:
            if k < len(rows[pair]):
                if pair in Trade._open or rows[pair][k - 1][5]:
                    strategy.dp.set_closed(pair, k, rows[pair][k][0])
                    step(pair, k)
    return {"strategy": path.stem, "candles": sum(len(f) for f in base.values()), "seconds": time.perf_counter() - began, "trades": out}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--variant", default="freqtrade")
    parser.add_argument("files", nargs="+", type=Path)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    candles = read(arguments.data)
    for path in arguments.files:
        result = run(path, candles, arguments.variant)
        (arguments.out / f"{path.stem}.json").write_text(json.dumps(result))
        print(f"{path.stem}: {len(result['trades'])} trades, {result['seconds']:.2f} s", flush=True)


main()
