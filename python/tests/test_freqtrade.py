"""The freqtrade package: imports, loading, rules, trades, protections. None of it needs freqtrade, and little of it pandas."""

import contextlib
import importlib
import io
import json
import sys
import tempfile
import textwrap
import unittest
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tradewind.freqtrade import StrategyError, Unsupported, hook, load  # noqa: E402
from tradewind.freqtrade.helpers import stoploss_from_absolute, stoploss_from_open  # noqa: E402
from tradewind.freqtrade.interface import IStrategy  # noqa: E402
from tradewind.freqtrade.protections import Protection  # noqa: E402
from tradewind.freqtrade.rules import Rules, candle_price  # noqa: E402
from tradewind.freqtrade.timeframes import timeframe_to_minutes, timeframe_to_next_date, timeframe_to_prev_date  # noqa: E402
from tradewind.freqtrade.trade import PairLocks, Trade  # noqa: E402
from tradewind.loading import LoadError, declare, load_class  # noqa: E402

START = datetime(2024, 1, 1, tzinfo=timezone.utc)
PLAIN = """
from freqtrade.strategy import BooleanParameter, CategoricalParameter, DecimalParameter, IntParameter, IStrategy

class Plain(IStrategy):
    minimal_roi = {"30": 0.01, "0": 0.05}
    stoploss = -0.1
    timeframe = "5m"
"""


def minutes(count):
    return START + timedelta(minutes=count)


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory())) if hasattr(self, "enterContext") else Path(tempfile.mkdtemp())
        self.addCleanup(hook.remove)
        Trade._reset()
        PairLocks._reset()
        PairLocks.timeframe = "5m"

    def file(self, text, name="plain.py"):
        path = self.folder / name
        path.write_text(textwrap.dedent(text))
        return str(path)

    def refused(self, body, *parts, kind=Unsupported):
        with self.assertRaises(kind) as caught:
            load(self.file(PLAIN + textwrap.indent(textwrap.dedent(body), "    ")))
        for part in parts:
            self.assertIn(part, str(caught.exception))
        self.assertNotIn("\n", str(caught.exception))
        self.assertIn("; ", str(caught.exception), "an error names its cure")


