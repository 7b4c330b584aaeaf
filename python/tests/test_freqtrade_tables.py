"""What the freqtrade package does with tables. It needs pandas: `scripts/freqtrade` runs it where that is installed; elsewhere it is skipped."""

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

NS = 1_000_000_000
FIVE_MINUTES = 300


def candles(closes, begin=0, step=FIVE_MINUTES):
    """Candles whose high and low lie 1 around open and close; each opens at the close before it."""
    opens = [closes[0], *closes[:-1]]
    return {
        "time": [(begin + i * step) * NS for i in range(len(closes))],
        "open": [float(o) for o in opens],
        "high": [max(o, c) + 1.0 for o, c in zip(opens, closes)],
        "low": [min(o, c) - 1.0 for o, c in zip(opens, closes)],
        "close": [float(c) for c in closes],
        "volume": [1.0] * len(closes),
    }


def table(closes, **rest):
    rows = candles(closes, **rest)
    rows["date"] = pandas.to_datetime(rows.pop("time"), unit="ns", utc=True)
    return pandas.DataFrame(rows)


@unittest.skipUnless(pandas is not None, "SKIPPED: pandas is not installed")
class Tables(unittest.TestCase):
    def test_a_longer_candle_is_known_with_the_close_of_its_last_short_one(self):
        from tradewind.freqtrade.analysis import longer_candles
        from tradewind.freqtrade.helpers import merge_informative_pair

        short = table(list(range(100, 108)))
        long = longer_candles(short, "5m", "15m")
        self.assertEqual(long["close"].tolist(), [102.0, 105.0], "the third one has not closed")
        merged = merge_informative_pair(short, long, "5m", "15m")
        self.assertTrue(merged["close_15m"].isna().tolist()[:2] == [True, True])
        self.assertEqual(merged["close_15m"].tolist()[2:], [102.0, 102.0, 102.0, 105.0, 105.0, 105.0])
        self.assertEqual(merged["close"].tolist(), short["close"].tolist())

    def test_names_of_merged_columns(self):
        from tradewind.freqtrade.helpers import merge_informative_pair

        short = table([1, 2, 3])
        self.assertIn("close_x", merge_informative_pair(short, short, "5m", "5m", append_timeframe=False, suffix="x"))
        with self.assertRaisesRegex(ValueError, "append_timeframe=False"):
            merge_informative_pair(short, short, "5m", "5m", suffix="x")
        with self.assertRaisesRegex(ValueError, "longer ones"):
            merge_informative_pair(short, short, "15m", "5m")

    def test_holes_become_flat_candles_without_volume(self):
        from tradewind.freqtrade.analysis import fill_holes

        whole = table([10, 11, 12, 13])
        filled = fill_holes(whole.drop(index=[2]), "5m")
        self.assertEqual(filled["close"].tolist(), [10, 11, 11, 13])
        self.assertEqual((filled["high"][2], filled["volume"][2]), (11, 0.0))
        self.assertIs(fill_holes(whole, "5m"), whole)

    def test_only_the_strategys_own_timeframe_is_analysed(self):
        from tradewind.freqtrade import Unsupported
        from tradewind.freqtrade.constants import RunMode
        from tradewind.freqtrade.dataprovider import DataProvider

        provider = DataProvider(lambda *_: None, ["A/B"], "5m", RunMode.LIVE)
        self.assertTrue(provider.get_analyzed_dataframe("A/B", "5m")[0].empty)
        with self.assertRaisesRegex(Unsupported, "timeframe='1h' is not supported"):
            provider.get_analyzed_dataframe("A/B", "1h")

    def test_crossings(self):
        from tradewind.freqtrade import qtpylib

        line = pandas.Series([1.0, 3.0, 3.0, 1.0])
        self.assertEqual(qtpylib.crossed_above(line, 2).tolist(), [False, True, False, False])
        self.assertEqual(qtpylib.crossed_below(line, pandas.Series([2.0] * 4)).tolist(), [False, False, False, True])
        self.assertEqual(qtpylib.crossed(line, 3).tolist(), [False, False, False, True])

    def test_indicators_by_their_definitions(self):
        from tradewind.freqtrade import qtpylib

        bars = table([10, 12, 11])
        self.assertEqual(qtpylib.typical_price(bars).tolist(), [(11 + 9 + 10) / 3, (13 + 9 + 12) / 3, (13 + 10 + 11) / 3])
        smooth = qtpylib.heikinashi(bars)
        self.assertEqual(smooth["close"].tolist(), [10.0, 11.0, 11.5])
        self.assertEqual(smooth["open"].tolist(), [10.0, 10.0, 10.5])
        bands = qtpylib.bollinger_bands(bars["close"], 2, 2)
        self.assertAlmostEqual(bands["upper"][1], 11 + 2 * 2**0.5)
        strength = qtpylib.rsi(pandas.Series([1.0, 2.0, 3.0, 2.0, 4.0]), 2)
        # Wilder: gains 1, 1, 0, 2 and losses 0, 0, 1, 0 over two values; the seed has three changes.
        self.assertAlmostEqual(strength[3], 100 - 100 / (1 + 0.5 / 0.625))
        with self.assertRaisesRegex(ValueError, "looks ahead"):
            qtpylib.vwap(bars)


