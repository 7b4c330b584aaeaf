"""One bot's strategy in this process: it keeps the candles, calls the strategy and packs the answers."""

from __future__ import annotations

import json
import math
from array import array
from typing import Any, Dict, List, Optional, Tuple

from . import protocol as wire
from .columns import Columns, History, as_columns, plain
from .context import Context, ReadQuote
from .decision import Decision, Exit, Target
from .loading import overrides, timeframe_seconds
from .market import Candle, Order, Position, Quote, Trade
from .strategy import Strategy

TRADES_KEPT = 200
CANDLES_KEPT = 1000
CHECKS = 5
TOLERANCE = 1e-4


class Runner:
    """A strategy with its histories, one for each instrument and timeframe."""

    def __init__(self, strategy: Strategy, timeframes: List[str], start: Dict[str, Any], state: bytes):
        self.strategy = strategy
        self.base = timeframes[0]
        self.seconds = {timeframe_seconds(name): name for name in timeframes}
        self.instruments = start["instruments"]
        self.warm_up = strategy.warm_up
        self.ctx = Context(start["mode"])
        self.ctx.timeframe = self.base
        self.ctx.fee = start.get("fee", 0) / wire.PPM
        self.histories: Dict[Tuple[int, str], History] = {
            (slot, name): History(seconds)
            for slot in range(len(self.instruments))
            for seconds, name in self.seconds.items()
        }
        self.ctx._everything = {
            (self.instruments[slot]["name"], name): history for (slot, name), history in self.histories.items()
        }
        self.ctx.known = [one["name"] for one in self.instruments]
        self.ctx.traded = [one["name"] for one in self.instruments if one.get("traded", True)]
        self.ctx.ticks = {one["name"]: one.get("tick", 1) / 10 ** one["price_decimals"] for one in self.instruments}
        self.whole: Dict[int, Columns] = {}
        self.bars: Dict[int, int] = {}
        self.held: Dict[int, Tuple[float, float, int]] = {}
        self.tags: Dict[int, str] = {}
        self.denied: Dict[int, bool] = {}
        self.has_signals = overrides(strategy, "signals")
        self.has_indicators = overrides(strategy, "indicators") or self.has_signals
        self.has_order = overrides(strategy, "on_order")
        self.has_position = overrides(strategy, "on_position")
        self.signals: Dict[int, Dict[str, Any]] = {}
        self.saved: Optional[bytes] = None
        if state:
            self._restore(state)
        strategy.setup(self.ctx)

    # Candles.

    def history(self, body: bytes) -> None:
        """A part of the history of a backtest."""
        slot, length, times, columns = wire.read_history(body)
        decimals = self.instruments[slot]["price_decimals"]
        scale = 10**decimals
        floats = [array("d", [count / scale for count in column]) for column in columns[:4]]
        self.histories[slot, self.seconds[length]].extend(times, [*floats, columns[4]])

    def keep(self, request: wire.Evaluation) -> None:
        """Keeps the candle of a request."""
        if request.candle is None or request.slot >= len(self.instruments):
            return
        length, time, *prices, volume, _ = request.candle
        name = self.seconds.get(length)
        # In a backtest the whole history is there before the first request.
        if name is None or request.slot in self.whole:
            return
        scale = 10 ** self.instruments[request.slot]["price_decimals"]
        history = self.histories[request.slot, name]
        history.append(time, [price / scale for price in prices] + [volume])
        history.keep(max(self.warm_up + 1, CANDLES_KEPT))

    # Whole histories.

    def compute(self, slot: int) -> Tuple[int, bytes]:
        """Runs `indicators` and `signals` once over the history of an instrument."""
        history = self.histories[slot, self.base]
        rows = len(history)
        frame = self._frame(slot, 0, rows, None)
        self.whole[slot] = frame
        self.ctx._frames[self._name(slot)] = frame
        # To look ahead is a fault of the code: one instrument shows it.
        warnings = self._check(slot, frame) if self.has_indicators and slot == 0 else []
        if not self.has_signals:
            return wire.DONE, wire.warnings_bytes(warnings)
        self._look(slot, history.time[-1] + history.length if rows else 0)
        self.ctx._row[self._name(slot)] = rows - 1
        table = self.strategy.signals(frame, self.ctx) or {}
        self.signals[slot] = table
        first = max(getattr(self.strategy, "first_row", self.warm_up) - 1, 0)
        return wire.TABLE, self._table(slot, table, rows, first, warnings)

    def _table(self, slot: int, table: Dict[str, Any], rows: int, first: int, warnings: List[str]) -> bytes:
        calls = 0
        for name, bit in (("on_position", wire.CALLS_POSITION), ("on_entry", wire.CALLS_ENTRY), ("on_exit", wire.CALLS_EXIT)):
            calls |= bit if overrides(self.strategy, name) else 0
        decimals = self.instruments[slot]["price_decimals"]
        return wire.table_bytes(table, rows, first, decimals, calls, self.strategy.exit_plan, warnings)

    def _frame(self, slot: int, begin: int, end: int, window: Optional[int]) -> Columns:
        """Columns with the indicators of rows `begin` until `end`. `window` is how many candles other timeframes have."""
        history = self.histories[slot, self.base]
        frame = history.columns(begin, end)
        if not self.has_indicators:
            return frame
        ctx = self.ctx
        self._look(slot, history.time[end - 1] + history.length if end else 0)
        ctx._span, ctx._rows = (begin, end), window
        found = self.strategy.indicators(frame, ctx)
        return as_columns(frame if found is None else found, end - begin)

    def _check(self, slot: int, whole: Columns) -> List[str]:
        """Compares rows over parts of the history with those over the whole of it."""
        rows, warm_up = len(whole), self.warm_up
        if rows < 3 * warm_up or warm_up == 0:
            return []
        own = [name for name in whole if name not in ("time", "open", "high", "low", "close", "volume")]
        warnings: Dict[str, str] = {}
        for check in range(CHECKS):
            row = warm_up + (rows - 2 * warm_up) * (check + 1) // (CHECKS + 1)
            begin = row + 1 - warm_up
            before = self._frame(slot, begin, row + 1, warm_up)
            beyond = self._frame(slot, begin, min(row + 1 + warm_up, rows), None)
            time = _utc(self.histories[slot, self.base].time[row])
            for name in own:
                if name in warnings or name not in before or name not in beyond:
                    continue
                live, ahead, full = (_value(one[name], at) for one, at in ((before, -1), (beyond, warm_up - 1), (whole, row)))
                if not _agree(live, ahead, 1e-9):
                    warnings[name] = f"look-ahead: column {name} at {time} is {live!r} without later candles and {ahead!r} with them"
                elif not _agree(live, full, TOLERANCE):
                    warnings[name] = (
                        f"column {name} at {time} is {live!r} over the last {warm_up} candles, as live, and {full!r} over the whole "
                        "history; a longer warm_up brings them together"
                    )
        return list(warnings.values())

    # Evaluations.

    def evaluate(self, request: wire.Evaluation) -> Tuple[int, bytes]:
        """Answers a request."""
        self.keep(request)
        slot, ctx = request.slot, self.ctx
        decimals = self.instruments[slot]["price_decimals"]
        candle = self._view(request)
        if request.flags & wire.WANTS_ROW:
            return wire.TABLE, self._live_row(slot)
        decision = None
        if request.wake != "candle" or self._is_ready(slot, candle):
            decision = self._decide(request, candle)
        if isinstance(decision, Decision) and decision.exposure:
            self.tags[slot] = decision.tag
            # The next denial is one of this decision.
            self.denied[slot] = False
        return wire.DECISION, wire.decision_bytes(decision, decimals, self._state() if ctx.mode == "live" else None)

    def _is_ready(self, slot: int, candle: Optional[Candle]) -> bool:
        """Whether a candle is of the base timeframe, and the strategy has its rows."""
        if candle is None or candle.timeframe != self.base:
            return False
        history = self.histories[slot, self.base]
        name = self._name(slot)
        end = history.closed_until(candle.close_time)
        needed = getattr(self.strategy, "first_row", self.warm_up) if slot in self.whole else self.warm_up
        if end < needed:
            return False
        if slot in self.whole:
            self.ctx._row[name] = end - 1
        elif self.has_indicators:
            self._window(slot, end)
        return True

    def _window(self, slot: int, end: int) -> None:
        """Computes the last rows, as live."""
        name = self._name(slot)
        begin = max(end - self.warm_up, 0)
        frame = self._frame(slot, begin, end, self.warm_up)
        self.ctx._frames[name] = frame
        self.ctx._row[name] = end - begin - 1
        for key in [key for key in self.ctx._plain if key[0] == name]:
            del self.ctx._plain[key]

    def _live_row(self, slot: int) -> bytes:
        """The newest row of `signals`, as a table of one row."""
        history = self.histories[slot, self.base]
        end = len(history)
        if end < self.warm_up:
            return self._table(slot, {}, 1, 1, [])
        self._window(slot, end)
        frame = self.ctx._frames[self._name(slot)]
        table = self.strategy.signals(frame, self.ctx) or {}
        last = {name: column if isinstance(column, str) else [_value(column, -1)] for name, column in table.items()}
        self.signals[slot] = last
        return self._table(slot, last, 1, 0, [])

    def _decide(self, request: wire.Evaluation, candle: Optional[Candle]) -> Optional[Decision]:
        ctx, strategy = self.ctx, self.strategy
        if request.flags & wire.IS_PROPOSED:
            return self._confirm(request)
        if ctx.position and self.has_position:
            decision = strategy.on_position(ctx.position, ctx)
            if decision is not None:
                return decision
        if request.wake == "quote" and ctx.quote is not None:
            return strategy.on_quote(ctx.quote, ctx)
        if request.wake == "candle" and candle is not None:
            return strategy.on_candle(candle, ctx)
        if request.wake == "timer":
            return strategy.on_timer(ctx)
        return None

    def _confirm(self, request: wire.Evaluation) -> Optional[Decision]:
        """Decides on a row of `signals` that the desk has read: proposal 1 is an entry, 2 an exit, 0 none."""
        ctx, strategy, slot = self.ctx, self.strategy, request.slot
        signals = self.signals.get(slot, {})
        row = self.ctx._row.get(self._name(slot), 0) if slot in self.whole else 0
        tag = lambda name: _tag(signals.get(name), row)  # noqa: E731
        if request.proposal == 1:
            value = _value(signals["enter"], row)
            stop = _value(signals["stop"], row) if "stop" in signals else None
            decision = Target(1.0 if value is True else float(value), tag("enter_tag"), stop_at=stop if stop == stop else None)
            if decision.exit is None:
                decision = Decision(decision.exposure, decision.tag, exit=strategy.exit_plan)
            return strategy.on_entry(decision, ctx) if overrides(strategy, "on_entry") else decision
        managed = strategy.on_position(ctx.position, ctx) if ctx.position and self.has_position else None
        if managed is not None and managed.exposure == 0:
            return managed
        if request.proposal == 2:
            decision = Exit(tag("exit_tag"))
            return strategy.on_exit(decision, ctx) if overrides(strategy, "on_exit") else decision
        return managed

    def _view(self, request: wire.Evaluation) -> Optional[Candle]:
        """Sets the context to a request, and returns its candle."""
        slot, ctx = request.slot, self.ctx
        known = self.instruments[slot]
        price_scale, size_scale = 10 ** known["price_decimals"], 10 ** known["quantity_decimals"]
        self._look(slot, request.at)
        ctx.budget, ctx.is_carried_out = request.budget, request.carried_out == 0
        ctx.exposure = request.exposure / wire.PPM
        ctx.quote = None if request.quote is None else _quote(known, request.quote, Quote)
        candle = None
        if request.candle is not None and request.wake == "candle":
            length, time, *prices, volume, _ = request.candle
            name = self.seconds.get(length, "")
            values = [price / price_scale for price in prices]
            candle = Candle(known["name"], name, time, time + length * 1_000_000_000, *values, volume)
        price = candle.close if candle else (ctx.quote.mid if ctx.quote else None)
        entry = None if request.entry_price is None else request.entry_price / price_scale
        quantity = request.quantity / size_scale
        if candle and candle.timeframe == self.base:
            self.bars[slot] = self.bars.get(slot, 0) + 1 if quantity else 0
        bars = self.bars.get(slot, 0) if quantity else 0
        ctx.position = Position(known["name"], quantity, entry, request.opened_at, price, request.at, bars)
        ctx.positions[known["name"]] = ctx.position
        if request.reads:
            for place, live, *quote in request.reads:
                of = self.instruments[place]
                ctx.reads[of["name"]] = _quote(of, quote, ReadQuote, is_live=bool(live))
        ctx.numbers = request.numbers
        self._note(slot, request, entry, price)
        return candle

    def _note(self, slot: int, request: wire.Evaluation, entry: Optional[float], price: Optional[float]) -> None:
        """Keeps closed trades, and calls `on_order` where a position changed."""
        ctx, name = self.ctx, self._name(slot)
        quantity = ctx.position.quantity
        before, before_entry, opened = self.held.get(slot, (0.0, 0.0, 0))
        if before and (not quantity or (quantity > 0) != (before > 0)):
            closed = Trade(name, before, before_entry, price or before_entry, opened, request.at, self.tags.get(slot, ""))
            ctx.closed_trades.append(closed)
            del ctx.closed_trades[:-TRADES_KEPT]
        if quantity:
            self.held[slot] = (quantity, entry or 0.0, request.opened_at or 0)
        else:
            self.held.pop(slot, None)
        is_denied = request.last_entry == 1
        if self.has_order and quantity != before:
            self.strategy.on_order(Order(name, "filled", quantity - before, entry or price, request.at), ctx)
        if self.has_order and is_denied and not self.denied.get(slot, False):
            self.strategy.on_order(Order(name, "denied", 0.0, None, request.at), ctx)
        self.denied[slot] = is_denied

    def _look(self, slot: int, now: int) -> None:
        ctx = self.ctx
        ctx.instrument, ctx.now = self._name(slot), now
        ctx._histories = {name: self.histories[slot, name] for name in self.seconds.values()}

    def _name(self, slot: int) -> str:
        return self.instruments[slot]["name"]

    # State.

    def _state(self) -> Optional[bytes]:
        """What is to be kept over a restart, if it changed."""
        kept = {
            "state": self.strategy.state,
            "held": {str(slot): values for slot, values in self.held.items()},
            "tags": {str(slot): tag for slot, tag in self.tags.items()},
            "bars": {str(slot): bars for slot, bars in self.bars.items()},
            "trades": [vars(trade) for trade in self.ctx.closed_trades],
        }
        try:
            state = json.dumps(kept, separators=(",", ":"), allow_nan=True).encode()
        except (TypeError, ValueError) as error:
            raise TypeError(f"self.state cannot be saved: {error}; keep numbers, texts, lists and dicts in it") from error
        if state == self.saved:
            return None
        self.saved = state
        return state

    def _restore(self, state: bytes) -> None:
        kept = json.loads(state)
        self.strategy.state = kept["state"]
        self.held = {int(slot): (values[0], values[1], values[2]) for slot, values in kept["held"].items()}
        self.tags = {int(slot): tag for slot, tag in kept["tags"].items()}
        self.bars = {int(slot): bars for slot, bars in kept["bars"].items()}
        self.ctx.closed_trades = [Trade(**trade) for trade in kept["trades"]]
        self.saved = state


