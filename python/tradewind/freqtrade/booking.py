"""The trades of a strategy, booked from what the desk shows at its requests and from the candles between them."""

from __future__ import annotations

from bisect import bisect_left
from datetime import datetime, timezone
from typing import Any, Dict, List, Optional, Set, Tuple

from ..decision import ExitPlan
from ..market import utc
from ..strategy import Strategy
from .loader import own
from .protections import Protection
from .rules import Rules
from .trade import PairLock, PairLocks, Trade

NANOSECONDS = 1_000_000_000
# A difference of the amount held up to this share is due to fees and steps, not to an order.
CORRECTED = 0.02
# Closed trades that are kept over a restart, as protections look at them, and those that a desk that runs for months keeps at all.
TRADES_KEPT = 200
TRADES_LIVE = 2_000
FIELDS = ("time", "open", "high", "low", "close", "enter_long", "exit_long", "exit_tag")


def pair_of(instrument: str) -> str:
    """An instrument's name without its venue, as strategies write pairs."""
    return instrument.rpartition(":")[2]


class Bars:
    """The candles of a pair with its signals, as lists."""

    def __init__(self, frame: Any) -> None:
        plain = {name: list(getattr(frame[name], "tolist", lambda name=name: frame[name])()) for name in FIELDS if name in frame}
        self.time: List[int] = plain["time"]
        self.open, self.high, self.low, self.close = (plain[name] for name in ("open", "high", "low", "close"))
        nothing = [0.0] * len(self.time)
        self.enter, self.leave = plain.get("enter_long", nothing), plain.get("exit_long", nothing)
        self.leave_tag = plain.get("exit_tag", [""] * len(self.time))

    def row(self, opened: int) -> int:
        """The row of the candle that opened at this time, or of the first one after it."""
        return bisect_left(self.time, opened)


