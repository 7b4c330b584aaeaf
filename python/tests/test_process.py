"""A strategy's process as the desk sees it, without a socket."""

import contextlib
import io
import json
import struct
import unittest

from tradewind import protocol as wire

from .desk import Desk

CROSS = """
from tradewind import Buy, Exit, Param, Strategy, ta

class Cross(Strategy):
    warm_up = 4
    fast = Param(2, min=1, max=50)
    slow = Param(4, min=2, max=50)

    def indicators(self, df, ctx):
        df["fast"] = ta.sma(df["close"], self.fast)
        df["slow"] = ta.sma(df["close"], self.slow)
        return df

    def on_candle(self, candle, ctx):
        if ctx["fast"] > ctx["slow"] and not ctx.position:
            return Buy(tag="cross", stop="5%")
        if ctx["fast"] < ctx["slow"] and ctx.position:
            return Exit(tag="back")
"""

CLOSES = [10.0, 9.0, 8.0, 7.0, 9.0, 12.0, 11.0, 8.0, 6.0, 5.0, 9.0, 14.0]


def decisions(desk):
    """What a desk's strategy decides candle by candle, with fills at once."""
    quantity, out = 0.0, []
    for index, close in enumerate(CLOSES):
        decision = desk.candle(index, close, quantity=quantity)
        if decision["kind"] == 2:
            quantity = 1.0 if decision["exposure"] > 0 else 0.0
            out.append((index, decision["exposure"], decision["reason"]))
    return out


class Decisions(unittest.TestCase):
    def test_a_backtest_decides_as_live_does(self):
        live = decisions(Desk(CROSS))
        past = Desk(CROSS, mode="backtest")
        self.assertEqual(past.history(CLOSES).kind, wire.DONE)
        self.assertEqual(decisions(past), live)
        self.assertEqual(live[:2], [(5, 1_000_000, "cross"), (7, 0, "back")])

    def test_nothing_is_decided_before_the_warm_up(self):
        desk = Desk(CROSS)
        self.assertEqual([desk.candle(i, 10.0 + i)["kind"] for i in range(4)], [0, 0, 0, 2])
        fed = Desk(CROSS)
        for index in range(3):
            fed.feed(index, 10.0 + index)
        self.assertEqual(fed.candle(3, 13.0)["kind"], 2)

    def test_an_exit_plan_is_packed(self):
        source = CROSS.replace('stop="5%"', 'stop_at=9.5, take_profit=0.02, trailing="1%", time="2h", roi=[("1h", 0), (0, "3%")]')

        desk = Desk(source)
        for index in range(3):
            desk.feed(index, 10.0 + index)
        decision = desk.candle(3, 13.0)
        hour = 3_600 * 10**9
        self.assertEqual(decision["stop"], (2, 950))
        self.assertEqual((decision["take_profit"], decision["trailing"], decision["time"]), (20_000, 10_000, 2 * hour))
        self.assertEqual(decision["roi"], [(0, 30_000), (hour, 0)])

    def test_on_position_comes_first_and_orders_are_reported(self):
        source = """
from tradewind import Exit, Strategy
class S(Strategy):
    def on_candle(self, candle, ctx):
        self.state.setdefault("candles", 0)
        self.state["candles"] += 1
    def on_position(self, position, ctx):
        if position.bars == 2:
            return Exit(tag=f"{position.profit:.1f} {len(ctx.closed_trades)}")
    def on_order(self, order, ctx):
        self.state.setdefault("orders", []).append(order.status)
"""
        desk = Desk(source)
        self.assertEqual(desk.candle(0, 10.0)["kind"], 0)
        self.assertEqual(desk.candle(1, 10.0, quantity=1.0)["kind"], 0)
        self.assertEqual(desk.candle(2, 10.0, quantity=1.0)["reason"], "0.0 0")
        desk.candle(3, 10.0, denied=1)
        kept = json.loads(desk.state)
        self.assertEqual(kept["state"], {"candles": 3, "orders": ["filled", "filled", "denied"]})
        self.assertEqual(len(kept["trades"]), 1)
        again = Desk(source, state=desk.state)
        again.candle(4, 10.0)
        self.assertEqual(json.loads(again.state)["state"]["candles"], 4)

    def test_further_timeframes_are_those_of_closed_candles(self):
        source = """
from tradewind import Strategy
class S(Strategy):
    timeframe, timeframes, warm_up = "5m", ["15m"], 1
    def indicators(self, df, ctx):
        df["m15"] = ctx.on("15m", lambda long: {"close": long["close"]})["close"]
        return df
    def on_candle(self, candle, ctx):
        self.state["seen"] = ctx["m15"]
"""
        desk = Desk(source)
        runner = desk.host.runners[0]
        long = runner.histories[0, "15m"]
        long.append(0, [1.0, 1.0, 1.0, 5.0, 1.0])
        seen = []
        for index in range(4):
            desk.candle(index, 10.0)
            seen.append(runner.strategy.state["seen"])
        self.assertNotEqual(seen[1], seen[1])
        self.assertEqual(seen[2:], [5.0, 5.0])