class Loading(Folder):
    def test_the_only_strategy_of_a_file_is_loaded(self):
        strategy = load(self.file(PLAIN))
        self.assertEqual((strategy.get_strategy_name(), strategy.stoploss, strategy.INTERFACE_VERSION), ("Plain", -0.1, 3))

    def test_one_of_several_strategies_is_named(self):
        two = self.file(PLAIN + "class Other(IStrategy):\n    stoploss = -0.2\n")
        with self.assertRaisesRegex(StrategyError, "Plain, Other; name one: plain.py:Other"):
            load(two)
        self.assertEqual(load(two, "Plain").stoploss, -0.1)
        with self.assertRaisesRegex(StrategyError, "no strategy Third; its strategies are: Plain, Other"):
            load(two, "Third")

    def test_a_base_class_in_the_same_file_is_not_meant(self):
        self.assertEqual(load(self.file(PLAIN + "class Better(Plain):\n    stoploss = -0.3\n")).stoploss, -0.3)

    def test_what_is_not_there_is_said(self):
        with self.assertRaisesRegex(StrategyError, "no file .*; write the path"):
            load(str(self.folder / "absent.py"))
        with self.assertRaisesRegex(StrategyError, "no strategy; derive a class"):
            load(self.file("x = 1"))

    def test_callbacks_that_are_not_supported_are_refused_by_name(self):
        for name in ("adjust_entry_price", "check_entry_timeout", "custom_exit_price", "set_freqai_targets"):
            self.refused(f"def {name}(self, **kwargs): return None", f"Plain.{name} is not supported")

    def test_other_timeframes_than_the_files_are_refused(self):
        path = self.file(PLAIN)
        adapted = load_class("freqtrade", path, None)
        self.assertEqual(declare(adapted, path, {}, ["5m", "1h"])["timeframes"], ["5m", "1h"])
        with self.assertRaisesRegex(LoadError, "candles of 5m, and timeframes begin with 1m") as caught:
            declare(adapted, path, {}, ["1m"])
        self.assertEqual(caught.exception.cure, 'write timeframes = ["5m"], or leave them out')

    def test_shorts_are_refused(self):
        self.refused("can_short = True", "can_short", "set it to False")

    def test_contradictions_are_refused(self):
        self.refused("stoploss = 0.1", "stoploss", kind=StrategyError)
        self.refused('timeframe = "5x"', "timeframe", kind=StrategyError)
        self.refused(
            "trailing_stop = True\ntrailing_only_offset_is_reached = True", "trailing_stop_positive_offset", kind=StrategyError
        )
        self.refused(
            "trailing_stop = True\ntrailing_stop_positive = 0.02\ntrailing_stop_positive_offset = 0.01", "must be above", kind=StrategyError
        )

    def test_settings_that_change_what_is_traded_are_refused_by_name(self):
        self.refused("unfilledtimeout = {'entry': 5}", "unfilledtimeout")
        self.refused("order_time_in_force = {'entry': 'FOK'}", "order_time_in_force['entry'] = 'FOK'")
        self.refused("ignore_buying_expired_candle_after = 60", "ignore_buying_expired_candle_after")
        self.refused("max_open_trades = 0", "max_open_trades", kind=StrategyError)
        self.refused("stoploss = -1.5", "stoploss", kind=StrategyError)
        body = "    order_time_in_force = {'entry': 'gtc', 'exit': 'gtc'}\n    stoploss = -1\n    max_open_trades = 3\n    process_only_new_candles = False\n"
        self.assertEqual(load(self.file(PLAIN + body)).max_open_trades, 3)

    def test_names_of_version_2_are_understood(self):
        old = PLAIN + "    INTERFACE_VERSION = 2\n    sell_profit_only = True\n    use_sell_signal = False\n    order_types = {'buy': 'market'}\n"
        strategy = load(self.file(old))
        self.assertEqual((strategy.exit_profit_only, strategy.use_exit_signal, strategy.order_types["entry"]), (True, False, "market"))


class Guards(Folder):
    def test_a_callback_that_raises_counts_as_its_default(self):
        body = "    def custom_exit(self, **kwargs): return 1 / 0\n    def confirm_trade_exit(self, **kwargs): return kwargs['absent']\n"
        strategy, printed = load(self.file(PLAIN + body)), io.StringIO()
        with contextlib.redirect_stderr(printed):
            self.assertEqual([strategy.custom_exit() for _ in range(3)], [None] * 3)
            self.assertTrue(strategy.confirm_trade_exit())
        self.assertEqual(printed.getvalue().count("custom_exit raised ZeroDivisionError"), 1)

    def test_what_is_not_supported_ends_the_strategy(self):
        body = "    def custom_exit(self, **kwargs):\n        from freqtrade.persistence import Trade\n        return Trade.get_trades([])\n"
        with self.assertRaisesRegex(Unsupported, "get_trades_proxy"):
            load(self.file(PLAIN + body)).custom_exit()

    def test_a_query_of_the_database_is_named(self):
        with self.assertRaisesRegex(AttributeError, "Trade.pair is a column"):
            Trade.pair == "A/B"  # noqa: B015


