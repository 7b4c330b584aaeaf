"""Freqtrade strategies as the live desk runs them: each close of each pair is a request, with the position that the desk has."""

import contextlib
import importlib.util
import io
import json
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

try:
    import pandas
except ImportError:
    pandas = None

from tradewind import protocol as wire  # noqa: E402
from tradewind.runner import Runner  # noqa: E402

NS = 1_000_000_000
FIVE = 300 * NS
HEAD = """
from datetime import timedelta
from freqtrade.strategy import IStrategy

class Steps(IStrategy):
    minimal_roi = {}
    stoploss = -0.05
    timeframe = "5m"

    def populate_entry_trend(self, dataframe, metadata):
        dataframe.loc[dataframe["close"] == 100, ["enter_long", "enter_tag"]] = (1, "hundred")
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        dataframe.loc[dataframe["close"] == 120, "exit_long"] = 1
        return dataframe
"""
BARS = {"high": 0.5, "low": 0.5}


class Live:
    """A live desk with pairs A/B and B/B, of two decimals. Positions are what the test says they are."""

    def __init__(self, test, body, state=b"", pairs=("A/B", "B/B"), window=4, fee=1000, head=HEAD):
        from tradewind import freqtrade

        folder = tempfile.TemporaryDirectory()
        test.addCleanup(folder.cleanup)
        path = Path(folder.name) / "steps.py"
        path.write_text(head + body)
        freqtrade.prepare(str(path))
        spec = importlib.util.spec_from_file_location("steps", path)
        module = importlib.util.module_from_spec(spec)
        sys.modules["steps"] = module
        spec.loader.exec_module(module)
        adapted = freqtrade.adapt(module, None, str(path))
        adapted.warm_up = window
        self.strategy = adapted({})
        known = [{"name": f"x:{pair}", "price_decimals": 2, "quantity_decimals": 3, "tick": 1, "traded": True} for pair in pairs]
        self.pairs = list(pairs)
        self.runner = Runner(self.strategy, ["5m"], {"mode": "live", "fee": fee, "instruments": known}, state)
        self.closes = {}

    @property
    def user(self):
        return self.strategy.user

    def request(self, pair, index, candle, flags, held=None, proposal=0, denied=0, exposure=None, budget=100.0):
        quantity, entry, opened = held or (0.0, None, None)
        opening, high, low, close = candle
        return wire.Evaluation(
            wake="candle", carried_out=0, last_entry=denied, flags=flags, slot=self.pairs.index(pair), read_slot=wire.NO_SLOT, at=(index + 1) * FIVE,
            quantity=round(quantity * 1000), entry_price=None if entry is None else round(entry * 100), opened_at=opened, budget=budget,
            candle=(300, index * FIVE, *(round(price * 100) for price in (opening, high, low, close)), 1.0, 1), proposal=proposal,
            exposure=(1_000_000 if held else 0) if exposure is None else round(exposure * 1_000_000),
        )

    def close(self, pair, index, close, held=None, low=None, high=None, **rest):
        """A candle closes: its row is read, and then decided on. Returns the decision as a dict, None for none."""
        opening = self.closes.get(pair, close)
        self.closes[pair] = close
        candle = (opening, max(opening, close) + 0.1 if high is None else high, min(opening, close) - 0.1 if low is None else low, close)
        kind, body = self.runner.evaluate(self.request(pair, index, candle, wire.WANTS_ROW, held, **rest))
        assert kind == wire.TABLE, body
        last = self.runner.signals.get(self.pairs.index(pair)) or {}
        enter, leave = (bool(last.get(name, [False])[0]) for name in ("enter", "exit"))
        if not last or not (held or enter):
            return None
        proposal = 2 if held and leave else 1 if not held else 0
        made = []
        original = wire.decision_bytes
        try:
            wire.decision_bytes = lambda decision, *args: (made.append(decision), original(decision, *args))[1]
            self.runner.evaluate(self.request(pair, index, candle, wire.IS_PROPOSED, held, proposal=proposal, **rest))
        finally:
            wire.decision_bytes = original
        return made[-1]

    def flat(self, pair, begin, closes):
        for index, close in enumerate(closes, begin):
            self.close(pair, index, close)

    def state(self):
        return json.dumps({"state": self.strategy.state, "held": {}, "tags": {}, "bars": {}, "trades": []}).encode()

    def trade(self, pair):
        return self.strategy._trades.get(pair)

    def past(self):
        return [(trade.pair, trade.exit_reason, round(trade.close_rate, 2)) for trade in self.strategy._past]