class Columns(unittest.TestCase):
    SIGNALS = """
from tradewind import Hold, Strategy, ta
class S(Strategy):
    warm_up = 3
    def indicators(self, df, ctx):
        df["mean"] = ta.sma(df["close"], 3)
        return df
    def signals(self, df, ctx):
        up = [c > m for c, m in zip(df["close"], df["mean"])]
        return {"enter": up, "exit": [not u for u in up], "enter_tag": "up", "stop": [c * 0.9 for c in df["close"]]}
"""

    def table(self, body):
        rows, mask, calls = struct.unpack_from("<IBB", body)
        self.assertEqual(body[6], 0)
        (tags,) = struct.unpack_from("<H", body, 7)
        place, names = 9, []
        for _ in range(tags):
            (length,) = struct.unpack_from("<H", body, place)
            names.append(body[place + 2 : place + 2 + length].decode())
            place += 2 + length
        enter = struct.unpack_from(f"<{rows}q", body, place)
        place += 8 * rows
        leave = list(body[place : place + rows])
        return rows, mask, calls, names, list(enter), leave

    def test_a_table_has_all_rows_and_live_has_the_newest(self):
        desk = Desk(self.SIGNALS, mode="backtest")
        answer = desk.history(CLOSES)
        self.assertEqual(answer.kind, wire.TABLE)
        rows, mask, calls, names, enter, leave = self.table(answer.body)
        self.assertEqual((rows, calls, names), (len(CLOSES), 0, ["", "up"]))
        self.assertEqual(mask, wire.ENTER | wire.EXIT | wire.ENTER_TAG | wire.STOP)
        self.assertEqual(enter[:2] + leave[:2], [0, 0, 0, 0], "before the warm-up")
        live = Desk(self.SIGNALS)
        for index, close in enumerate(CLOSES):
            one = live.ask(wire.EVALUATE, live.body(index, close, flags=wire.WANTS_ROW))
            if index >= 2:
                got = self.table(one.body)
                self.assertEqual((got[4], got[5]), ([enter[index]], [leave[index]]), index)
        confirmed = live.candle(len(CLOSES) - 1, CLOSES[-1], proposal=1)
        self.assertEqual((confirmed["exposure"], confirmed["reason"]), (1_000_000, "up"))
        self.assertEqual(confirmed["stop"], (2, 1260))

    def test_a_look_ahead_and_a_short_warm_up_are_found(self):
        source = """
from tradewind import Strategy, ta
class S(Strategy):
    warm_up = 20
    def indicators(self, df, ctx):
        close = df["close"]
        df["ahead"] = list(close[1:]) + [0.0]
        df["short"] = ta.ema(close, 19)
        df["good"] = ta.sma(close, 20)
        return df
    def on_candle(self, candle, ctx):
        return None
"""
        desk = Desk(source, mode="backtest")
        body = desk.history([100.0 + (i * 7919 % 31) for i in range(400)]).body
        (count,) = struct.unpack_from("<H", body)
        place, lines = 2, []
        for _ in range(count):
            (length,) = struct.unpack_from("<H", body, place)
            lines.append(body[place + 2 : place + 2 + length].decode())
            place += 2 + length
        self.assertEqual(len(lines), 2, lines)
        self.assertTrue(lines[0].startswith("look-ahead: column ahead at 1970-01-"), lines[0])
        self.assertIn("column short", lines[1])
        self.assertIn("a longer warm_up", lines[1])


    def warnings(self, body):
        (count,) = struct.unpack_from("<H", body)
        place, lines = 2, []
        for _ in range(count):
            (length,) = struct.unpack_from("<H", body, place)
            lines.append(body[place + 2 : place + 2 + length].decode())
            place += 2 + length
        return lines

    def test_a_look_ahead_in_signals_is_found(self):
        source = """
from tradewind import Strategy
class S(Strategy):
    warm_up = 20
    def signals(self, df, ctx):
        close = df["close"]
        self.state["calls"] = self.state.get("calls", 0) + 1
        return {"enter": [a < b for a, b in zip(close, list(close[1:]) + [0.0])], "exit": [c > 110 for c in close]}
"""
        desk = Desk(source, mode="backtest")
        body = desk.history([100.0 + (i * 7919 % 31) for i in range(400)]).body
        self.assertIn(b"look-ahead: column enter of signals at", body)
        self.assertNotIn(b"column exit of signals", body)
        self.assertEqual(desk.host.runners[0].strategy.state, {"calls": 1}, "the check leaves no trace")

    def test_a_history_that_is_too_short_for_the_check_is_named(self):
        desk = Desk(CROSS, mode="backtest")
        self.assertEqual(self.warnings(desk.history([10.0] * 11).body)[0][:29], "not checked for a look-ahead:")
        self.assertEqual(self.warnings(Desk(CROSS, mode="backtest").history([10.0] * 12).body), [])

    def test_a_recursive_mean_of_a_further_timeframe_is_no_look_ahead(self):
        source = """
from tradewind import Strategy, ta
class S(Strategy):
    timeframe, timeframes, warm_up = "5m", ["15m"], 20
    def indicators(self, df, ctx):
        df["e"] = ctx.on("15m", lambda long: {"e": ta.ema(long["close"], 5)})["e"]
        return df
    def on_candle(self, candle, ctx):
        return None
"""
        desk = Desk(source, mode="backtest")
        long = desk.host.runners[0].histories[0, "15m"]
        for index in range(134):
            long.append(index * 900 * 10**9, [1.0, 1.0, 1.0, 100.0 + (index * 7919 % 31), 1.0])
        lines = self.warnings(desk.history([100.0] * 400).body)
        self.assertEqual([line for line in lines if "look-ahead" in line], [])

    def test_a_confirmed_entry_keeps_the_plan_of_its_class(self):
        source = self.SIGNALS.replace("warm_up = 3", "warm_up = 3\n    exit_plan = ExitPlan(take_profit='2%', stop='5%')")
        source = source.replace("import Hold", "import ExitPlan, Hold") + "    def on_entry(self, decision, ctx):\n        return decision\n"
        desk = Desk(source)
        for index, close in enumerate(CLOSES):
            desk.ask(wire.EVALUATE, desk.body(index, close, flags=wire.WANTS_ROW))
        confirmed = desk.candle(len(CLOSES) - 1, CLOSES[-1], proposal=1)
        self.assertEqual((confirmed["stop"], confirmed["take_profit"]), ((2, 1260), 20_000))
        plain = Desk(CROSS.replace("warm_up = 4", "warm_up = 4\n    exit_plan = ExitPlan(take_profit='2%')").replace(', stop="5%"', "").replace("import Buy", "import ExitPlan, Buy"))
        for index in range(3):
            plain.feed(index, 10.0 + index)
        self.assertEqual(plain.candle(3, 13.0)["take_profit"], 20_000)

    def test_the_age_and_the_trades_are_the_same_with_columns_live_and_in_a_backtest(self):
        source = """
from tradewind import Exit, Strategy
class S(Strategy):
    warm_up = 3
    def signals(self, df, ctx):
        return {"enter": [True] * len(df)}
    def on_position(self, position, ctx):
        return Exit(f"{position.bars} {len(ctx.closed_trades)}")
    def on_order(self, order, ctx):
        self.state.setdefault("orders", []).append(round(order.quantity))
"""
        live, past = Desk(source), Desk(source, mode="backtest")
        past.history(CLOSES)
        reasons = []
        for index, close in enumerate(CLOSES):
            quantity = 1.0 if index % 4 and index > 4 else 0.0
            live.ask(wire.EVALUATE, live.body(index, close, quantity, flags=wire.WANTS_ROW))
            # The desk shows a position that changed.
            past.host.handle(wire.Frame(wire.FEED, 0, 0, past.body(index, close, quantity)))
            if quantity:
                both = [desk.candle(index, close, quantity=quantity, proposal=0)["reason"] for desk in (live, past)]
                self.assertEqual(both[0], both[1])
                reasons.append(both[0])
        self.assertEqual(reasons, ["1 0", "2 0", "3 0", "1 1", "2 1", "3 1"])
        orders = [desk.host.runners[0].strategy.state["orders"] for desk in (live, past)]
        self.assertEqual(orders, [[1, -1, 1]] * 2)

    def test_a_live_row_brings_state(self):
        source = """
from tradewind import Strategy
class S(Strategy):
    warm_up = 1
    def signals(self, df, ctx):
        self.state["rows"] = self.state.get("rows", 0) + 1
        return {"enter": [False] * len(df)}
"""
        desk = Desk(source)
        body = desk.ask(wire.EVALUATE, desk.body(0, 10.0, flags=wire.WANTS_ROW)).body
        self.assertIn(b'"state":{"rows":1}', body)


