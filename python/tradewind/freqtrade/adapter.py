"""A freqtrade strategy as a strategy of the desk.

Signals are columns, computed once over a backtest's history. Stop and profit targets are the desk's exit plan. Only what the desk cannot do
alone costs a request: callbacks, at each close while there is a position, and confirmations of entries and exits.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import datetime
from pathlib import Path
from typing import Any, Dict, List, Optional, Set, Tuple

from ..decision import Decision, Exit, ExitPlan, Target
from ..market import utc
from ..strategy import Param, Strategy
from . import analysis
from .constants import RunMode
from .dataprovider import DataProvider
from .errors import StrategyError, Unsupported
from .informative import decorated
from .interface import Wallets
from .loader import callbacks, choose, make, own
from .parameters import BaseParameter, CategoricalParameter, NumericParameter, parameters_of
from .protections import Protection
from .rules import Exit as Way
from .rules import Rules, candle_price, roi_table
from .timeframes import timeframe_to_seconds
from .trade import PairLocks, Trade

# Candles that a strategy has live, as freqtrade fetches them, whatever startup_candle_count says.
LIVE_CANDLES = 500
NANOSECONDS = 1_000_000_000
# A difference of the amount held up to this share is due to fees and steps, not to an order.
CORRECTED = 0.02


def adapt(module: Any, name: Optional[str], path: str) -> type:
    """The strategy class of the desk for a freqtrade file that was imported as `module`."""
    from ..loading import LoadError

    file = Path(path)
    try:
        user_class = choose(module, name, file)
        user = make(user_class, file)
    except (StrategyError, Unsupported) as error:
        problem, _, cure = str(error).partition("; ")
        raise LoadError(problem, cure or "see docs/freqtrade.md") from error
    return strategy_class(user_class, user, file)


def strategy_class(user_class: type, user: Any, file: Path) -> type:
    """A class with the callbacks that this strategy needs, and no other: each costs requests."""
    used = set(callbacks(user))
    body: Dict[str, Any] = {
        "__doc__": user_class.__doc__ or f"{user_class.__name__} of {file.name}.",
        "user_class": user_class,
        "file": file,
        "timeframe": user.timeframe,
        "timeframes": further_timeframes(user),
        "warm_up": max(user.startup_candle_count, LIVE_CANDLES),
        "first_row": user.startup_candle_count,
        "exit_plan": exit_plan(user, Trade.fee),
        **params_of(user),
    }
    at_entry = {"confirm_trade_entry", "custom_stake_amount", "custom_entry_price", "bot_loop_start"}
    if "confirm_trade_exit" in used or user.exit_profit_only:
        body["on_exit"] = FreqtradeStrategy.confirm_exit
    managed = {"custom_stoploss", "custom_exit", "custom_sell", "custom_roi", "adjust_trade_position", "order_filled"}
    if used & managed or user.trailing_stop or user.ignore_roi_if_entry_signal:
        body["on_position"] = FreqtradeStrategy.manage
    if used & at_entry or user.protections or "on_position" in body:
        body["on_entry"] = FreqtradeStrategy.confirm_entry
    return type(user_class.__name__, (FreqtradeStrategy,), body)


def further_timeframes(user: Any) -> List[str]:
    """The longer candles that a strategy names."""
    names = [mark.timeframe for mark, _ in decorated(user)]
    names += [entry[1] for entry in user.informative_pairs()]
    return [name for name in dict.fromkeys(names) if name != user.timeframe]


def gain_before_fees(gain: float, fee: float) -> float:
    """The rise of the price at which a trade gains this share after the fees of entry and exit."""
    return (1 + gain) * (1 + fee) / (1 - fee) - 1


def exit_plan(user: Any, fee: float) -> ExitPlan:
    """What the desk watches by itself: the first stop and the profit targets by age."""
    roi = [(minutes * 60, gain_before_fees(gain, fee)) for minutes, gain in roi_table(user)]
    stop = abs(user.stoploss)
    return ExitPlan(stop=stop if stop < 1 else None, roi=tuple(roi))


def params_of(user: Any) -> Dict[str, Param]:
    """The strategy's parameters, so that the configuration can set them."""
    found = {}
    for parameter in parameters_of(user):
        try:
            found[parameter.name] = _param(parameter)
        except ValueError:
            # A default outside of its own bounds stays the file's matter.
            continue
    return {name: param for name, param in found.items() if not hasattr(FreqtradeStrategy, name)}