class Parameters(Folder):
    TEXT = PLAIN + (
        "    buy_rsi = IntParameter(10, 40, default=30)\n"
        "    sell_low = DecimalParameter([0.1, 0.9], default=0.12345, decimals=2)\n"
        "    buy_kind = CategoricalParameter(['sma', 'ema'])\n"
        "    buy_on = BooleanParameter(default=False)\n"
    )

    def test_defaults(self):
        strategy = load(self.file(self.TEXT))
        self.assertEqual(
            (strategy.buy_rsi.value, strategy.sell_low.value, strategy.buy_kind.value, strategy.buy_on.value), (30, 0.12, "sma", False)
        )
        self.assertEqual((list(strategy.buy_rsi.range), strategy.buy_rsi.low, strategy.buy_rsi.high), ([30], 10, 40))

    def test_a_class_may_carry_its_values(self):
        self.assertEqual(load(self.file(self.TEXT + "    buy_params = {'buy_rsi': 22}\n")).buy_rsi.value, 22)

    def test_saved_values_come_first(self):
        saved = {"strategy_name": "Plain", "params": {"buy": {"buy_rsi": 15}, "roi": {"0": 0.2}, "stoploss": {"stoploss": -0.3}, "max_open_trades": {"max_open_trades": 2}}}
        (self.folder / "plain.json").write_text(json.dumps(saved))
        strategy = load(self.file(self.TEXT + "    buy_params = {'buy_rsi': 22}\n"))
        self.assertEqual((strategy.buy_rsi.value, strategy.minimal_roi, strategy.stoploss, strategy.max_open_trades), (15, {"0": 0.2}, -0.3, 2))

    def test_saved_values_of_another_strategy_are_refused(self):
        (self.folder / "plain.json").write_text('{"strategy_name": "Other", "params": {}}')
        with self.assertRaisesRegex(StrategyError, "is of the strategy 'Other'"):
            load(self.file(self.TEXT))

    def test_a_parameter_without_space_is_refused(self):
        with self.assertRaisesRegex(StrategyError, "the parameter rsi has no space"):
            load(self.file(PLAIN + "    rsi = IntParameter(10, 40, default=30)\n"))


class Imports(Folder):
    def test_modules_of_freqtrade_are_supplied(self):
        hook.install()
        strategy = importlib.import_module("freqtrade.strategy")
        self.assertIs(strategy.IStrategy, IStrategy)
        self.assertIs(importlib.import_module("freqtrade.strategy.interface").IStrategy, IStrategy)
        self.assertIs(importlib.import_module("freqtrade.persistence").Trade, Trade)
        self.assertTrue(hasattr(strategy, "merge_informative_pair"))

    def test_other_modules_fail_with_their_name(self):
        hook.install()
        with self.assertRaisesRegex(ImportError, "freqtrade.freqai is not supplied"):
            importlib.import_module("freqtrade.freqai")

    def test_removing_leaves_nothing(self):
        hook.install()
        importlib.import_module("freqtrade.strategy")
        self.assertIn("freqtrade.strategy", hook.remove())
        self.assertNotIn("freqtrade.strategy", sys.modules)


class Times(unittest.TestCase):
    def test_lengths_and_borders(self):
        self.assertEqual([timeframe_to_minutes(name) for name in ("1m", "5m", "1h", "1d", "1w")], [1, 5, 60, 1440, 10080])
        moment = datetime(2024, 1, 3, 10, 7, 30, tzinfo=timezone.utc)
        self.assertEqual(timeframe_to_prev_date("5m", moment), moment.replace(minute=5, second=0))
        self.assertEqual(timeframe_to_next_date("1h", moment), moment.replace(hour=11, minute=0, second=0))
        self.assertEqual(timeframe_to_prev_date("1w", moment), datetime(2024, 1, 1, tzinfo=timezone.utc))

    def test_stops_relative_to_the_current_price(self):
        # Bought at 100, now 110; a stop 5 % above the entry is 105.
        self.assertAlmostEqual(stoploss_from_open(0.05, 0.10), 1 - 105 / 110)
        self.assertEqual(stoploss_from_open(0.2, 0.1), 0.0)
        self.assertAlmostEqual(stoploss_from_absolute(95, 100), 0.05)
        self.assertEqual(stoploss_from_absolute(105, 100), 0.0)
        self.assertAlmostEqual(stoploss_from_absolute(105, 100, is_short=True), 0.05)