class Times(unittest.TestCase):
    SOURCE = """
from tradewind import Hold, Strategy, ta
class S(Strategy):
    warm_up = 4
    every = "5m"
    def indicators(self, df, ctx):
        df["mean"] = ta.sma(df["close"], 2)
        return df
    def on_candle(self, candle, ctx):
        return None
    def on_timer(self, ctx):
        return Hold(f'{ctx["close"]:g} {ctx["mean"]:g}')
"""

    def test_a_timer_reads_the_row_of_its_time_and_never_a_later_one(self):
        past = Desk(self.SOURCE, mode="backtest")
        past.history([10.0 + index for index in range(50)])
        live = Desk(self.SOURCE)
        for index in range(10):
            live.feed(index, 10.0 + index)
            wanted = "nan nan" if index < 3 else f"{10 + index} {9.5 + index:g}"
            self.assertEqual(past.timer(index)["reason"], wanted)
            self.assertEqual(live.timer(index)["reason"], wanted)

    def test_columns_of_signals_are_read_at_the_time_of_a_timer_too(self):
        source = self.SOURCE.replace("    def on_candle(self, candle, ctx):\n        return None\n", "")
        source += "    def signals(self, df, ctx):\n        return {'enter': [False] * len(df)}\n"
        past = Desk(source, mode="backtest")
        past.history([10.0 + index for index in range(50)])
        self.assertEqual(past.timer(5)["reason"], "15 14.5")

    def test_a_row_of_the_future_is_refused(self):
        source = self.SOURCE.replace('ctx["mean"]:g', 'ctx["mean", -1]:g')
        past = Desk(source, mode="backtest")
        past.history([10.0 + index for index in range(50)])
        with contextlib.redirect_stderr(io.StringIO()):
            self.assertIn("a row of the future", past.timer(5)["fault"])