def _param(parameter: BaseParameter) -> Param:
    if isinstance(parameter, NumericParameter):
        return Param(parameter.value, min=parameter.low, max=parameter.high)
    if isinstance(parameter, CategoricalParameter):
        choices = list(parameter.opt_range)
        if not all(isinstance(one, (bool, int, float, str)) for one in choices):
            raise ValueError(parameter.name)
        return Param(parameter.value, choices=choices)
    raise ValueError(parameter.name)


class Bars:
    """The candles of a pair with its signals, as lists."""

    def __init__(self, frame: Any) -> None:
        plain = {name: list(getattr(frame[name], "tolist", lambda name=name: frame[name])()) for name in _BARS if name in frame}
        self.time: List[int] = plain["time"]
        self.open, self.high, self.low, self.close = (plain[name] for name in ("open", "high", "low", "close"))
        nothing = [0.0] * len(self.time)
        self.enter, self.leave = plain.get("enter_long", nothing), plain.get("exit_long", nothing)
        self.leave_tag = plain.get("exit_tag", [""] * len(self.time))

    def row(self, opened: int) -> int:
        """The row of the candle that opened at this time, or of the first one after it."""
        return bisect_left(self.time, opened)


_BARS = ("time", "open", "high", "low", "close", "enter_long", "exit_long", "exit_tag")