class TradeBook(Strategy):
    """Keeps `Trade` objects in step with the positions of the desk."""

    ctx: Any
    user: Any
    rules: Rules
    protections: List[Protection]
    # The length of a candle in nanoseconds.
    length: int

    def __init__(self, params: Optional[Dict[str, Any]] = None) -> None:
        # The trades and locks of this strategy. Files reach them by the classes, which several bots of a process share.
        self._trades: Dict[str, Trade] = {}
        self._past: List[Trade] = []
        self._locks: List[PairLock] = []
        super().__init__(params)
        self._bars: Dict[str, Bars] = {}
        # By pair: the tag, time and limit of the entry under way; reason, time and price of the exit under way; the exposure last decided. The price
        # of an exit is None where it is the open's.
        self._entering: Dict[str, Tuple[str, int, Optional[float]]] = {}
        self._leaving: Dict[str, Tuple[str, float, Optional[float]]] = {}
        self._exposure: Dict[str, float] = {}
        # By pair: when the newest candle opened that its trade has seen.
        self._seen: Dict[str, int] = {}
        # By pair, the exit plan last decided.
        self._plans: Dict[str, Optional[ExitPlan]] = {}
        # By pair, when the newest candle opened that its trade was looked for an end in. Rows move as candles come.
        self._scanned: Dict[str, int] = {}
        self._denied: Set[str] = set()
        # By pair, its tick.
        self._ticks: Dict[str, float] = {}
        self._set_budget: Optional[float] = None
        # How many trades may be open at once; None for no limit.
        self._most: Optional[int] = None

    @property
    def state(self) -> Dict[str, Any]:  # type: ignore[override]
        """Trades and locks, which are kept over a restart."""
        return {
            "open": [trade.saved() for trade in self._trades.values()],
            "closed": [trade.saved() for trade in self._past[-TRADES_KEPT:]],
            "locks": [[lock.pair, lock.lock_end_time.timestamp(), lock.reason, lock.side] for lock in self._locks if lock.active],
            "seen": self._seen,
            "exposure": self._exposure,
            "entering": {pair: list(entry) for pair, entry in self._entering.items()},
            "leaving": {pair: list(exit_) for pair, exit_ in self._leaving.items()},
        }

    @state.setter
    def state(self, kept: Dict[str, Any]) -> None:
        self._kept = kept

    def _activate(self) -> None:
        """Makes the classes `Trade` and `PairLocks` show this strategy's own."""
        Trade._open, Trade._closed, PairLocks._locks = self._trades, self._past, self._locks
        Trade.fee = self.ctx.fee
        PairLocks.timeframe = self.user.timeframe

    def _recall(self, pairs: List[str]) -> None:
        """Takes back what was kept of the pairs that are traded; a pair that no longer is has no candles."""
        kept = self._kept
        if not kept:
            return
        self._trades.update((one["pair"], Trade.restored(one)) for one in kept["open"] if one["pair"] in pairs)
        self._past.extend(Trade.restored(one) for one in kept["closed"])
        for pair, until, reason, side in kept["locks"]:
            self._locks.append(PairLock(pair, datetime.fromtimestamp(until, timezone.utc), reason, side))
        self._seen, self._exposure = dict(kept["seen"]), dict(kept["exposure"])
        self._entering = {pair: (tag, at, limit) for pair, (tag, at, limit) in kept["entering"].items() if pair in pairs}
        self._leaving = {pair: (reason, at, price) for pair, (reason, at, price) in kept["leaving"].items() if pair in pairs}

    def _row(self, ctx: Any) -> int:
        bars = self._bars[pair_of(ctx.instrument)]
        return min(max(bars.row(ctx.now - self.length), 0), len(bars.time) - 1)

    def _follow(self, ctx: Any) -> None:
        """Books what the desk has filled since the last request.

        A backtest makes no requests for a pair without a callback to call, so trades of other pairs are followed by their candles there. Live
        each pair has a request at each of its closes, and a trade ends when the desk shows that it has.
        """
        pair, position = pair_of(ctx.instrument), ctx.position
        self._enter_unseen(pair, ctx.now, bool(position))
        trade = Trade._open.get(pair)
        leaving = self._leaving.get(pair)
        if leaving and position and ctx.exposure and not ctx.is_backtest and ctx.now >= (leaving[1] + 1) * NANOSECONDS:
            # The exit was denied: what ends the trade later is something else.
            del self._leaving[pair]
        if trade is not None and (not position or position.opened_at != trade.opened_at and trade.opened_at):
            self._close_by_candles(trade, ctx.now, is_closed=True)
            trade = None
        if position:
            self._see(trade, ctx)
        if ctx.is_backtest and (self.protections or self._most is not None):
            for other in [name for name in dict.fromkeys((*self._entering, *Trade._open)) if name != pair and name in self._bars]:
                self._enter_unseen(other, ctx.now, False)
                if other in Trade._open and (other in self._leaving or not self._decides_levels()):
                    self._close_by_candles(Trade._open[other], ctx.now, is_closed=False)

    def _see(self, trade: Optional[Trade], ctx: Any) -> None:
        pair, position = pair_of(ctx.instrument), ctx.position
        if trade is None:
            tag, _, _ = self._entering.pop(pair, ("", 0, None))
            opened = position.opened_at - position.opened_at % self.length
            trade = self._open(pair, position.entry_price, position.quantity, opened, tag)
        change = position.quantity - trade.amount
        if not trade.opened_at or abs(change) <= CORRECTED * trade.amount:
            trade.correct(position.quantity, position.entry_price)
        else:
            self._change(trade, change, ctx)
        trade.opened_at = position.opened_at
        self._look_at_candles(trade, ctx.now)
        if not ctx.is_backtest:
            # It is held at this close: it did not end in a candle before, whatever that one touched.
            self._scanned[pair] = self._seen[pair]

    def _open(self, pair: str, rate: float, amount: float, opened: int, tag: str) -> Trade:
        trade = Trade(pair, rate, amount, utc(opened), tag or None, self._ticks[pair])
        trade.adjust_stop_loss(trade.open_rate, self.user.stoploss, initial=True)
        Trade._open[pair] = trade
        self._seen[pair] = opened - self.length
        self._leaving.pop(pair, None)
        self._scanned.pop(pair, None)
        self.rules.after_fill(trade, utc(opened), rate)
        self._note_filled(trade, utc(opened))
        return trade

    def _enter_unseen(self, pair: str, now: int, is_held: bool) -> None:
        """An entry that was decided filled at the next open, and may have been left before the next request.

        Live it may as well have found no counterpart. It was left where the candle reaches its stop or its target; else it never was.
        """
        pending, bars = self._entering.get(pair), self._bars.get(pair)
        if pending is None or bars is None or is_held or pair in Trade._open:
            return
        row = bars.row(pending[1])
        if row >= len(bars.time) or bars.time[row] + self.length > now:
            return
        tag, _, limit = self._entering.pop(pair)
        is_denied = pair in self._denied
        self._denied.discard(pair)
        rate = bars.open[row] if limit is None else min(limit, bars.open[row])
        is_filled = bars.low[row] <= rate and (self.ctx.is_backtest or self._is_left(rate, bars.low[row], bars.high[row]))
        if is_denied or not is_filled:
            return
        amount = self._exposure.get(pair, 1.0) * (self._set_budget or 1.0) / rate
        self._open(pair, rate, amount, bars.time[row], tag)

    def _is_left(self, rate: float, low: float, high: float) -> bool:
        """Whether a candle reaches the first stop or the first target of a position that was entered at `rate`."""
        gains = [] if self._asks_to_exit() else [gain for minutes, gain in self.rules.roi if minutes <= 0]
        target = rate * (1 + gains[-1]) * (1 + self.ctx.fee) / (1 - self.ctx.fee) if gains else None
        return low <= rate * (1 - abs(self.user.stoploss)) or (target is not None and high >= target)

    def on_order(self, order: Any, ctx: Any) -> None:
        """Notes an entry that the desk has denied. Denials of other things are none of an entry."""
        self._activate()
        if order.status == "denied" and pair_of(order.instrument) in self._entering:
            self._denied.add(pair_of(order.instrument))

    def _change(self, trade: Trade, change: float, ctx: Any) -> None:
        now, bars = utc(ctx.now - self.length), self._bars[trade.pair]
        rate = bars.open[self._row(ctx)]
        if change > 0:
            trade.add(change, rate, now)
            trade.open_rate = ctx.position.entry_price
        else:
            trade.reduce(-change, rate, now)
        self.rules.after_fill(trade, now, rate)
        self._note_filled(trade, now)

    def _note_filled(self, trade: Trade, now: datetime) -> None:
        if own(type(self.user), "order_filled"):
            self.user.order_filled(pair=trade.pair, trade=trade, order=trade.orders[-1], current_time=now)

    def _look_at_candles(self, trade: Trade, now: int) -> None:
        """Highest and lowest rate and the stop, by the candles that closed since the last look."""
        bars = self._bars[trade.pair]
        row = bars.row(self._seen[trade.pair] + 1)
        moves = self.user.trailing_stop or self.user.use_custom_stoploss
        while row < len(bars.time) and bars.time[row] + self.length <= now:
            trade.adjust_min_max_rates(bars.high[row], bars.low[row])
            if moves:
                closed = utc(bars.time[row] + self.length)
                self.rules.adjust_stop(trade, closed, bars.close[row], bars.low[row], bars.high[row])
            self._seen[trade.pair] = bars.time[row]
            row += 1

    def _close_by_candles(self, trade: Trade, now: int, is_closed: bool) -> None:
        """Books the end of a trade: the exit that was decided, else the first signal or level on its candles.

        With `is_closed` it has ended for sure, at the last rate if nothing else is found.
        """
        pair, bars = trade.pair, self._bars[trade.pair]
        leaving = self._leaving.get(pair)
        start = bars.row(int(trade.open_date.timestamp()) * NANOSECONDS)
        row = max(start, bars.row(self._scanned.get(pair, -1) + 1))
        by_table = type(self).on_exit is Strategy.on_exit and self.user.use_exit_signal
        while row < len(bars.time) and bars.time[row] + self.length <= now:
            moment = utc(bars.time[row])
            if leaving is not None and moment.timestamp() >= leaving[1]:
                return self._closed(trade, bars.open[row] if leaving[2] is None else leaving[2], moment, leaving[0])
            if by_table and row > start and bars.leave[row - 1] == 1 and bars.enter[row - 1] != 1:
                return self._closed(trade, bars.open[row], moment, bars.leave_tag[row - 1] or "exit_signal")
            level = None if self._decides_levels() else self._levels(trade, moment, bars.low[row], bars.high[row])
            if level:
                return self._closed(trade, level[1], moment, level[0])
            self._scanned[pair] = bars.time[row]
            row += 1
        if is_closed:
            self._closed(trade, bars.close[max(row - 1, 0)], utc(now - now % self.length), leaving[0] if leaving else "exit_signal")

    def _decides_levels(self) -> bool:
        """Whether every end of a trade is one that was decided: then no level ends it by itself."""
        return False

    def _levels(self, trade: Trade, now: datetime, low: float, high: float) -> Optional[Tuple[str, float]]:
        if trade.stop_loss and low <= trade.stop_loss:
            return ("trailing_stop_loss" if trade.is_stop_loss_trailing else "stop_loss"), trade.stop_loss
        _, gain = (None, None) if self._asks_to_exit() else self.rules.roi_at(trade, now)
        if gain is not None and trade.calc_profit_ratio(high) > gain:
            return "roi", min(max(trade.rate_for_profit(gain), low), high)
        return None

    def _asks_to_exit(self) -> bool:
        """Whether the strategy may refuse an exit at a target: then the desk does not watch targets."""
        return own(type(self.user), "confirm_trade_exit")

    def _closed(self, trade: Trade, rate: float, moment: datetime, reason: str) -> None:
        trade.close(rate, moment, reason)
        if not self.ctx.is_backtest:
            del self._past[:-TRADES_LIVE]
        self._leaving.pop(trade.pair, None)
        self._note_filled(trade, moment)
        for protection in self.protections:
            protection.apply(trade.pair, moment)
        PairLocks.drop_expired(moment)
