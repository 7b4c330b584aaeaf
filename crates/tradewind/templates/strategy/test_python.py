"""Runs the strategy over two days of a market that swings: it must trade. `python3 test_NAME.py` runs it.

It needs the command `tradewind`; where that is not on the path, the variable TRADEWIND names it.
"""

import json
import math
import os
import subprocess
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))


def candles(path, count=576):
    """Candles of five minutes whose closes swing once in four hours."""
    with open(path, "w", encoding="utf-8") as file:
        file.write("time,open,high,low,close,volume\n")
        before = 30_000.0
        for index in range(count):
            close = round(30_000 + 600 * math.sin(index / 48 * 2 * math.pi), 2)
            high, low = max(before, close) + 5, min(before, close) - 5
            file.write(f"{1_704_067_200 + index * 300},{before:.2f},{high:.2f},{low:.2f},{close:.2f},10\n")
            before = close


class Trades(unittest.TestCase):
    def test_it_trades_in_a_market_that_swings(self):
        with tempfile.TemporaryDirectory() as folder:
            data = os.path.join(folder, "BTC_USDT-5m.csv")
            candles(data)
            program = os.environ.get("TRADEWIND", "tradewind")
            run = [program, "--json", "backtest", "--strategy", "REFERENCE", "--data", data]
            done = subprocess.run(run, capture_output=True, text=True, check=False, cwd=HERE)
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertGreaterEqual(report["positions_closed"], 5, report)
        self.assertNotIn("look-ahead", done.stderr)


if __name__ == "__main__":
    unittest.main()