@unittest.skipUnless(pandas is not None, "SKIPPED: pandas is not installed")
class Case(unittest.TestCase):
    COOL = "    protections = [{'method': 'CooldownPeriod', 'stop_duration_candles': 50}]\n"
    TRAIL = "    trailing_stop = True\n"

    def quiet(self):
        printed = io.StringIO()
        self.enterContext(contextlib.redirect_stderr(printed)) if hasattr(self, "enterContext") else None
        return printed


class Stops(Case):
    def entered(self, body, **rest):
        desk = Live(self, body, **rest)
        desk.flat("A/B", 0, [90, 91, 92, 93])
        decision = desk.close("A/B", 4, 100)
        self.assertEqual(decision.exposure, 1.0)
        return desk

    def test_a_stop_is_moved_by_a_decision_that_cannot_buy(self):
        desk = self.entered(self.TRAIL)
        held = (1.0, 100.0, 5 * FIVE)
        for index, close in ((5, 105), (6, 110), (7, 108)):
            decision = desk.close("A/B", index, close, held)
            self.assertIsNone(decision.exposure)
            self.assertEqual(decision.stop, desk.trade("A/B").stop_loss)
        self.assertEqual(decision.stop, 104.6)

    def test_a_strategy_without_a_stop_is_managed(self):
        desk = self.entered("    stoploss = -1\n    def custom_exit(self, pair, trade, current_time, current_rate, current_profit, **k): return None\n")
        self.assertIsNone(desk.close("A/B", 5, 90, (1.0, 100.0, 5 * FIVE)))

    def test_an_entry_of_a_strategy_without_a_stop_in_freqtrades_way(self):
        from tradewind.freqtrade.desk_strategy import stop_of

        desk = self.entered("    stoploss = -1\n    use_custom_stoploss = True\n    def custom_stoploss(self, *a, **k): return None\n")
        desk.close("A/B", 5, 101, (1.0, 100.0, 5 * FIVE))
        self.assertIsNone(stop_of(desk.trade("A/B")))

    def test_targets_change_at_the_exposure_that_the_desk_shows(self):
        body = "    use_custom_roi = True\n    def custom_roi(self, pair, trade, current_time, trade_duration, **k): return 0.5 - trade_duration / 1000\n"
        desk = self.entered(body)
        held = (0.4, 100.0, 5 * FIVE)
        self.assertEqual(desk.close("A/B", 5, 101, held, exposure=0.4).exposure, 0.4)
        # While an exit works the desk shows none: a target would enter again after it.
        self.assertIsNone(desk.close("A/B", 6, 101, held, exposure=0.0).exposure)


class Sizes(Case):
    def resized(self, answer, worth, exposure=1.0, budget=100.0, most=""):
        """The decision after adjust_trade_position returned `answer` for a position of one unit that was entered at 100."""
        self.quiet()
        body = f"    position_adjustment_enable = True\n    stoploss = -0.9\n{most}    def adjust_trade_position(self, **k): return {answer}\n"
        desk = Live(self, body)
        desk.flat("A/B", 0, [90, 91, 92, 93])
        desk.close("A/B", 4, 100)
        return desk.close("A/B", 5, worth, (1.0, 100.0, 5 * FIVE), exposure=exposure, budget=budget).exposure

    def test_what_is_no_number_changes_nothing(self):
        for answer in ("float('nan')", "None", "float('inf')", "0", "'many'"):
            self.assertIsNone(self.resized(answer, 101), answer)

    def test_an_addition_never_sells(self):
        # Worth more than the budget: the desk would size by the budget and sell the rest.
        self.assertIsNone(self.resized("50", 130))
        self.assertIsNone(self.resized("5", 95, budget=90.0))

    def test_an_addition_is_as_large_as_it_says_or_as_the_budget_holds(self):
        self.assertAlmostEqual(self.resized("30", 100, exposure=0.5, budget=200.0), 130 / 200)
        self.assertAlmostEqual(self.resized("100", 90), 0.999999, places=9, msg="the exposure that is held would be taken for no change")

    def test_a_part_is_a_share_of_what_is_held(self):
        self.assertAlmostEqual(self.resized("-10", 130, exposure=0.5, budget=200.0), 130 * 0.9 / 200)
        self.assertIsNone(self.resized("-10", 130), "what is left is worth more than the budget")

    def test_a_position_that_no_target_of_the_strategy_led_to_keeps_its_size(self):
        self.assertIsNone(self.resized("30", 100, exposure=0.0, budget=200.0))


