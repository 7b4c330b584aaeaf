"""The indicators against their definitions, written out."""

import unittest

from tradewind import ta
from tradewind.decision import seconds, share
from tradewind.protocol import ppm

CLOSES = [10.0, 11.0, 10.5, 12.0, 11.0, 13.0]


class Indicators(unittest.TestCase):
    def same(self, got, wanted):
        self.assertEqual(len(got), len(wanted))
        for one, other in zip(got, wanted):
            self.assertTrue(one == other or (one != one and other is None) or abs(one - other) < 1e-12, (got, wanted))

    def test_means(self):
        self.same(ta.sma(CLOSES, 3), [None, None, 10.5, 33.5 / 3, 33.5 / 3, 12.0])
        second = 10.5 + (12.0 - 10.5) / 2
        self.same(ta.ema(CLOSES[:4], 3), [None, None, 10.5, second])

    def test_rsi_and_atr(self):
        gain, loss = 1.0 / 2, 0.5 / 2
        after_gain, after_loss = gain + (1.5 - gain) / 2, loss / 2
        self.same(
            ta.rsi(CLOSES[:4], 2),
            [None, None, 100 * gain / (gain + loss), 100 * after_gain / (after_gain + after_loss)],
        )
        self.same(ta.atr([2.0, 3.0, 4.0], [1.0, 2.0, 2.0], [1.5, 2.5, 3.0], 2), [None, None, (1.5 + 2.0) / 2])

    def test_extremes_and_crossings(self):
        self.same(ta.highest(CLOSES, 2), [None, 11.0, 11.0, 12.0, 12.0, 13.0])
        self.same(ta.lowest(CLOSES, 3), [None, None, 10.0, 10.5, 10.5, 11.0])
        self.assertEqual(ta.crossed_above([1, 2, 3], [2, 2, 2]), [False, False, True])
        self.assertEqual(ta.crossed_below([3, 2, 1], [2, 2, 2]), [False, False, True])


class Numbers(unittest.TestCase):
    def test_shares_durations_and_millionths(self):
        self.assertEqual((share("2%"), share(0.5)), (0.02, 0.5))
        self.assertEqual((seconds("15m"), seconds("1.5h"), seconds(3)), (900.0, 5400.0, 3.0))
        self.assertRaises(ValueError, share, "2")
        self.assertRaises(ValueError, seconds, "2x")
        self.assertEqual((ppm(0.29), ppm(0.3333339), ppm(-0.3333339)), (290_000, 333_333, -333_333))
