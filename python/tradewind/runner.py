"""One bot's strategy in this process: it keeps the candles, calls the strategy and packs the answers."""

from __future__ import annotations

import json
import math
import sys
from array import array
from copy import deepcopy
from dataclasses import replace
from typing import Any, Dict, List, Optional, Tuple

from . import protocol as wire
from .columns import Columns, History, as_columns, plain
from .context import Context, ReadQuote
from .decision import Decision, Exit, ExitPlan
from .loading import overrides, timeframe_seconds
from .market import Candle, Order, Position, Quote, Trade
from .strategy import Strategy

TRADES_KEPT = 200
# Of these, so many are kept over a restart.
TRADES_SAVED = 50
# What the desk keeps of a strategy.
STATE_MAX = 1 << 20
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
        # The newest candle that the rows of an instrument were computed with, live.
        self.windowed: Dict[int, int] = {}
        self.is_computing = False
        self.ctx._refresh = self._refresh
        self.held: Dict[int, Tuple[float, float, int]] = {}
        self.tags: Dict[int, str] = {}
        self.denied: Dict[int, bool] = {}
        self.has_signals = overrides(strategy, "signals")
        self.has_indicators = overrides(strategy, "indicators") or self.has_signals
        self.has_order = overrides(strategy, "on_order")
        self.has_position = overrides(strategy, "on_position")
        self.signals: Dict[int, Dict[str, Any]] = {}
        self.saved: Optional[bytes] = None
        self.trades_text: Optional[str] = None
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

    def feed(self, request: wire.Evaluation) -> None:
        """A candle of the past; in a backtest, whose candles are here, a position that changed."""
        if request.slot in self.whole:
            self._view(request)
        else:
            self.keep(request)

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
        table = self._signals(slot, frame)
        self.signals[slot] = table
        first = max(getattr(self.strategy, "first_row", self.warm_up) - 1, 0)
        return wire.TABLE, self._table(slot, table, rows, first, warnings)

    def _signals(self, slot: int, frame: Columns) -> Dict[str, Any]:
        """Runs `signals` over columns."""
        self._show(slot, frame)
        return self.strategy.signals(frame, self.ctx) or {}

    def _show(self, slot: int, frame: Columns) -> None:
        """Has `ctx["column"]` read these columns, at their newest row."""
        name = self._name(slot)
        self.ctx._frames[name], self.ctx._row[name] = frame, len(frame) - 1
        for key in [key for key in self.ctx._plain if key[0] == name]:
            del self.ctx._plain[key]

    def _table(self, slot: int, table: Dict[str, Any], rows: int, first: int, warnings: List[str]) -> bytes:
        calls = 0
        for name, bit in (("on_position", wire.CALLS_POSITION), ("on_entry", wire.CALLS_ENTRY), ("on_exit", wire.CALLS_EXIT)):
            calls |= bit if overrides(self.strategy, name) else 0
        decimals = self.instruments[slot]["price_decimals"]
        state = self._state() if self.ctx.mode == "live" else None
        return wire.table_bytes(table, rows, first, decimals, calls, self.strategy.exit_plan, warnings, state)

    def _frame(self, slot: int, begin: int, end: int, window: Optional[int], anchor: Optional[int] = None) -> Columns:
        """Columns with the indicators of rows `begin` until `end`. `window` is how many candles other timeframes have up to the close
        of the row before `anchor`, which is `end` if it is not given.
        """
        history = self.histories[slot, self.base]
        frame = history.columns(begin, end)
        if not self.has_indicators:
            return frame
        ctx = self.ctx
        self._look(slot, history.time[end - 1] + history.length if end else 0)
        ctx._span, ctx._rows, ctx._anchor = (begin, end), window, end if anchor is None else anchor
        self.is_computing = True
        try:
            found = self.strategy.indicators(frame, ctx)
        finally:
            self.is_computing = False
        return as_columns(frame if found is None else found, end - begin)

    def _check(self, slot: int, whole: Columns) -> List[str]:
        """Compares rows over parts of the history with those over the whole of it."""
        rows, warm_up = len(whole), self.warm_up
        if warm_up == 0:
            return []
        if rows < 3 * warm_up:
            return [f"not checked for a look-ahead: that takes {3 * warm_up} candles, three times warm_up, and there are {rows}"]
        warnings: Dict[str, str] = {}
        own_state = deepcopy(vars(self.strategy).get("state"))
        full_rows = self._own(slot, whole)
        for check in range(CHECKS):
            row = warm_up + (rows - 2 * warm_up) * (check + 1) // (CHECKS + 1)
            begin = row + 1 - warm_up
            before = self._own(slot, self._frame(slot, begin, row + 1, warm_up))
            beyond = self._own(slot, self._frame(slot, begin, min(row + 1 + warm_up, rows), warm_up, row + 1))
            time = _utc(self.histories[slot, self.base].time[row])
            for name in full_rows:
                if name in warnings or name not in before or name not in beyond:
                    continue
                live, ahead, full = (_value(one[name], at) for one, at in ((before, -1), (beyond, warm_up - 1), (full_rows, row)))
                if not _agree(live, ahead, 1e-9):
                    warnings[name] = f"look-ahead: column {name} at {time} is {live!r} without later candles and {ahead!r} with them"
                elif not _agree(live, full, TOLERANCE):
                    warnings[name] = (
                        f"column {name} at {time} is {live!r} over the last {warm_up} candles, as live, and {full!r} over the whole "
                        "history; a longer warm_up brings them together"
                    )
        self._show(slot, whole)
        if own_state is not None:
            # What a check noted did not happen.
            self.strategy.state = own_state
        return list(warnings.values())

    def _own(self, slot: int, frame: Columns) -> Dict[str, Any]:
        """The columns of `indicators`, and those of `signals`."""
        own = {name: column for name, column in frame.items() if name not in ("time", "open", "high", "low", "close", "volume")}
        if self.has_signals:
            table = self._signals(slot, frame)
            own.update((f"{name} of signals", column) for name, column in table.items() if not isinstance(column, str))
        return own

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
            if decision.exit is None and self.strategy.exit_plan is not None:
                decision = replace(decision, exit=self.strategy.exit_plan)
            # The next denial is one of this decision.
            self.denied[slot] = False
        return wire.DECISION, wire.decision_bytes(decision, decimals, self._state() if ctx.mode == "live" else None)

    def _is_ready(self, slot: int, candle: Optional[Candle]) -> bool:
        """Whether a candle is of the base timeframe, and the strategy has its rows."""
        if candle is None or candle.timeframe != self.base:
            return False
        end = self.histories[slot, self.base].closed_until(candle.close_time)
        if end < self._needed(slot):
            return False
        if slot not in self.whole and self.has_indicators:
            self._window(slot, end)
        return True

    def _needed(self, slot: int) -> int:
        """How many candles an instrument must have before a row of it is read."""
        return getattr(self.strategy, "first_row", self.warm_up) if slot in self.whole else self.warm_up

    def _refresh(self) -> None:
        """Computes the newest rows for a callback that is not one of a close."""
        ctx, slot = self.ctx, self.ctx.known.index(self.ctx.instrument)
        end, now = len(self.histories[slot, self.base]), ctx.now
        if self.is_computing or slot in self.whole or not end or end < self.warm_up:
            return
        self._window(slot, end)
        ctx.now = now

    def _newest_row(self, slot: int, now: int) -> None:
        """Has `ctx["column"]` read the newest row that had closed by now, and no later one."""
        ctx, name, history = self.ctx, self._name(slot), self.histories[slot, self.base]
        if slot in self.whole:
            end = history.closed_until(now)
            ctx._row[name] = end - 1 if end >= self._needed(slot) else -1
        elif len(history) and self.windowed.get(slot) != history.time[-1]:
            ctx._frames.pop(name, None)

    def _window(self, slot: int, end: int) -> None:
        """Computes the last rows, as live."""
        begin = max(end - self.warm_up, 0) if self.warm_up else 0
        self._show(slot, self._frame(slot, begin, end, self.warm_up))
        self.windowed[slot] = self.histories[slot, self.base].time[end - 1]

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
            plan = strategy.exit_plan
            if stop is not None and stop == stop:
                # As in the desk: the row's stop takes the place of the plan's, and the rest of the plan stays.
                plan = replace(plan or ExitPlan(), stop_at=stop)
            decision = Decision(1.0 if value is True else float(value), tag("enter_tag"), exit=plan)
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
        bars = self._closes(slot, request.opened_at, request.at) if quantity and request.opened_at is not None else 0
        ctx.position = Position(known["name"], quantity, entry, request.opened_at, price, request.at, bars)
        ctx.positions[known["name"]] = ctx.position
        if request.reads:
            for place, live, *quote in request.reads:
                of = self.instruments[place]
                ctx.reads[of["name"]] = _quote(of, quote, ReadQuote, is_live=bool(live))
        ctx.numbers = request.numbers
        self._newest_row(slot, request.at)
        self._note(slot, request, entry, price)
        return candle

    def _closes(self, slot: int, since: int, until: int) -> int:
        """How many candles of the base timeframe closed after one moment, up to another."""
        history = self.histories[slot, self.base]
        phase = history.time[-1] % history.length if history.time else 0
        return (until - phase) // history.length - (since - phase) // history.length

    def _note(self, slot: int, request: wire.Evaluation, entry: Optional[float], price: Optional[float]) -> None:
        """Keeps closed trades, and calls `on_order` where a position changed."""
        ctx, name = self.ctx, self._name(slot)
        quantity = ctx.position.quantity
        before, before_entry, opened = self.held.get(slot, (0.0, 0.0, 0))
        if before and (not quantity or (quantity > 0) != (before > 0)):
            closed = Trade(name, before, before_entry, price or before_entry, opened, request.at, self.tags.get(slot, ""))
            ctx.closed_trades.append(closed)
            del ctx.closed_trades[:-TRADES_KEPT]
            self.trades_text = None
        if quantity:
            self.held[slot] = (quantity, entry or 0.0, request.opened_at or 0)
        else:
            self.held.pop(slot, None)
        is_denied = request.last_entry == 1
        if self.has_order and quantity != before:
            # What a smaller position was sold at is known no better than by the evaluation that saw it.
            paid = entry if abs(quantity) > abs(before) else price
            self.strategy.on_order(Order(name, "filled", quantity - before, paid or price or entry, request.at), ctx)
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
            "held": {self._name(slot): values for slot, values in self.held.items()},
            "tags": {self._name(slot): tag for slot, tag in self.tags.items()},
        }
        try:
            text = json.dumps(kept, separators=(",", ":"), allow_nan=True)
        except (TypeError, ValueError) as error:
            raise TypeError(f"self.state cannot be saved: {error}; keep numbers, texts, lists and dicts in it") from error
        if self.trades_text is None:
            trades = [vars(trade) for trade in self.ctx.closed_trades[-TRADES_SAVED:]]
            self.trades_text = json.dumps(trades, separators=(",", ":"), allow_nan=True)
        state = f'{text[:-1]},"trades":{self.trades_text}}}'.encode()
        if state == self.saved:
            return None
        if len(state) > STATE_MAX:
            raise ValueError(f"self.state takes {len(state)} bytes, and at most {STATE_MAX} are kept; drop what is old from it")
        self.saved = state
        return state

    def _restore(self, state: bytes) -> None:
        """Takes back what was kept. What is no state of this version is left out: a strategy without one can start."""
        try:
            kept = json.loads(state)
            own, trades = kept["state"], [Trade(**trade) for trade in kept["trades"]]
            held = {name: (values[0], values[1], values[2]) for name, values in kept["held"].items()}
            tags = dict(kept["tags"])
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
            print(f"the saved state cannot be read ({type(error).__name__}: {error}); the strategy starts without", file=sys.stderr)
            return
        slots = {one["name"]: slot for slot, one in enumerate(self.instruments)}
        self.strategy.state, self.ctx.closed_trades = own, trades
        self.held = {slots[name]: values for name, values in held.items() if name in slots}
        self.tags = {slots[name]: tag for name, tag in tags.items() if name in slots}
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