STRATEGY = """
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


@unittest.skipUnless(pandas is not None, "SKIPPED: pandas is not installed")
class Adapter(unittest.TestCase):
    def run_strategy(self, body, closes, **params):
        import importlib.util

        from fake_desk import FakeDesk
        from tradewind import freqtrade

        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = Path(folder.name) / "steps.py"
        path.write_text(STRATEGY + body)
        freqtrade.prepare(str(path))
        spec = importlib.util.spec_from_file_location("steps", path)
        module = importlib.util.module_from_spec(spec)
        sys.modules["steps"] = module
        spec.loader.exec_module(module)
        self.strategy = freqtrade.adapt(module, None, str(path))(params)
        return FakeDesk(self.strategy, {"A/B": candles(closes)}, tick=0.01).run()

    def check(self, body, closes, wanted, **params):
        """Trades as the open's price, the exit's price, and its reason."""
        found = [(trade["entry"], round(trade["exit"], 2), trade["reason"]) for trade in self.run_strategy(body, closes, **params)]
        self.assertEqual(found, wanted)

    def test_signals_are_filled_at_the_next_open(self):
        self.check("", [90, 100, 110, 120, 125, 130], [(100.0, 120.0, "exit_signal")])

    def test_a_stop_is_the_exit_plans(self):
        self.check("", [90, 100, 99, 96, 90, 80], [(100.0, 95.0, "stop_loss")])

    def test_an_entry_may_be_refused(self):
        self.check("    def confirm_trade_entry(self, *args, **kwargs): return kwargs['entry_tag'] != 'hundred'\n", [90, 100, 110, 120, 125], [])

    def test_a_custom_exit_ends_a_trade_with_its_reason(self):
        body = "    def custom_exit(self, pair, trade, current_time, current_rate, current_profit, **kwargs):\n"
        body += "        return 'enough' if current_profit > 0.05 else None\n"
        self.check(body, [90, 100, 104, 107, 108, 109], [(100.0, 107.0, "enough")])

    def test_a_trailing_stop_follows_closed_candles_and_in_freqtrades_way_the_candle_itself(self):
        body = "    trailing_stop = True\n    stoploss = -0.08\n"
        # The candle from 105 to 121 has a high of 122 and a low of 104: a stop 8 % below the high lies within it.
        closes = [90, 100, 105, 121, 110, 109]
        for freqtrade_candles, left_in, reason in ((False, 4, "stop_loss"), (True, 3, "trailing_stop_loss")):
            (trade,) = self.run_strategy(body, closes, freqtrade_candles=freqtrade_candles)
            found = (round(trade["exit"], 2), trade["left_at"] // 300_000, trade["reason"])
            self.assertEqual(found, (112.24, left_in, reason))

    def test_a_trailing_stop_in_the_candle_of_the_entry_keeps_its_reason(self):
        body = "    trailing_stop = True\n    trailing_stop_positive = 0.005\n    trailing_stop_positive_offset = 0.015\n    trailing_only_offset_is_reached = True\n"
        self.check(body, [90, 100, 105, 104, 103], [(100.0, 101.0, "trailing_stop_loss")], freqtrade_candles=True)

    def test_a_cooldown_keeps_the_next_entry_out(self):
        closes = [90, 100, 110, 120, 100, 110, 120, 125]
        self.check("", closes, [(100.0, 120.0, "exit_signal"), (100.0, 120.0, "exit_signal")])
        body = "    protections = [{'method': 'CooldownPeriod', 'stop_duration_candles': 5}]\n"
        self.check(body, closes, [(100.0, 120.0, "exit_signal")])

    def test_a_position_is_added_to_and_reduced(self):
        body = (
            "    position_adjustment_enable = True\n"
            "    stoploss = -0.5\n"
            "    def custom_stake_amount(self, proposed_stake, **kwargs): return proposed_stake / 2\n"
            "    def adjust_trade_position(self, trade, current_time, current_rate, current_profit, **kwargs):\n"
            "        if current_profit < -0.05 and trade.nr_of_successful_entries == 1: return trade.stake_amount\n"
            "        if current_profit > 0.05 and trade.nr_of_successful_exits == 0: return -trade.stake_amount / 2\n"
        )
        (trade,) = self.run_strategy(body, [90, 100, 90, 90, 110, 115, 120, 121, 122])
        self.assertEqual([is_buy for is_buy, _, _ in trade["fills"]], [True, True, False])
        self.assertEqual([rate for _, _, rate in trade["fills"]], [100.0, 90.0, 110.0])

    def test_parameters_of_the_file_are_parameters_of_the_desk(self):
        body = "    buy_at = IntParameter(1, 200, default=100)\n"
        body = "    from freqtrade.strategy import IntParameter\n" + body
        self.run_strategy(body, [90, 100, 110, 120, 125], buy_at=150)
        self.assertEqual(self.strategy.user.buy_at.value, 150)


if __name__ == "__main__":
    unittest.main()