class FreqtradeStrategy(Strategy):
    """The base of the classes that `strategy_class` makes."""

    user_class: type
    file: Path
    first_row = 0
    freqtrade_candles = Param(
        False, about="in backtests, let callbacks and trailing stops see the candle that opens, as freqtrade's backtests do"
    )

    def __init__(self, params: Optional[Dict[str, Any]] = None) -> None:
        super().__init__(params)
        self.user = make(self.user_class, self.file)
        for parameter in parameters_of(self.user):
            if parameter.name in (params or {}):
                parameter.value = (params or {})[parameter.name]
        self.rules = Rules(self.user)
        self.protections = [Protection(settings, self.user.timeframe) for settings in self.user.protections]
        self.length = timeframe_to_seconds(self.user.timeframe) * NANOSECONDS
        self._bars: Dict[str, Bars] = {}
        self._frames: Dict[str, Any] = {}
        # By pair: the tag and time of the entry under way, the reason and time of the exit under way, the exposure last decided.
        self._entering: Dict[str, Tuple[str, int]] = {}
        self._leaving: Dict[str, Tuple[str, float]] = {}
        self._exposure: Dict[str, float] = {}
        # By pair: when the newest candle opened that its trade has seen.
        self._seen: Dict[str, int] = {}
        # By pair, what an exposure of 1 is worth in the quote asset, by its last entry.
        self._full: Dict[str, float] = {}
        self._denied: Set[str] = set()
        # By pair, the exit plan last decided.
        self._plans: Dict[str, Optional[ExitPlan]] = {}
        self._set_budget: Optional[float] = None

    # Setting up.

    def setup(self, ctx: Any) -> None:
        """Gives the strategy its candles and calls `bot_start`."""
        Trade._reset()
        PairLocks._reset()
        self.ctx = ctx
        self._plays_freqtrade = ctx.is_backtest and self.freqtrade_candles
        pairs = [name for name in ctx.traded]
        PairLocks.timeframe = self.user.timeframe
        runmode = RunMode.BACKTEST if ctx.is_backtest else RunMode.LIVE
        stake = pairs[0].split("/")[-1] if pairs else ""
        self.user.config.update(
            {"stake_currency": stake, "timeframe": self.user.timeframe, "runmode": runmode, "dry_run": ctx.is_backtest, "trading_mode": "spot"}
        )
        self.user.dp = DataProvider(self.candles, pairs, self.user.timeframe, runmode)
        self.user.wallets = Wallets(ctx.budget, stake)
        self.user.bot_start()

    def candles(self, pair: str, timeframe: str) -> Any:
        """The closed candles of a pair as a table of its own."""
        name = next((name for name in self.ctx.known if name == pair or name.split(":")[-1] == pair), None)
        if name is None:
            raise Unsupported(f"{pair} is not among the bot's instruments; add it to `instruments` or `reads`")
        columns = self.ctx.closed_columns(name, timeframe)
        if columns is not None:
            return analysis.fill_holes(table_of(columns), timeframe)
        base = table_of(self.ctx.closed_columns(name, self.user.timeframe))
        return analysis.longer_candles(analysis.fill_holes(base, self.user.timeframe), self.user.timeframe, timeframe)

    # Signals.

    def indicators(self, df: Any, ctx: Any) -> Any:
        """The columns of populate_indicators, populate_entry_trend and populate_exit_trend."""
        self.user.dp.now = utc(ctx.now)
        candles = table_of(df)
        table = analysis.analyze(self.user, analysis.fill_holes(candles, self.user.timeframe), ctx.instrument)
        if len(table) != len(candles):
            table = table[table["date"].isin(candles["date"])]
        for name in ("enter_long", "exit_long"):
            table[name] = analysis.flags(table, name).astype(float)
        for name in ("enter_tag", "exit_tag"):
            if name in table.columns:
                table[name] = analysis.tags(table, name)
        for name in table.columns:
            if name not in ("date", *analysis.CANDLE):
                df[str(name)] = table[name].to_numpy()
        return df

    def signals(self, df: Any, ctx: Any) -> Dict[str, Any]:
        """Entries and exits by row, with their tags."""
        pair = ctx.instrument
        self._bars[pair] = Bars(df)
        self._frames[pair] = df
        self.user.dp.set_analyzed(pair, None)
        enter, leave = df["enter_long"] == 1, df["exit_long"] == 1
        enter = enter & ~leave
        if ctx.is_backtest:
            enter[: self.first_row] = False
        if not self.user.use_exit_signal:
            leave = leave & False
        # Freqtrade does not exit on a candle that signals an entry as well.
        table = {"enter": enter, "exit": leave & ~(df["enter_long"] == 1)}
        for name in ("enter_tag", "exit_tag"):
            if name in df:
                table[name] = df[name]
            elif name == "exit_tag":
                table[name] = "exit_signal"
        return table

    # Callbacks.

    def confirm_entry(self, decision: Decision, ctx: Any) -> Optional[Decision]:
        """Locks, stake and confirmation of an entry; None refuses it."""
        pair, now = ctx.instrument, self._begin(ctx)
        if PairLocks.is_pair_locked(pair, now):
            return None
        rate = self._rate(ctx, entering=True)
        tag = decision.tag or None
        user, budget = self.user, ctx.budget
        stake = user.custom_stake_amount(
            pair=pair,
            current_time=now,
            current_rate=rate,
            proposed_stake=budget,
            min_stake=0.0,
            max_stake=budget,
            leverage=1.0,
            entry_tag=tag,
            side="long",
        )
        if not stake or stake <= 0:
            return None
        limit = None
        if own(type(user), "custom_entry_price"):
            limit = user.custom_entry_price(pair=pair, trade=None, current_time=now, proposed_rate=rate, entry_tag=tag, side="long")
            limit = limit if limit and limit < rate else None
        amount = stake / (limit or rate)
        confirmed = user.confirm_trade_entry(
            pair=pair,
            order_type=user.order_types["entry"],
            amount=amount,
            rate=limit or rate,
            time_in_force=user.order_time_in_force.get("entry", "GTC"),
            current_time=now,
            entry_tag=tag,
            side="long",
        )
        if not confirmed:
            return None
        self._entering[pair] = (decision.tag, ctx.now)
        self._exposure[pair] = min(stake / budget, 1.0) * abs(decision.exposure or 0.0)
        plan = decision.exit
        bars, row = self._bars[pair], self._row(ctx)
        if limit is None and self._sees_next(bars, row):
            plan = self._plan_of_entry(pair, bars, row, decision.tag)
        self._plans[pair] = plan
        return Decision(self._exposure[pair], decision.tag, limit=limit, exit=plan)

    def _plan_of_entry(self, pair: str, bars: Bars, row: int, tag: str) -> ExitPlan:
        """The exit plan for the candle of the entry, which is known."""
        opening = bars.open[row + 1]
        trade = self._open(pair, opening, self._exposure[pair] * self.ctx.budget / opening, bars.time[row + 1], tag)
        self._entering.pop(pair, None)
        left = self._way_out(trade, utc(bars.time[row + 1]), bars, row)
        if left is None:
            return ExitPlan(stop_at=trade.stop_loss)
        way, price = left
        self._leaving[pair] = (way.reason, trade.open_date.timestamp())
        # A trade cannot be left by a signal before it is there: its price is the open's.
        return _plan_at(price, opening, trade)

    def confirm_exit(self, decision: Decision, ctx: Any) -> Optional[Decision]:
        """`exit_profit_only` and the confirmation of an exit by signal; None refuses it."""
        now = self._begin(ctx)
        trade = Trade._open.get(ctx.instrument)
        bars = self._bars[ctx.instrument]
        if trade is not None and self._sees_next(bars, self._row(ctx)):
            # `manage` has decided about the signal, and found a reason to stay.
            return None
        if trade is None:
            return decision
        rate = self._rate(ctx)
        if self.user.exit_profit_only and trade.calc_profit_ratio(rate) <= self.user.exit_profit_offset:
            return None
        return self._leave(trade, decision.tag or "exit_signal", rate, now)

    def manage(self, position: Any, ctx: Any) -> Optional[Decision]:
        """Callbacks of an open trade at the close of a candle: size, exit, stop."""
        now = self._begin(ctx)
        trade = Trade._open.get(ctx.instrument)
        if trade is None:
            return None
        bars, row = self._bars[ctx.instrument], self._row(ctx)
        if self._sees_next(bars, row):
            return self._manage_candle(trade, now, ctx, row)
        rate = self._rate(ctx)
        resized = self._resize(trade, rate, now, ctx) if self.user.position_adjustment_enable else None
        enter = bars.enter[row] == 1
        # A signal to leave is a proposal of its own, and levels are the exit plan's.
        way = None if bars.leave[row] == 1 and not enter else self.rules.signal(trade, now, rate, enter, False)
        answer = self._leave(trade, way.reason, rate, now) if way else None
        if answer is not None:
            return answer
        return self._keep(trade, ExitPlan(stop_at=trade.stop_loss, roi=self._roi(trade, now, enter)), resized)

    def _sees_next(self, bars: Bars, row: int) -> bool:
        """Whether callbacks get the candle that opens now, as in freqtrade's backtests."""
        is_managed = type(self).on_position is not Strategy.on_position
        return is_managed and self._plays_freqtrade and row + 1 < len(bars.time)

    def _manage_candle(self, trade: Trade, now: datetime, ctx: Any, row: int) -> Optional[Decision]:
        """The same with the candle that opens now known: what freqtrade's backtests do with it, as levels of an exit plan."""
        bars, user = self._bars[trade.pair], self.user
        opening = bars.open[row + 1]
        resized = self._resize(trade, opening, now, ctx) if user.position_adjustment_enable else None
        if resized is not None:
            change = resized[0] * self._full.get(trade.pair, ctx.budget) / opening - trade.amount
            if change > 0:
                trade.add(change, opening, now, resized[1])
            elif change > -trade.amount:
                trade.reduce(-change, opening, now, resized[1])
        left = self._way_out(trade, now, bars, row)
        if left is None:
            return self._keep(trade, ExitPlan(stop_at=trade.stop_loss), resized)
        way, price = left
        self._leaving[trade.pair] = (way.reason, now.timestamp())
        if way.price is None:
            return Exit(way.reason)
        return self._keep(trade, _plan_at(price, opening, trade), resized, way.reason)

    def _way_out(self, trade: Trade, now: datetime, bars: Bars, row: int) -> Optional[Tuple[Way, float]]:
        """How the trade ends in the candle after `row`, and at what price; None if it does not."""
        opening, high, low = bars.open[row + 1], bars.high[row + 1], bars.low[row + 1]
        enter, leave = bars.enter[row] == 1, bars.leave[row] == 1
        self._seen[trade.pair] = bars.time[row + 1]
        for way in self.rules.exits(trade, now, opening, enter, leave, bars.leave_tag[row] or None, low, high):
            price = candle_price(self.user, self.rules, trade, way, now, opening, high, low)
            if self._confirms(trade, way.reason, price, now):
                return way, price
        return None

    def _keep(self, trade: Trade, plan: ExitPlan, resized: Optional[Tuple[float, str]], reason: str = "stop moved") -> Optional[Decision]:
        """The decision that changes plan and size; None if both stay."""
        if resized is None and self._plans.get(trade.pair) == plan:
            return None
        self._plans[trade.pair] = plan
        exposure = self._exposure.get(trade.pair, 1.0) if resized is None else resized[0]
        self._exposure[trade.pair] = exposure
        return Decision(exposure, resized[1] if resized else reason, exit=plan)

    # Inside.

    def _begin(self, ctx: Any) -> datetime:
        """Brings trades up to date before a callback, and returns the time."""
        now = utc(ctx.now)
        user, pair = self.user, ctx.instrument
        if self._set_budget != ctx.budget:
            self._set_budget = user.wallets.budget = ctx.budget
        bars = self._bars.get(pair)
        if bars is not None:
            self._show_analyzed(pair, self._row(ctx) + 1, now)
        if own(type(user), "bot_loop_start"):
            user.bot_loop_start(current_time=now)
        self._follow(ctx)
        return now

    def _show_analyzed(self, pair: str, rows: int, now: datetime) -> None:
        dp = self.user.dp
        if dp._analyzed.get(pair) is None and own_uses_analyzed(self.user_class):
            dp.set_analyzed(pair, table_of(self._frames[pair], everything=True))
        if dp._analyzed.get(pair) is not None:
            dp.set_closed(pair, rows, now)
        dp.now = now

    def _row(self, ctx: Any) -> int:
        bars = self._bars[ctx.instrument]
        return min(max(bars.row(ctx.now - self.length), 0), len(bars.time) - 1)

    def _rate(self, ctx: Any, entering: bool = False) -> float:
        """The current rate: what an entry would pay or an exit would get."""
        if self._plays_freqtrade:
            bars, row = self._bars[ctx.instrument], self._row(ctx)
            return bars.open[min(row + 1, len(bars.open) - 1)]
        if ctx.quote is not None:
            return ctx.quote.ask if entering else ctx.quote.bid
        return self._bars[ctx.instrument].close[self._row(ctx)]

    def _follow(self, ctx: Any) -> None:
        """Books what the desk has filled since the last request. Trades of other pairs are followed by their candles."""
        pair, position = ctx.instrument, ctx.position
        self._enter_unseen(pair, ctx.now, bool(position))
        trade = Trade._open.get(pair)
        if trade is not None and (not position or position.opened_at != trade.opened_at and trade.opened_at):
            self._close_by_candles(trade, ctx.now, is_closed=True)
            trade = None
        if position:
            self._see(trade, ctx)
        if self.protections:
            for other in [name for name in (*self._entering, *Trade._open) if name != pair]:
                self._enter_unseen(other, ctx.now, False)
                if other in Trade._open:
                    self._close_by_candles(Trade._open[other], ctx.now, is_closed=False)

    def _see(self, trade: Optional[Trade], ctx: Any) -> None:
        pair, position = ctx.instrument, ctx.position
        if trade is None:
            tag, _ = self._entering.pop(pair, ("", 0))
            opened = position.opened_at - position.opened_at % self.length
            trade = self._open(pair, position.entry_price, position.quantity, opened, tag)
        change = position.quantity - trade.amount
        if not trade.opened_at:
            exposure = self._exposure.setdefault(pair, 1.0) or 1.0
            self._full[pair] = position.quantity * position.entry_price / exposure
        if not trade.opened_at or abs(change) <= CORRECTED * trade.amount:
            trade.correct(position.quantity, position.entry_price)
        else:
            self._change(trade, change, ctx)
        trade.opened_at = position.opened_at
        self._look_at_candles(trade, ctx.now)

    def _open(self, pair: str, rate: float, amount: float, opened: int, tag: str) -> Trade:
        trade = Trade(pair, rate, amount, utc(opened), tag or None, self.ctx.ticks[pair])
        trade.adjust_stop_loss(trade.open_rate, self.user.stoploss, initial=True)
        Trade._open[pair] = trade
        self._seen[pair] = opened - self.length
        self._leaving.pop(pair, None)
        self._tell_filled(trade, utc(opened))
        return trade

    def _enter_unseen(self, pair: str, now: int, is_held: bool) -> None:
        """An entry that was decided filled at the next open, and may have been left before the next request."""
        pending = self._entering.get(pair)
        if pending is None or is_held or pair in Trade._open:
            return
        bars = self._bars[pair]
        row = bars.row(pending[1])
        if row >= len(bars.time) or bars.time[row] + self.length > now:
            return
        tag, _ = self._entering.pop(pair)
        if pair in self._denied:
            self._denied.discard(pair)
            return
        amount = self._exposure.get(pair, 1.0) * (self._set_budget or 1.0) / bars.open[row]
        self._open(pair, bars.open[row], amount, bars.time[row], tag)

    def on_order(self, order: Any, ctx: Any) -> None:
        """Notes an entry that the desk has denied."""
        if order.status == "denied":
            self._denied.add(order.instrument)

    def _change(self, trade: Trade, change: float, ctx: Any) -> None:
        now, bars = utc(ctx.now - self.length), self._bars[trade.pair]
        rate = bars.open[self._row(ctx)]
        if change > 0:
            trade.add(change, rate, now)
            trade.open_rate = ctx.position.entry_price
        else:
            trade.reduce(-change, rate, now)
        self._tell_filled(trade, now)

    def _tell_filled(self, trade: Trade, now: datetime) -> None:
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
        by_table = type(self).on_exit is Strategy.on_exit
        row = start
        while row < len(bars.time) and bars.time[row] + self.length <= now:
            moment = utc(bars.time[row])
            signalled = row > start and bars.leave[row - 1] == 1 and bars.enter[row - 1] != 1
            if by_table and signalled and self.user.use_exit_signal:
                return self._closed(trade, bars.open[row], moment, bars.leave_tag[row - 1] or "exit_signal")
            if leaving is not None and moment.timestamp() >= leaving[1]:
                return self._closed(trade, bars.open[row], moment, leaving[0])
            level = self._levels(trade, moment, bars.low[row], bars.high[row])
            if level:
                return self._closed(trade, level[1], moment, level[0])
            row += 1
        if is_closed:
            self._closed(trade, bars.close[max(row - 1, 0)], utc(now - now % self.length), leaving[0] if leaving else "exit_signal")

    def _levels(self, trade: Trade, now: datetime, low: float, high: float) -> Optional[Tuple[str, float]]:
        if trade.stop_loss and low <= trade.stop_loss:
            return ("trailing_stop_loss" if trade.is_stop_loss_trailing else "stop_loss"), trade.stop_loss
        _, gain = self.rules.roi_at(trade, now)
        if gain is not None and trade.calc_profit_ratio(high) > gain:
            return "roi", min(max(trade.rate_for_profit(gain), low), high)
        return None

    def _closed(self, trade: Trade, rate: float, moment: datetime, reason: str) -> None:
        trade.close(rate, moment, reason)
        self._leaving.pop(trade.pair, None)
        self._tell_filled(trade, moment)
        for protection in self.protections:
            protection.apply(trade.pair, moment)
        PairLocks.drop_expired(moment)

    def _confirms(self, trade: Trade, reason: str, rate: float, now: datetime) -> bool:
        return self.user.confirm_trade_exit(
            pair=trade.pair,
            trade=trade,
            order_type=self.user.order_types["exit"],
            amount=trade.amount,
            rate=rate,
            time_in_force=self.user.order_time_in_force.get("exit", "GTC"),
            sell_reason=reason,
            exit_reason=reason,
            current_time=now,
        )

    def _leave(self, trade: Trade, reason: str, rate: float, now: datetime) -> Optional[Decision]:
        if not self._confirms(trade, reason, rate, now):
            return None
        self._leaving[trade.pair] = (reason, now.timestamp())
        return Exit(reason)

    def _resize(self, trade: Trade, rate: float, now: datetime, ctx: Any) -> Optional[Tuple[float, str]]:
        """The exposure after adjust_trade_position, and its tag; None if it stays."""
        user, budget = self.user, self._full.get(trade.pair, ctx.budget)
        profit = trade.calc_profit_ratio(rate)
        answer = user.adjust_trade_position(
            trade=trade,
            current_time=now,
            current_rate=rate,
            current_profit=profit,
            min_stake=0.0,
            max_stake=max(budget - trade.stake_amount, 0.0),
            current_entry_rate=rate,
            current_exit_rate=rate,
            current_entry_profit=profit,
            current_exit_profit=profit,
        )
        stake, tag = answer if isinstance(answer, tuple) else (answer, "")
        if not stake:
            return None
        most = user.max_entry_position_adjustment
        if stake > 0 and 0 <= most < trade.nr_of_successful_entries:
            return None
        # The desk sizes by what the position is worth now; a part to sell is a share of the amount.
        worth = trade.amount * rate
        change = stake if stake > 0 else stake * worth / trade.stake_amount
        return max(0.0, min((worth + change) / budget, 1.0)), tag or ("added" if stake > 0 else "partial_exit")

    def _roi(self, trade: Trade, now: datetime, enter: bool) -> Tuple[Tuple[float, float], ...]:
        if enter and self.user.ignore_roi_if_entry_signal:
            return ()
        if self.user.use_custom_roi:
            _, gain = self.rules.roi_at(trade, now)
            return () if gain is None else ((0.0, gain_before_fees(gain, Trade.fee)),)
        plan = type(self).exit_plan
        return tuple(plan.roi) if plan else ()


