"""What the desk calls of a freqtrade strategy: signals, confirmations, and the management of an open trade."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Dict, Optional, Set, Tuple

from ..decision import Decision, Exit, ExitPlan, MoveStop
from ..market import utc
from ..strategy import Param, Strategy
from . import analysis
from .booking import NANOSECONDS, Bars, TradeBook, pair_of
from .constants import CandleType, RunMode
from .dataprovider import DataProvider
from .errors import Unsupported
from .interface import Wallets
from .loader import make, own
from .parameters import parameters_of
from .protections import Protection
from .rules import Exit as Way
from .rules import Rules, candle_price, roi_table
from .timeframes import timeframe_to_seconds
from .trade import PairLocks, Trade


class FreqtradeStrategy(TradeBook):
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
        self._frames: Dict[str, Any] = {}
        self._shows_analyzed = reads_analyzed(self.user_class)
        # Lines that were printed: each is printed once.
        self._printed: Set[str] = set()
        # By pair, what `manage` has decided last.
        self._managed: Dict[str, Decision] = {}
        # By pair, of how many rows the indicators were computed last.
        self._computed: Dict[str, int] = {}

    # Setting up.

    def setup(self, ctx: Any) -> None:
        """Gives the strategy its candles and calls `bot_start`."""
        self.ctx = ctx
        pairs = [pair_of(name) for name in ctx.traded]
        self._activate()
        self._recall(pairs)
        self.exit_plan = exit_plan(self.user, ctx.fee)
        most = self.user.max_open_trades
        self._most = int(most) if 0 <= most < len(pairs) else None
        self._plays_freqtrade = ctx.is_backtest and self.freqtrade_candles
        self._ticks = {pair_of(name): tick for name, tick in ctx.ticks.items()}
        runmode = RunMode.BACKTEST if ctx.is_backtest else RunMode.LIVE
        stake = pairs[0].split("/")[-1] if pairs else ""
        self.user.config.update(
            {
                "stake_currency": stake,
                "stake_amount": "unlimited",
                "max_open_trades": len(pairs) if self._most is None else self._most,
                "timeframe": self.user.timeframe,
                "runmode": runmode,
                "dry_run": ctx.is_backtest,
                "trading_mode": "spot",
                "candle_type_def": CandleType.SPOT,
                "exchange": {"name": "tradewind", "pair_whitelist": pairs},
            }
        )
        self.user.dp = DataProvider(self.candles, pairs, self.user.timeframe, runmode)
        self.user.wallets = Wallets(ctx.budget, stake)
        self.user.bot_start()

    def candles(self, pair: str, timeframe: str) -> Any:
        """The closed candles of a pair as a table of its own."""
        name = next((name for name in self.ctx.known if name == pair or name.split(":")[-1] == pair), None)
        if name is None:
            raise Unsupported(f"{pair} is not among the bot's instruments; add it to `instruments` or `reads`")
        # A backtest has all of the short candles. Live there are more of the long ones than the short ones make.
        columns = None if self.ctx.is_backtest else self.ctx.closed_columns(name, timeframe)
        if columns:
            return analysis.fill_holes(table_of(columns), timeframe)
        base = table_of(self.ctx.closed_columns(name, self.user.timeframe))
        return analysis.longer_candles(analysis.fill_holes(base, self.user.timeframe), self.user.timeframe, timeframe)

    # Signals.
    def indicators(self, df: Any, ctx: Any) -> Any:
        """The columns of populate_indicators, populate_entry_trend and populate_exit_trend."""
        self._activate()
        self._computed[pair_of(ctx.instrument)] = len(df)
        self.user.dp.now = utc(ctx.now)
        candles = table_of(df)
        table = analysis.analyze(self.user, analysis.fill_holes(candles, self.user.timeframe), pair_of(ctx.instrument))
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
        pair = pair_of(ctx.instrument)
        if self._computed.get(pair) != len(df):
            # Parts of the history were computed to look for a look-ahead. Files keep what they computed last.
            self.indicators(df, ctx)
        self._bars[pair] = Bars(df)
        self._frames[pair] = df
        self.user.dp.set_analyzed(pair, None)
        if not ctx.is_backtest and type(self).on_entry is not Strategy.on_entry:
            # Each pair has this request at each of its closes: what the desk holds is booked whether or not a callback follows.
            self._activate()
            self._show_analyzed(utc(ctx.now), ctx.now)
            self._follow(ctx)
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
        pair, now = pair_of(ctx.instrument), self._begin(ctx)
        if PairLocks.is_pair_locked(pair, now) or not self._has_room(pair, ctx.now) or not self._has_tables():
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
        if not _is_amount(stake) or stake <= 0:
            return None
        limit = None
        if own(type(user), "custom_entry_price"):
            limit = user.custom_entry_price(pair=pair, trade=None, current_time=now, proposed_rate=rate, entry_tag=tag, side="long")
            limit = limit if _is_amount(limit) and 0 < limit < rate else None
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
        self._entering[pair] = (decision.tag, ctx.now, limit)
        self._denied.discard(pair)
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
            return ExitPlan(stop_at=stop_of(trade))
        way, price = left
        self._leaving[pair] = (way.reason, trade.open_date.timestamp(), price)
        # A trade cannot be left by a signal before it is there: its price is the open's.
        plan = _plan_at(price, opening, trade)
        if way.kind == "trailing_stop_loss" and plan.roi:
            # A stop above the open. As a take-profit the desk's reason tells it from a profit by age.
            ((_, gain),) = plan.roi
            return ExitPlan(take_profit=gain)
        return plan

    def confirm_exit(self, decision: Decision, ctx: Any) -> Optional[Decision]:
        """`exit_profit_only` and the confirmation of an exit by signal; None refuses it."""
        now = self._begin(ctx)
        trade = Trade._open.get(pair_of(ctx.instrument))
        bars = self._bars[pair_of(ctx.instrument)]
        if trade is not None and self._sees_next(bars, self._row(ctx)):
            # `manage` has decided about the signal, and found a reason to stay.
            return self._managed.pop(pair_of(ctx.instrument), None)
        if trade is None:
            return decision
        rate = self._rate(ctx)
        if self.user.exit_profit_only and trade.calc_profit_ratio(rate) <= self.user.exit_profit_offset:
            return self._managed.pop(pair_of(ctx.instrument), None)
        return self._leave(trade, decision.tag or "exit_signal", rate, now) or self._managed.pop(pair_of(ctx.instrument), None)

    def manage(self, position: Any, ctx: Any) -> Optional[Decision]:
        """Callbacks of an open trade at the close of a candle: size, exit, stop."""
        decision = self._manage(ctx)
        self._managed.pop(pair_of(ctx.instrument), None)
        if decision is not None:
            # Where a signal to exit is refused after this, it still counts.
            self._managed[pair_of(ctx.instrument)] = decision
        return decision

    def _manage(self, ctx: Any) -> Optional[Decision]:
        now = self._begin(ctx)
        trade = Trade._open.get(pair_of(ctx.instrument))
        if trade is None:
            return None
        bars, row = self._bars[pair_of(ctx.instrument)], self._row(ctx)
        if self._sees_next(bars, row):
            return self._manage_candle(trade, now, ctx, row)
        rate = self._rate(ctx)
        resized = self._resize(trade, rate, now, ctx) if self.user.position_adjustment_enable else None
        enter = bars.enter[row] == 1
        # A signal to leave is a proposal of its own, and levels are the exit plan's.
        way = None if bars.leave[row] == 1 and not enter else self.rules.signal(trade, now, rate, enter, False)
        answer = self._leave(trade, way.reason, rate, now) if way else None
        if answer is None and asks_to_exit(self.user) and not (enter and self.user.ignore_roi_if_entry_signal):
            # The callback may refuse a profit target, so the desk does not watch it: it counts at closes.
            _, gain = self.rules.roi_at(trade, now)
            if gain is not None and trade.calc_profit_ratio(rate) > gain:
                answer = self._leave(trade, "roi", rate, now)
        if answer is not None:
            return answer
        return self._adjust(trade, ExitPlan(stop_at=stop_of(trade), roi=self._roi(trade, now, enter)), resized, ctx)

    def _adjust(self, trade: Trade, plan: ExitPlan, resized: Optional[Tuple[float, str]], ctx: Any) -> Optional[Decision]:
        """The decision that changes size, profit targets or stop. Nothing is taken from memory: what was decided before may have been denied.

        A stop is raised by a decision that cannot trade. Targets are replaced, and a stop is lowered for a strategy that takes note of
        fills, by a target of the exposure that the desk shows.
        """
        if resized is not None:
            return Decision(resized[0], resized[1], exit=plan)
        before = self._plans.get(trade.pair) or self.exit_plan
        lowers = self.rules.notes_fills and (before.stop_at or 0.0) > (plan.stop_at or 0.0)
        has_other_targets = (tuple(before.roi), before.take_profit) != (tuple(plan.roi), plan.take_profit)
        if ctx.exposure and (has_other_targets or lowers):
            self._plans[trade.pair] = plan
            return Decision(ctx.exposure, "exit plan changed", exit=plan)
        if plan.stop_at is None:
            return None
        self._plans[trade.pair] = replace(plan, roi=before.roi)
        return MoveStop(plan.stop_at, "stop moved")

    def _decides_levels(self) -> bool:
        return self._plays_freqtrade and type(self).on_position is not Strategy.on_position

    def _sees_next(self, bars: Bars, row: int) -> bool:
        """Whether callbacks get the candle that opens now, as in freqtrade's backtests."""
        return self._decides_levels() and row + 1 < len(bars.time)

    def _manage_candle(self, trade: Trade, now: datetime, ctx: Any, row: int) -> Optional[Decision]:
        """The same with the candle that opens now known: what freqtrade's backtests do with it, as levels of an exit plan."""
        bars, user = self._bars[trade.pair], self.user
        opening = bars.open[row + 1]
        resized = self._resize(trade, opening, now, ctx) if user.position_adjustment_enable else None
        if resized is not None:
            change = resized[0] * ctx.budget / opening - trade.amount
            if change > 0:
                trade.add(change, opening, now, resized[1])
            elif change > -trade.amount:
                trade.reduce(-change, opening, now, resized[1])
            self.rules.after_fill(trade, now, opening)
        left = self._way_out(trade, now, bars, row)
        if left is None:
            return self._keep(trade, ExitPlan(stop_at=stop_of(trade)), resized, ctx)
        way, price = left
        self._leaving[trade.pair] = (way.reason, now.timestamp(), None if way.price is None else price)
        if way.price is None:
            return Exit(way.reason)
        return self._keep(trade, _plan_at(price, opening, trade), resized, ctx, way.reason)

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

    def _keep(self, trade: Trade, plan: ExitPlan, resized: Optional[Tuple[float, str]], ctx: Any, reason: str = "stop moved") -> Optional[Decision]:
        """The decision that changes plan and size in a backtest in freqtrade's way, where nothing comes between; None if both stay."""
        if resized is None and (self._plans.get(trade.pair) == plan or not ctx.exposure):
            return None
        self._plans[trade.pair] = plan
        exposure = ctx.exposure if resized is None else resized[0]
        return Decision(exposure, resized[1] if resized else reason, exit=plan)

    # Inside.
    def _begin(self, ctx: Any) -> datetime:
        """Brings trades up to date before a callback, and returns the time."""
        self._activate()
        now = utc(ctx.now)
        user = self.user
        if self._set_budget != ctx.budget:
            self._set_budget = user.wallets.budget = ctx.budget
        self._show_analyzed(now, ctx.now)
        if own(type(user), "bot_loop_start"):
            user.bot_loop_start(current_time=now)
        self._follow(ctx)
        return now

    def _show_analyzed(self, now: datetime, time: int) -> None:
        """Shows the tables of all pairs up to the candles that had closed by now."""
        dp = self.user.dp
        dp.now = now
        if not self._shows_analyzed:
            return
        for pair, frame in self._frames.items():
            if dp._analyzed.get(pair) is None:
                dp.set_analyzed(pair, table_of(frame, everything=True))
            dp.set_closed(pair, self._bars[pair].row(time - self.length + 1), now)

    def _has_tables(self) -> bool:
        """Whether each pair has its table, where a strategy may look at those of others. After a start each has it with its first close."""
        missing = [pair for pair in map(pair_of, self.ctx.traded) if pair not in self._frames]
        if self._shows_analyzed and missing:
            self._print(f"no entry: the file reads analysed tables, and {', '.join(missing)} has no closed candle yet")
            return False
        return True

    def _has_room(self, pair: str, now: int) -> bool:
        """Whether `max_open_trades` lets one more in, entries that were just decided included."""
        if self._most is None:
            return True
        entering = {one for one, (_, at, _) in self._entering.items() if now - at <= self.length and one not in self._denied}
        return len((entering | set(Trade._open)) - {pair}) < self._most

    def _print(self, line: str) -> None:
        if line not in self._printed:
            self._printed.add(line)
            print(line, file=sys.stderr)

    def _rate(self, ctx: Any, entering: bool = False) -> float:
        """The current rate: what an entry would pay or an exit would get."""
        if self._plays_freqtrade:
            bars, row = self._bars[pair_of(ctx.instrument)], self._row(ctx)
            return bars.open[min(row + 1, len(bars.open) - 1)]
        if ctx.quote is not None:
            return ctx.quote.ask if entering else ctx.quote.bid
        return self._bars[pair_of(ctx.instrument)].close[self._row(ctx)]
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
        self._leaving[trade.pair] = (reason, now.timestamp(), None)
        return Exit(reason)

    def _resize(self, trade: Trade, rate: float, now: datetime, ctx: Any) -> Optional[Tuple[float, str]]:
        """The exposure after adjust_trade_position, and its tag; None if it stays.

        The desk sizes an exposure by the budget at the ask. So what is held now is a share of the budget as well, and where the budget
        cannot hold what is wanted there is no order, or a smaller one: never one on the other side.
        """
        if not ctx.exposure:
            # An exit is at work, or the position was adopted and no target of this strategy led to it.
            return None
        user, budget, ask = self.user, ctx.budget, self._rate(ctx, entering=True)
        profit, worth = trade.calc_profit_ratio(rate), trade.amount * ask
        room = max(budget - worth, 0.0)
        answer = user.adjust_trade_position(
            trade=trade,
            current_time=now,
            current_rate=rate,
            current_profit=profit,
            min_stake=0.0,
            max_stake=room,
            current_entry_rate=ask,
            current_exit_rate=rate,
            current_entry_profit=trade.calc_profit_ratio(ask),
            current_exit_profit=profit,
        )
        stake, tag = answer if isinstance(answer, tuple) else (answer, "")
        if not _is_amount(stake) or not stake:
            return None
        if stake < 0:
            kept = worth * (1 + stake / trade.stake_amount)
            if kept > budget:
                self._print(f"{trade.pair}: adjust_trade_position sells a part, and what is left is worth more than the budget: no order")
                return None
            return _exposure(kept, ctx), tag or "partial_exit"
        most = user.max_entry_position_adjustment
        if 0 <= most < trade.nr_of_successful_entries:
            return None
        if stake > room:
            self._print(f"{trade.pair}: adjust_trade_position adds {stake:.8g}, and the budget has room for {room:.8g}; raise budget")
        exposure = _exposure(worth + min(stake, room), ctx)
        return (exposure, tag or "added") if exposure * budget > worth else None

    def _roi(self, trade: Trade, now: datetime, enter: bool) -> Tuple[Tuple[float, float], ...]:
        if enter and self.user.ignore_roi_if_entry_signal or asks_to_exit(self.user):
            return ()
        if self.user.use_custom_roi:
            _, gain = self.rules.roi_at(trade, now)
            return () if gain is None else ((0.0, gain_before_fees(gain, Trade.fee)),)
        return tuple(self.exit_plan.roi)