class Exits(Folder):
    def rules(self, **attributes):
        strategy = IStrategy()
        vars(strategy).update({"stoploss": -0.1, "minimal_roi": {}, **attributes})
        return Rules(strategy)

    def trade(self, rate=100.0):
        return Trade("A/B", rate, 1.0, START, "tag", 0.01)

    def check(self, rules, candle, wanted, age=5, enter=False, leave=False, trade=None):
        """The ways out in a candle of open, high, low, with the prices that freqtrade's backtests give them."""
        trade = trade or self.trade()
        opening, high, low = candle
        ways = rules.exits(trade, minutes(age), opening, enter, leave, None, low, high)
        found = [(way.reason, round(candle_price(rules.strategy, rules, trade, way, minutes(age), opening, high, low), 4)) for way in ways]
        self.assertEqual(found, wanted)

    def test_a_stop_fills_at_its_level(self):
        self.check(self.rules(), (99, 101, 90.5), [])
        self.check(self.rules(), (99, 101, 90.0), [("stop_loss", 90.0)])
        self.check(self.rules(), (85, 86, 80.0), [("stop_loss", 85.0)])

    def test_profit_is_measured_after_fees(self):
        rules = self.rules(minimal_roi={"0": 0.01})
        level = 100 * 1.001 * 1.01 / 0.999
        self.check(rules, (101, level - 0.001, 100), [])
        self.check(rules, (101, level + 0.001, 100), [("roi", round(level, 4))])

    def test_the_step_of_an_age_takes_effect_at_an_open(self):
        rules = self.rules(minimal_roi={"0": 0.5, "10": 0.01})
        self.check(rules, (103, 104, 102), [], age=5)
        self.check(rules, (103, 104, 102.5), [("roi", 103)], age=10)
        self.check(rules, (103, 104, 102.5), [("roi", 102.5)], age=15)

    def test_the_order_is_signal_stop_target(self):
        rules = self.rules(minimal_roi={"0": 0.01})
        self.check(rules, (100, 110, 85), [("exit_signal", 100), ("stop_loss", 90.0), ("roi", round(100 * 1.001 * 1.01 / 0.999, 4))], leave=True)

    def test_a_signal_to_enter_outweighs_one_to_exit_and_may_outweigh_a_target(self):
        rules = self.rules(minimal_roi={"0": 0.01}, ignore_roi_if_entry_signal=True)
        self.check(rules, (100, 110, 99), [], enter=True, leave=True)

    def test_exits_in_profit_only(self):
        rules = self.rules(exit_profit_only=True, exit_profit_offset=0.01)
        self.check(rules, (101, 101, 101), [], leave=True)
        self.check(rules, (102, 102, 102), [("exit_signal", 102)], leave=True)

    def test_a_trailing_stop_follows_the_high_and_never_falls(self):
        rules, trade = self.rules(trailing_stop=True), self.trade()
        self.check(rules, (105, 110, 100), [], trade=trade)
        self.assertAlmostEqual(trade.stop_loss, 99.0)
        self.check(rules, (101, 102, 100), [], trade=trade)
        self.assertAlmostEqual(trade.stop_loss, 99.0)
        self.check(rules, (101, 102, 98), [("trailing_stop_loss", 99.0)], trade=trade)

    def test_a_tighter_stop_begins_at_an_offset(self):
        rules = self.rules(
            trailing_stop=True, trailing_stop_positive=0.01, trailing_stop_positive_offset=0.03, trailing_only_offset_is_reached=True
        )
        trade = self.trade()
        self.check(rules, (101, 102, 101), [], trade=trade)
        self.assertEqual((trade.stop_loss, trade.is_stop_loss_trailing), (90.0, False))
        self.check(rules, (104, 110, 109), [], trade=trade)
        self.assertAlmostEqual(trade.stop_loss, 108.9)

    def test_a_target_comes_before_a_trailing_stop(self):
        rules = self.rules(trailing_stop=True, minimal_roi={"0": 0.05})
        self.check(rules, (101, 120, 100), [("roi", round(100 * 1.001 * 1.05 / 0.999, 4)), ("trailing_stop_loss", 108.0)])

    def test_a_trailing_stop_in_the_candle_of_the_entry_fills_as_if_it_just_rose(self):
        self.check(self.rules(trailing_stop=True), (100, 120, 85), [("stop_loss", 90.0)], age=0)
        self.check(self.rules(trailing_stop=True), (100, 112, 95), [("trailing_stop_loss", 95)], age=0)

    def test_a_custom_stop_sees_the_high(self):
        seen = []

        def custom_stoploss(pair, trade, current_time, current_rate, current_profit, after_fill):
            seen.append(current_rate)
            return 0.02

        rules, trade = self.rules(use_custom_stoploss=True, custom_stoploss=custom_stoploss), self.trade()
        self.check(rules, (101, 105, 104), [], trade=trade)
        self.assertEqual((seen, trade.stop_loss), ([105], 102.9))

    def test_a_custom_exit_has_its_reason(self):
        rules = self.rules(custom_exit=lambda **_: "old")
        self.check(rules, (101, 102, 100), [("old", 101)])
        self.check(self.rules(custom_exit=lambda **_: "old", use_exit_signal=False), (101, 102, 100), [])


