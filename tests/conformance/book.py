"""ccxt's order books, kept by diffs through busy minutes, and then compared with snapshots: equal, in every level.

By itself: `book.py --minutes 10`. The market goes on as it does while the whale trades all over it; then it is held, what is under
way arrives, and each book is compared with what the exchange says it is.
"""

import argparse
import asyncio
import collections
import itertools
import random
import sys
import time

from clients import Clients
from simx import Simx, default_binary

SYMBOLS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")
# How far a trade of the whale reaches at most, as a share of the price.
REACH = 0.0004
DRAIN_SECONDS = 20


class Kept:
    """One symbol's book as a client keeps it, and its last states by the id of their update."""

    def __init__(self, client, symbol):
        self.client, self.symbol = client, symbol
        self.updates = 0
        self.by_id = collections.OrderedDict()

    async def watch(self):
        while True:
            book = await self.client.watch_order_book(self.symbol)
            self.updates += 1
            self.by_id[book["nonce"]] = levels_of(book)
            while len(self.by_id) > 200:
                self.by_id.popitem(last=False)


def levels_of(book):
    """Both sides as pairs of numbers."""
    return tuple([(float(price), float(quantity)) for price, quantity, *_ in book[side]] for side in ("bids", "asks"))


async def keep_books(trial, seconds, symbols=SYMBOLS, hold=None):
    """Keeps a book of each symbol for so long, then compares. Gives lines about it; raises `AssertionError` for a difference."""
    client = trial.pro()
    books = [Kept(client, symbol) for symbol in symbols]
    tasks = [asyncio.create_task(book.watch()) for book in books]
    tasks.append(asyncio.create_task(make_busy(trial.simx, symbols)))
    try:
        done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
        tasks.pop().cancel()
        if hold:
            await asyncio.to_thread(hold)
        return [await compared(trial.simx, book) for book in books]
    finally:
        for task in tasks:
            task.cancel()


async def compared(simx, book):
    """Compares one book with a snapshot of the same id, once the exchange and the client have one."""
    market = book.symbol.replace("/", "")
    deadline = time.monotonic() + DRAIN_SECONDS
    while True:
        snapshot = await asyncio.to_thread(simx.public, "depth", symbol=market, limit=5000)
        for _ in range(10):
            if snapshot["lastUpdateId"] in book.by_id:
                break
            await asyncio.sleep(0.02)
        else:
            assert time.monotonic() < deadline, f"{book.symbol}: no book with the id of a snapshot, {snapshot['lastUpdateId']}"
            continue
        break
    kept, told = book.by_id[snapshot["lastUpdateId"]], levels_of(snapshot)
    for side, mine, theirs in zip(("bids", "asks"), kept, told):
        difference = sorted(set(mine) ^ set(theirs))
        assert mine == theirs, f"{book.symbol}: {side} differ in {len(difference)} levels: {difference[:6]}"
    return f"{book.symbol}: equal in {len(told[0])} bids and {len(told[1])} asks after {book.updates} updates"


async def make_busy(simx, symbols):
    """The whale takes a little from every book, several times a second, from one side and the other."""
    draw = random.Random(1)
    while True:
        for symbol in symbols:
            market, side = symbol.replace("/", ""), draw.choice(("BUY", "SELL"))
            bid, ask = await asyncio.to_thread(simx.touch, market)
            reach = draw.uniform(0, REACH)
            price = round(float(ask) * (1 + reach), 2) if side == "BUY" else round(float(bid) * (1 - reach), 2)
            if price > 0:
                await asyncio.to_thread(simx.take, market, side, price, "0.4")
        await asyncio.sleep(0.1)


async def run(binary, minutes):
    with Simx(binary, accounts=1, options=("--limits", "off")) as simx:
        clients = Clients(simx, itertools.count(1), {})
        try:
            for line in await keep_books(clients, minutes * 60, hold=lambda: simx.control.pause(True)):
                print(line)
        finally:
            await clients.close()


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--binary", default=default_binary(), help="the exchange")
    arguments.add_argument("--minutes", type=float, default=10, help="how long the books are kept before they are compared")
    options = arguments.parse_args()
    try:
        asyncio.run(run(options.binary, options.minutes))
    except AssertionError as difference:
        print(f"book: FAILED: {difference}")
        return 1
    print(f"book: equal after {options.minutes:g} minutes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
