"""A desk for tests of the adapter: it runs a strategy class over candles as the desk does in a backtest, without the desk.

Entries and exits by signal fill at the next open. A stop and a profit target fill at their level, or at the open of a candle that opens beyond
it. The stop comes first.
"""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Dict, List

import numpy
from tradewind.columns import Columns
from tradewind.decision import Decision, ExitPlan
from tradewind.market import Position
from tradewind.protocol import ppm

NS = 1_000_000_000
LEVELS = ("stop_loss", "trailing_stop_loss", "roi")


class FakeDesk:
    """Runs one strategy over candles by instrument: rows of time (ns), open, high, low, close, volume."""

    def __init__(self, strategy: Any, candles: Dict[str, Any], budget: float = 1.0, at_open: bool = False, tick: float = 1e-8) -> None:
        self.strategy, self.candles, self.budget = strategy, candles, budget
        # Whether a closed candle is decided on with the quote of the next open.
        self.at_open, self.tick = at_open, tick
        self.length = strategy.length
        self.trades: List[dict] = []
        self.held: Dict[str, Any] = {}
        self.orders: Dict[str, Any] = {}
        self.ctx = SimpleNamespace(
            mode="backtest", is_backtest=True, traded=list(candles), known=list(candles), budget=budget, now=0, instrument="",
            position=Position(""), quote=None, exposure=0.0, fee=0.001, ticks=dict.fromkeys(candles, tick), closed_columns=self.closed_columns,
        )
        strategy.setup(self.ctx)

    def closed_columns(self, name: str, timeframe: str) -> Any:
        """The candles of the base timeframe; none of others."""
        return self.columns(name) if timeframe == self.strategy.timeframe else None

    def columns(self, name: str) -> Columns:
        """All candles of an instrument."""
        rows = self.candles[name]
        names = ("time", "open", "high", "low", "close", "volume")
        return Columns((key, numpy.array(rows[key])) for key in names)

    def run(self) -> List[dict]:
        """The closed trades."""
        cls = type(self.strategy)
        tables = {}
        for name in self.candles:
            self.ctx.instrument, self.ctx.now = name, int(self.candles[name]["time"][-1]) + self.length
            frame = self.strategy.indicators(self.columns(name), self.ctx)
            tables[name] = {key: list(column) if not isinstance(column, str) else column for key, column in self.strategy.signals(frame, self.ctx).items()}
        calls = {name for name in ("on_position", "on_entry", "on_exit") if getattr(cls, name) is not getattr(cls.__mro__[2], name)}
        times = sorted({int(time) for rows in self.candles.values() for time in rows["time"]})
        places = {name: {int(time): row for row, time in enumerate(rows["time"])} for name, rows in self.candles.items()}
        for time in times:
            for name in self.candles:
                row = places[name].get(time)
                if row is not None:
                    self.candle(name, row, time, tables[name], calls)
        return self.trades

    def candle(self, name: str, row: int, time: int, table: dict, calls: set) -> None:
        """Plays one candle and decides at its close."""
        opening, high, low, close = (float(self.candles[name][key][row]) for key in ("open", "high", "low", "close"))
        order = self.orders.pop(name, None)
        if order is not None:
            self.fill(name, order, opening, time)
        if name in self.held:
            self.levels(name, time, opening, high, low)
        self.ctx.instrument, self.ctx.now = name, time + self.length
        held = self.held.get(name)
        self.ctx.exposure = held["exposure"] if held else 0.0
        self.ctx.position = Position(name, held["quantity"], held["entry"], held["opened"], close, self.ctx.now) if held else Position(name, price=close)
        opens = self.candles[name]["open"]
        rate = float(opens[row + 1]) if self.at_open and row + 1 < len(opens) else close
        self.ctx.quote = SimpleNamespace(bid=rate, ask=rate)
        decision = self.decide(table, row, bool(held), calls)
        if decision is not None and decision.stop is not None and held:
            held["plan"] = replace(held["plan"], stop_at=max(decision.stop, held["plan"].stop_at or 0.0))
        if decision is not None and decision.exposure is not None:
            if held and decision.exposure == held["exposure"]:
                held.update(plan=decision.exit or held["plan"], why=decision.tag if decision.tag in LEVELS else "")
            else:
                self.orders[name] = decision

    def decide(self, table: dict, row: int, held: bool, calls: set) -> Any:
        """What a row and the callbacks decide."""
        tag = lambda key: table[key] if isinstance(table.get(key), str) else (table.get(key) or {row: ""})[row]  # noqa: E731
        strategy, ctx = self.strategy, self.ctx
        if held and "on_position" in calls:
            managed = strategy.on_position(ctx.position, ctx)
            if managed is not None and managed.exposure == 0 or not table["exit"][row]:
                return managed
        if held and table["exit"][row]:
            decision = Decision(0.0, tag("exit_tag"))
            return strategy.on_exit(decision, ctx) if "on_exit" in calls else decision
        if not held and table["enter"][row]:
            decision = Decision(1.0, tag("enter_tag"), exit=strategy.exit_plan)
            return strategy.on_entry(decision, ctx) if "on_entry" in calls else decision
        return None

    def fill(self, name: str, order: Decision, rate: float, time: int) -> None:
        """Carries out a decision at an open."""
        held = self.held.get(name)
        if held is None:
            if order.exposure:
                quantity = order.exposure * self.budget / rate
                self.held[name] = dict(
                    quantity=quantity, entry=rate, opened=time, exposure=order.exposure, plan=order.exit or ExitPlan(), tag=order.tag, why="", fills=[(True, time, rate)]
                )
            return
        if not order.exposure:
            return self.close(name, rate, time, order.tag or "exit_signal")
        wanted = order.exposure * self.budget / rate
        if wanted > held["quantity"]:
            held["entry"] = (held["entry"] * held["quantity"] + rate * (wanted - held["quantity"])) / wanted
        held["fills"].append((wanted > held["quantity"], time, rate))
        held.update(quantity=wanted, exposure=order.exposure, plan=order.exit or held["plan"], why=order.tag if order.tag in LEVELS else "")

    def levels(self, name: str, time: int, opening: float, high: float, low: float) -> None:
        """Closes a position that reaches its stop or its target. Levels are whole ticks, as the desk rounds them."""
        held = self.held[name]
        plan, entry = held["plan"], round(held["entry"] / self.tick)
        counts = {key: round(price / self.tick) for key, price in (("open", opening), ("high", high), ("low", low))}
        stop = None
        if plan.stop_at is not None:
            stop = round(plan.stop_at / self.tick)
        elif plan.stop:
            stop = entry - entry * ppm(plan.stop) // 1_000_000
        if stop is not None and counts["low"] <= stop:
            return self.close(name, min(counts["open"], stop) * self.tick, time, held["why"] or "stop_loss")
        age = (time - held["opened"]) / NS
        gains = [(gain, "roi") for begin, gain in plan.roi if begin <= age][-1:]
        # What the shim means by a take-profit: tests/freqtrade/ours.py.
        gains += [(plan.take_profit, "trailing_stop_loss")] if plan.take_profit else []
        for gain, reason in gains:
            level = entry - (-entry * ppm(gain) // 1_000_000)
            if counts["high"] >= level:
                return self.close(name, max(level, counts["open"]) * self.tick, time, held["why"] or reason)

    def close(self, name: str, rate: float, time: int, reason: str) -> None:
        """Notes a closed trade."""
        held = self.held.pop(name)
        self.trades.append(dict(pair=name, entered_at=held["opened"] // 1_000_000, left_at=time // 1_000_000, entry=held["entry"], exit=rate, reason=reason, tag=held["tag"], fills=held["fills"]))