class Trades(Folder):
    def test_profit_counts_both_fees(self):
        trade = Trade("A/B", 100.0, 2.0, START)
        self.assertEqual(trade.calc_profit_ratio(100 * 1.001 / 0.999), 0.0)
        self.assertAlmostEqual(trade.calc_profit(110.0), 2 * (110 * 0.999 - 100 * 1.001))

    def test_an_added_order_averages_and_a_part_sold_is_realised(self):
        trade = Trade("A/B", 100.0, 1.0, START)
        trade.add(1.0, 90.0, minutes(5))
        self.assertEqual((trade.open_rate, trade.amount, trade.nr_of_successful_entries), (95.0, 2.0, 2))
        trade.reduce(1.0, 110.0, minutes(10))
        self.assertEqual((trade.amount, trade.nr_of_successful_exits), (1.0, 1))
        self.assertAlmostEqual(trade.realized_profit, 110 * 0.999 - 95 * 1.001)

    def test_a_stop_is_rounded_up_to_a_tick(self):
        trade = Trade("A/B", 101.15, 1.0, START, None, 0.01)
        trade.adjust_stop_loss(101.15, -0.05, initial=True)
        self.assertEqual(trade.stop_loss, 96.1)

    def test_a_trade_survives_a_restart(self):
        trade = Trade("A/B", 100.0, 1.0, START, "tag", 0.01)
        trade.adjust_stop_loss(100.0, -0.1, initial=True)
        trade.adjust_stop_loss(120.0, -0.1)
        trade.set_custom_data("seen", [1, 2])
        trade.add(1.0, 90.0, minutes(50))
        closed(5, -0.01)
        for one in (trade, Trade._closed[0]):
            again = Trade.restored(json.loads(json.dumps(one.saved())))
            for name in ("pair", "open_date", "date_last_filled_utc", "amount", "stop_loss", "is_stop_loss_trailing", "enter_tag", "close_date", "close_profit", "is_open"):
                self.assertEqual(getattr(again, name), getattr(one, name), name)
        self.assertEqual(Trade.restored(trade.saved()).get_custom_data("seen"), [1, 2])

    def test_a_value_that_a_restart_loses_is_named(self):
        trade, printed = Trade("A/B", 100.0, 1.0, START), io.StringIO()
        scalar = type("scalar", (), {"item": lambda self: True})()
        with contextlib.redirect_stderr(printed):
            for _ in range(2):
                trade.set_custom_data("when", START)
            trade.set_custom_data("is", scalar)
        self.assertEqual(printed.getvalue().count("set_custom_data('when') has a datetime"), 1)
        self.assertIs(Trade.restored(json.loads(json.dumps(trade.saved()))).get_custom_data("is"), True)

    def test_closed_trades_are_found(self):
        closed(5, -0.01, "A/B")
        closed(10, 0.01, "C/B")
        self.assertEqual(len(Trade.get_trades_proxy(pair="A/B", is_open=False)), 1)
        self.assertEqual(len(Trade.get_trades_proxy(is_open=False, close_date=minutes(5))), 1)
        with self.assertRaisesRegex(Unsupported, "get_trades_proxy"):
            Trade.get_trades([])