class Orders(unittest.TestCase):
    def test_a_part_that_was_sold_is_not_reported_at_the_price_of_the_entry(self):
        source = """
from tradewind import Strategy
class S(Strategy):
    def on_candle(self, candle, ctx):
        return None
    def on_order(self, order, ctx):
        self.state.setdefault("orders", []).append([order.quantity, order.price])
"""
        desk = Desk(source)
        for index, (close, quantity) in enumerate([(10.0, 2.0), (12.0, 1.0), (14.0, 0.0)]):
            desk.candle(index, close, quantity=quantity)
        self.assertEqual(json.loads(desk.state)["state"]["orders"], [[2.0, 10.0], [-1.0, 12.0], [-1.0, 14.0]])


class Kept(unittest.TestCase):
    SOURCE = """
from tradewind import Strategy
class S(Strategy):
    def on_candle(self, candle, ctx):
        self.state.setdefault("list", [])
"""

    def test_a_candle_in_a_position_changes_no_state(self):
        desk = Desk(self.SOURCE)
        runner = desk.host.runners[0]
        for index in range(600):
            desk.candle(index, 10.0, quantity=float(index % 2))
        self.assertEqual(len(runner.ctx.closed_trades), 200)
        self.assertEqual(len(json.loads(desk.state)["trades"]), 50)
        desk.candle(600, 10.0, quantity=1.0)
        desk.state = None
        desk.candle(601, 10.0, quantity=1.0)
        self.assertIsNone(desk.state)

    def test_a_state_that_is_none_is_left_out(self):
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors):
            desk = Desk(self.SOURCE, state=b'{"state": 1}')
        self.assertEqual((desk.started.kind, desk.host.runners[0].strategy.state), (wire.READY, {}))
        self.assertIn("cannot be read", errors.getvalue())

    def test_a_state_that_is_too_large_says_so(self):
        source = self.SOURCE.replace('self.state.setdefault("list", [])', 'self.state["text"] = "x" * 2_000_000')
        with contextlib.redirect_stderr(io.StringIO()):
            self.assertIn("at most 1048576 are kept", Desk(source).candle(0, 10.0)["fault"])