def gain_before_fees(gain: float, fee: float) -> float:
    """The rise of the price at which a trade gains this share after the fees of entry and exit."""
    return (1 + gain) * (1 + fee) / (1 - fee) - 1


def exit_plan(user: Any, fee: float) -> ExitPlan:
    """What the desk watches by itself: the first stop and the profit targets by age."""
    roi = [] if asks_to_exit(user) else [(minutes * 60, gain_before_fees(gain, fee)) for minutes, gain in roi_table(user)]
    stop = abs(user.stoploss)
    return ExitPlan(stop=stop if stop < 1 else None, roi=tuple(roi))


def stop_of(trade: Trade) -> Optional[float]:
    """The price of a trade's stop; None for a stop of -100 %, which is none."""
    return trade.stop_loss if trade.stop_loss > 0 else None


def asks_to_exit(user: Any) -> bool:
    """Whether a strategy may refuse an exit."""
    return own(type(user), "confirm_trade_exit")


def _is_amount(value: Any) -> bool:
    """Whether a callback returned a number: an indicator that warms up is nan."""
    try:
        return value is not None and math.isfinite(value)
    except TypeError:
        return False


def _exposure(worth: float, ctx: Any) -> float:
    """The share of the budget that is worth so much, a millionth less where it is the one that is held: the desk takes that for no change."""
    exposure = max(0.0, min(worth / ctx.budget, 1.0)) if ctx.budget > 0 else 0.0
    return exposure - 1e-6 if exposure and round(exposure * 1e6) == round(ctx.exposure * 1e6) else exposure


def _plan_at(price: float, opening: float, trade: Trade) -> ExitPlan:
    """A plan that closes a position at a price that the candle reaches."""
    on_tick = round(price / trade.tick)
    if on_tick <= round(opening / trade.tick):
        return ExitPlan(stop_at=on_tick * trade.tick)
    # The desk keeps gains in millionths of the entry and rounds the level up to a tick.
    entry = round(trade.open_rate / trade.tick)
    millionths = (on_tick - entry) * 1_000_000 // entry
    return ExitPlan(roi=((0.0, millionths / 1_000_000),))


def reads_analyzed(user_class: type) -> bool:
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