class Books(Case):
    GUARD = "    protections = [{'method': 'StoplossGuard', 'trade_limit': 1, 'lookback_period': 600, 'stop_duration': 60}]\n"

    def two(self, body, **rest):
        """Both pairs are entered at 100 in candle 5."""
        desk = Live(self, body, **rest)
        for pair in desk.pairs:
            desk.flat(pair, 0, [90, 91, 92, 93])
        for pair in desk.pairs:
            self.assertIsNotNone(desk.close(pair, 4, 100))
        for index in (5, 6):
            for pair in desk.pairs:
                desk.close(pair, index, 101, (1.0, 100.0, 5 * FIVE))
        return desk

    def test_a_pair_that_was_not_seen_since_a_restart_does_no_harm(self):
        before = self.two(self.COOL)
        desk = Live(self, self.COOL, state=before.state())
        desk.flat("A/B", 3, [92, 93, 94])
        # A/B was left while the desk was down, and signals an entry. B/B has no candle yet.
        desk.close("A/B", 7, 100)
        self.assertIsNotNone(desk.trade("B/B"))

    def test_a_pair_that_is_no_longer_traded_is_forgotten(self):
        desk = Live(self, self.COOL, state=self.two(self.COOL).state(), pairs=("A/B",))
        self.assertEqual(list(desk.strategy._trades), ["A/B"])

    def test_a_stop_of_another_pair_locks_although_rows_slide(self):
        from tradewind.freqtrade.trade import PairLocks

        desk = self.two(self.GUARD)
        for index in range(7, 20):
            for pair in desk.pairs:
                desk.close(pair, index, 101, (1.0, 100.0, 5 * FIVE))
        desk.close("B/B", 20, 96, low=94.0)
        self.assertEqual(desk.past(), [("B/B", "stop_loss", 95.0)])
        self.assertTrue(PairLocks.is_global_lock(desk.strategy._past[0].close_date))

    def test_a_trade_ends_when_the_desk_shows_it_and_not_when_a_candle_touches_a_level(self):
        desk = self.two("    minimal_roi = {'0': 0.03}\n    trailing_stop = True\n" + self.COOL)
        held = (1.0, 100.0, 5 * FIVE)
        desk.close("B/B", 7, 102, held, high=104.0)
        stop = desk.trade("B/B").stop_loss
        self.assertAlmostEqual(stop, 98.8)
        desk.close("A/B", 7, 101, held)
        self.assertEqual(desk.past(), [])
        desk.close("B/B", 8, 102, held)
        self.assertEqual(desk.trade("B/B").stop_loss, stop)
        self.assertEqual(desk.trade("B/B").nr_of_successful_entries, 1)

    def test_a_trade_that_outlived_a_candle_did_not_end_in_it(self):
        desk = self.two("    minimal_roi = {'0': 0.03}\n" + self.COOL)
        desk.close("A/B", 7, 102, (1.0, 100.0, 5 * FIVE), high=104.0)
        desk.close("A/B", 8, 94, low=93.0)
        self.assertEqual(desk.past(), [("A/B", "stop_loss", 95.0)])

    def test_an_entry_that_was_not_filled_is_no_trade(self):
        bodies = ("    def custom_entry_price(self, proposed_rate, **k): return proposed_rate * 0.9\n", "")
        for body in bodies:
            desk = Live(self, self.COOL + body)
            desk.flat("A/B", 0, [90, 91, 92, 93])
            desk.close("A/B", 4, 100)
            desk.flat("A/B", 5, [101, 102])
            self.assertEqual((desk.past(), desk.trade("A/B")), ([], None))
            self.assertIsNotNone(desk.close("A/B", 7, 100), "nothing locks the pair")

    def test_an_entry_that_was_stopped_within_its_candle_is_one(self):
        desk = Live(self, self.COOL)
        desk.flat("A/B", 0, [90, 91, 92, 93])
        desk.close("A/B", 4, 100)
        desk.close("A/B", 5, 96, low=94.0)
        self.assertEqual(desk.past(), [("A/B", "stop_loss", 95.0)])

    def test_a_second_denial_is_noted_as_the_first_was(self):
        desk = Live(self, self.COOL)
        desk.flat("A/B", 0, [90, 91, 92, 93])
        for index in (4, 6):
            self.assertIsNotNone(desk.close("A/B", index, 100, denied=1 if index > 4 else 0))
            desk.close("A/B", index + 1, 96, low=90.0, denied=1)
            self.assertEqual(desk.past(), [])

    def test_a_later_end_is_not_that_of_an_exit_that_was_denied(self):
        desk = self.two(self.COOL + "    def custom_exit(self, pair, trade, current_time, current_rate, **k): return 'up' if current_rate == 110 else None\n")
        held = (1.0, 100.0, 5 * FIVE)
        self.assertEqual(desk.close("A/B", 7, 110, held).exposure, 0.0)
        desk.close("A/B", 8, 105, held)
        desk.close("A/B", 9, 94, low=93.0)
        self.assertEqual(desk.past(), [("A/B", "stop_loss", 95.0)])