class Mistakes(unittest.TestCase):
    def test_plans_that_the_desk_would_refuse_are_refused_here(self):
        def fault(call):
            source = f"from tradewind import Buy, Strategy\nclass A(Strategy):\n  def on_candle(self, c, ctx):\n    return {call}\n"
            with contextlib.redirect_stderr(io.StringIO()):
                return Desk(source).candle(0, 1.0).get("fault")

        self.assertIn('write 0.03 or "3%"', fault("Buy(stop=3)"))
        self.assertIn("two gains for the age of 60 s", fault("Buy(roi=[('1m', 0.1), (60, 0.2)])"))
        self.assertIsNone(fault("Buy(0.1 + 0.2 + 0.7000000000000002)"))
        self.assertIn("from -1 to 1", fault("Buy(1.1)"))

    def refused(self, source, problem, cure):
        error = Desk(source).declared["error"]
        self.assertIn(problem, error["problem"])
        self.assertIn(cure, error["cure"])

    def test_each_mistake_of_a_file_is_named_with_its_cure(self):
        self.refused("x = 1", "has no strategy", "derives from tradewind.Strategy")
        two = "from tradewind import Strategy\nclass A(Strategy):\n  def on_candle(self, c, x): pass\nclass B(Strategy):\n  def on_candle(self, c, x): pass\n"
        self.refused(two, "2 strategies: A, B", "FILE.py:A")
        self.refused("import nowhere_at_all", "No module named 'nowhere_at_all' (line 1)", "install it for")
        self.refused("class A(:\n", "SyntaxError: invalid syntax (line 1)", "correct the file")
        self.refused("\n\n1 / 0", "ZeroDivisionError: division by zero (line 3)", "correct the file")
        nothing = "from tradewind import Strategy\nclass A(Strategy):\n  pass\n"
        self.refused(nothing, "A decides nothing", "write on_candle")
        cold = "from tradewind import Strategy\nclass A(Strategy):\n  def indicators(self, df, ctx): return df\n  def on_candle(self, c, x): pass\n"
        self.refused(cold, "no warm_up", "warm_up = 100")
        self.refused(cold.replace("class A(Strategy):", "class A(Strategy):\n  timeframe = '7m'\n  warm_up = 1"), "timeframe '7m'", "5m")

    def test_parameters_are_checked(self):
        problems = Desk(CROSS, params={"fast": 99, "slwo": 4}).declared["problems"]
        self.assertEqual([p["path"] for p in problems], ["fast", "slwo"])
        self.assertIn("from 1 up to 50", problems[0]["cure"])
        self.assertIn("fast, slow", problems[1]["cure"])
        self.assertEqual(Desk(CROSS, params={"fast": 3}).host.runners[0].strategy.fast, 3)

    def test_an_exception_names_its_line(self):
        source = "from tradewind import Strategy\nclass A(Strategy):\n  def on_candle(self, c, ctx):\n    return [][1]\n"
        with contextlib.redirect_stderr(io.StringIO()):
            fault = Desk(source).candle(0, 1.0)["fault"]
        self.assertEqual(fault, "IndexError: list index out of range (line 4, in on_candle)")

    def test_an_answer_that_is_none_names_what_to_return(self):
        source = "from tradewind import Strategy\nclass A(Strategy):\n  def on_candle(self, c, ctx):\n    return True\n"
        with contextlib.redirect_stderr(io.StringIO()):
            self.assertIn("return Buy()", Desk(source).candle(0, 1.0)["fault"])


if __name__ == "__main__":
    unittest.main()