def _quote(known: Dict[str, Any], values: Any, make: Any, **rest: Any) -> Any:
    price, size = 10 ** known["price_decimals"], 10 ** known["quantity_decimals"]
    bid, bid_size, ask, ask_size, time = values
    return make(known["name"], bid / price, bid_size / size, ask / price, ask_size / size, time, **rest)


def _value(column: Any, row: int) -> Any:
    """A value of a column, as a Python value."""
    if hasattr(column, "iloc"):
        column = column.iloc
    value = column[row]
    item = getattr(value, "item", None)
    return item() if item else value


def _tag(column: Any, row: int) -> str:
    if column is None or isinstance(column, str):
        return column or ""
    value = _value(column, row)
    return value if isinstance(value, str) else ""


def _agree(one: Any, other: Any, tolerance: float) -> bool:
    numbers = (int, float)
    if isinstance(one, bool) or isinstance(other, bool) or not isinstance(one, numbers) or not isinstance(other, numbers):
        return bool(one == other)
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return one == other or abs(one - other) <= tolerance * max(abs(one), abs(other))


def _utc(nanoseconds: int) -> str:
    from .market import utc

    return utc(nanoseconds).strftime("%Y-%m-%dT%H:%M:%SZ")


__all__ = ["Runner", "plain"]
