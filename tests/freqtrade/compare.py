"""Compares two folders of trades, one JSON file a strategy: compare.py THEIRS OURS [--show N]. Prints a table, and fails with what is too different.

Two trades are equal if they are of one pair, enter and leave at the same times and prices, for the same reason, with the same tag of the
entry and the same orders between. Prices are equal to a tick, or to the two millionths to which the desk keeps shares of prices. What is open at the end is left out.
"""

import argparse
import json
from pathlib import Path

TICK = 1e-8


def load(path):
    content = json.loads(path.read_text())
    closed = {(t["pair"], t["entered_at"]): t for t in content["trades"] if t["reason"] != "force_exit"}
    return content, closed


def near(one, other):
    return abs(one - other) < max(1.5 * TICK, 2e-6 * one)


def reason(trade):
    """Fixed and moved stops are one."""
    return "stop" if "stop" in trade["reason"] else trade["reason"]


def tag(trade):
    """The desk calls an entry without a tag a signal."""
    return "" if trade["tag"] == "signal" else trade["tag"]


def orders(trade):
    """Sides and times of what was filled between the entry and the exit."""
    return [tuple(order[:2]) for order in trade["orders"][1:] if order[1] != trade["left_at"]]


def difference(theirs, ours):
    if ours is None:
        return "missing"
    if theirs is None:
        return "extra"
    if not near(theirs["orders"][0][2], ours["orders"][0][2]):
        return "entry price"
    if theirs["tag"] != tag(ours):
        return "tag"
    if theirs["left_at"] != ours["left_at"]:
        return "exit time"
    if reason(theirs) != reason(ours):
        return "reason"
    if orders(theirs) != orders(ours):
        return "orders between"
    return "" if near(theirs["exit"], ours["exit"]) else "exit price"


def compare(theirs, ours, show):
    (their_content, their), (our_content, our) = load(theirs), load(ours)
    counts, shown = {}, 0
    for key in sorted(their.keys() | our.keys(), key=lambda key: (key[1], key[0])):
        what = difference(their.get(key), our.get(key))
        counts[what] = counts.get(what, 0) + 1
        if what and shown < show:
            shown += 1
            print(f"    {what}: {their.get(key)}\n      {'':10}{our.get(key)}")
    equal, total = counts.pop("", 0), len(their.keys() | our.keys())
    share = 100 * equal / total if total else 100.0
    ratio = (our_content["candles"] / our_content["seconds"]) / (their_content["candles"] / their_content["seconds"])
    why = ", ".join(f"{count} {what}" for what, count in sorted(counts.items())) or "-"
    print(f"{theirs.stem:28}{len(their):8}{len(our):8}{share:9.2f} %{ratio:8.1f} x  {why}")
    return equal, total, (their_content["seconds"], our_content["seconds"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("theirs", type=Path)
    parser.add_argument("ours", type=Path)
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("--least", type=float, default=0.0, help="the share of equal trades of all, in percent, below which this fails")
    parser.add_argument("--least-each", type=float, default=0.0, help="the same of each strategy")
    parser.add_argument("--faster", type=float, default=0.0, help="how many times as fast the desk must be over all")
    arguments = parser.parse_args()
    print(f"{'strategy':28}{'theirs':>8}{'ours':>8}{'equal':>11}{'speed':>10}  differences")
    total, seconds, problems = [0, 0], [0.0, 0.0], []
    names = {path.name for folder in (arguments.theirs, arguments.ours) for path in folder.glob("*.json")}
    for name in sorted(names):
        missing = [str(folder) for folder in (arguments.theirs, arguments.ours) if not (folder / name).exists()]
        if missing:
            problems.append(f"{name} is not in {missing[0]}")
            continue
        equal, trades, times = compare(arguments.theirs / name, arguments.ours / name, arguments.show)
        total = [total[0] + equal, total[1] + trades]
        seconds = [sum(pair) for pair in zip(seconds, times)]
        if trades and 100 * equal / trades < arguments.least_each:
            problems.append(f"{name}: {100 * equal / trades:.2f} % of the trades are equal, and {arguments.least_each} % are wanted")
    share, ratio = 100 * total[0] / max(total[1], 1), seconds[0] / max(seconds[1], 1e-9)
    print(f"{'all':44}{share:9.2f} %{ratio:8.1f} x  ({total[0]} of {total[1]} trades; {seconds[0]:.0f} s and {seconds[1]:.0f} s)")
    if share < arguments.least:
        problems.append(f"{share:.2f} % of the trades are equal, and {arguments.least} % are wanted")
    if ratio < arguments.faster:
        problems.append(f"the desk is {ratio:.1f} times as fast, and {arguments.faster} times are wanted")
    if problems:
        raise SystemExit("\n".join(problems))


main()