class Settings(Case):
    def test_no_more_trades_than_max_open_trades(self):
        desk = Live(self, "    max_open_trades = 1\n")
        for pair in desk.pairs:
            desk.flat(pair, 0, [90, 91, 92, 93])
        self.assertIsNotNone(desk.close("A/B", 4, 100))
        self.assertIsNone(desk.close("B/B", 4, 100))
        desk.close("A/B", 5, 101, (1.0, 100.0, 5 * FIVE))
        self.assertIsNone(desk.close("B/B", 5, 100))
        desk.close("A/B", 6, 102)
        self.assertIsNotNone(desk.close("B/B", 6, 100))

    def test_the_fee_is_the_desks(self):
        for fee in (0, 6000):
            desk = Live(self, "    minimal_roi = {'0': 0.01}\n", fee=fee)
            self.assertAlmostEqual(desk.strategy.exit_plan.roi[0][1], 1.01 * (1 + fee / 1e6) / (1 - fee / 1e6) - 1)
            desk.flat("A/B", 0, [90, 91, 92, 93])
            from tradewind.freqtrade.trade import Trade

            desk.strategy._activate()
            self.assertAlmostEqual(Trade.fee, fee / 1e6)

    def test_a_target_that_the_file_may_refuse_counts_at_closes(self):
        body = "    minimal_roi = {'0': 0.01}\n    def confirm_trade_exit(self, pair, trade, exit_reason, rate, **k): return exit_reason != 'roi' or rate > 110\n"
        desk = Live(self, body)
        desk.flat("A/B", 0, [90, 91, 92, 93])
        self.assertEqual(desk.close("A/B", 4, 100).exit.roi, ())
        held = (1.0, 100.0, 5 * FIVE)
        self.assertIsNone(desk.close("A/B", 5, 105, held).exposure)
        self.assertEqual(desk.close("A/B", 6, 111, held).tag, "roi")

    def test_the_tables_of_other_pairs_are_there(self):
        printed = self.quiet()
        body = "    def confirm_trade_entry(self, pair, **k):\n"
        body += "        table, _ = self.dp.get_analyzed_dataframe('B/B', self.timeframe)\n"
        body += "        return table.iloc[-1]['close'] > 90\n"
        desk = Live(self, body)
        desk.flat("A/B", 0, [90, 91, 92, 93])
        self.assertIsNone(desk.close("A/B", 4, 100), "the table of B/B is not there yet")
        self.assertIn("B/B has no closed candle yet", printed.getvalue())
        desk.flat("B/B", 0, [70, 71, 72, 73, 74])
        self.assertIsNone(desk.close("A/B", 5, 100))
        desk.flat("B/B", 5, [95])
        self.assertIsNotNone(desk.close("A/B", 6, 100))

    def test_a_stake_whose_callback_raises_is_the_proposed_one(self):
        self.quiet()
        desk = Live(self, "    def custom_stake_amount(self, **k): return 1 / 0\n    def custom_entry_price(self, **k): return [][0]\n")
        desk.flat("A/B", 0, [90, 91, 92, 93])
        decision = desk.close("A/B", 4, 100)
        self.assertEqual((decision.exposure, decision.limit), (1.0, None))


del Case

if __name__ == "__main__":
    unittest.main()