def _plan_at(price: float, opening: float, trade: Trade) -> ExitPlan:
    """A plan that closes a position at a price that the candle reaches."""
    on_tick = round(price / trade.tick)
    if on_tick <= round(opening / trade.tick):
        return ExitPlan(stop_at=on_tick * trade.tick)
    # The desk keeps gains in millionths of the entry and rounds the level up to a tick.
    entry = round(trade.open_rate / trade.tick)
    millionths = (on_tick - entry) * 1_000_000 // entry
    return ExitPlan(roi=((0.0, millionths / 1_000_000),))


def own_uses_analyzed(user_class: type) -> bool:
    """Whether a strategy's file reads analysed tables. They cost time to make."""
    import inspect

    try:
        return "get_analyzed_dataframe" in inspect.getsource(inspect.getmodule(user_class) or user_class)
    except (OSError, TypeError):
        return True


def table_of(columns: Any, everything: bool = False) -> Any:
    """Columns of the desk as a table with the column `date`."""
    import pandas

    table = pandas.DataFrame({"date": pandas.to_datetime(columns["time"], unit="ns", utc=True)})
    names = [name for name in columns if name != "time"] if everything else analysis.CANDLE[1:]
    return pandas.concat([table, pandas.DataFrame({name: columns[name] for name in names})], axis=1)