def closed(at, change, pair="A/B", reason="stop_loss"):
    trade = Trade(pair, 100.0, 1.0, START)
    trade.close(100 * (1 + change) * 1.001 / 0.999, minutes(at), reason)
    return trade


class Protections(Folder):
    def check(self, settings, locked, at=60, pair="A/B"):
        Protection(settings, "5m").apply(pair, minutes(at))
        self.assertEqual((PairLocks.is_pair_locked(pair, minutes(at)), PairLocks.is_global_lock(minutes(at))), locked)

    def test_a_cooldown_locks_its_pair(self):
        closed(60, 0.01)
        self.check({"method": "CooldownPeriod", "stop_duration_candles": 2}, (True, False))
        self.assertTrue(PairLocks.is_pair_locked("A/B", minutes(74)))
        self.assertFalse(PairLocks.is_pair_locked("A/B", minutes(75)))

    def test_stops_in_a_row_lock_every_pair(self):
        settings = {"method": "StoplossGuard", "lookback_period": 120, "trade_limit": 2, "stop_duration": 30}
        closed(50, -0.02)
        self.check(settings, (False, False))
        closed(60, -0.02, "C/B")
        self.check(settings, (True, True))

    def test_gains_are_no_stops(self):
        closed(50, 0.02)
        closed(60, -0.02, reason="roi")
        self.check({"method": "StoplossGuard", "lookback_period": 120, "trade_limit": 1}, (False, False))

    def test_a_pair_with_losses_is_locked(self):
        closed(50, -0.02)
        closed(60, 0.005)
        self.check({"method": "LowProfitPairs", "lookback_period": 120, "trade_limit": 2, "required_profit": -0.01}, (True, False))

    def test_a_drawdown_locks_every_pair(self):
        for at, change in ((40, 0.05), (50, -0.08), (60, -0.08)):
            closed(at, change)
        self.check({"method": "MaxDrawdown", "lookback_period": 120, "trade_limit": 3, "max_allowed_drawdown": 0.2}, (False, False))
        self.check({"method": "MaxDrawdown", "lookback_period": 120, "trade_limit": 3, "max_allowed_drawdown": 0.15}, (True, True))

    def test_an_unknown_one_is_refused(self):
        with self.assertRaisesRegex(Unsupported, "'Hope' is not known; there are CooldownPeriod"):
            Protection({"method": "Hope"}, "5m")


class Callbacks(Folder):
    def test_an_adapter_asks_for_no_more_requests_than_it_needs(self):
        from tradewind.freqtrade.adapter import strategy_class
        from tradewind.strategy import overrides

        def calls(text):
            path = self.file(PLAIN + text)
            user = load(path)
            cls = strategy_class(type(user), user, Path(path))
            return [name for name in ("on_entry", "on_exit", "on_position") if overrides(cls(), name)]

        self.assertEqual(calls(""), [])
        self.assertEqual(calls("    exit_profit_only = True\n"), ["on_exit"])
        self.assertEqual(calls("    max_open_trades = 2\n"), ["on_entry", "on_position"])
        self.assertEqual(calls("    def confirm_trade_exit(self, *a, **k): return True\n"), ["on_entry", "on_exit", "on_position"])
        self.assertEqual(calls("    protections = [{'method': 'CooldownPeriod'}]\n"), ["on_entry"])
        self.assertEqual(calls("    def custom_exit(self, *a, **k): return None\n"), ["on_entry", "on_position"])
        self.assertEqual(calls("    def custom_stoploss(self, *a, **k): return None\n"), [])

    def test_the_plan_has_stop_and_targets_before_fees(self):
        from tradewind.freqtrade.desk_strategy import exit_plan

        plan = exit_plan(SimpleNamespace(stoploss=-0.1, minimal_roi={"30": 0.01, "0": 0.05}), 0.001)
        self.assertEqual(plan.stop, 0.1)
        self.assertEqual([age for age, _ in plan.roi], [0, 1800])
        self.assertAlmostEqual(plan.roi[1][1], 1.001 * 1.01 / 0.999 - 1)


if __name__ == "__main__":
    unittest.main()
