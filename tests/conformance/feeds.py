"""What our adapters hand on of a market, judged by ccxt.pro, which looks at the same server at the same time.

`feeds.py --watch BINARY`: the example `watch` of tradewind-venues. Binance is `tradewind simx`; OKX, Bybit, Kraken and Coinbase are `venue.py`. Each book,
quote, trade and candle of ours must be one that ccxt has, and no trade may be missing between our first and our last. ccxt has no candles of
Coinbase's streams, and takes the side of its trades, which is the maker's, for the taker's: there these two are not compared as they are.
"""

import argparse
import asyncio
import functools
import itertools
import json
import sys

import ccxt.pro
from clients import Clients
from simx import Simx, default_binary
from venue import Bybit, Coinbase, Kraken, Okx, VenueServer

PRODUCT = "BTC/USDT"
SHOWN = 20


def numbers(levels):
    return tuple((float(price), float(size)) for price, size, *_ in itertools.islice(levels, SHOWN))


class Theirs:
    """All that ccxt has seen."""

    def __init__(self, has_candles=True, is_of_makers=False):
        self.books, self.quotes, self.trades, self.candles = set(), set(), {}, {}
        self.has_candles, self.is_of_makers = has_candles, is_of_makers

    def has_all(self):
        return self.books and self.quotes and self.trades and (self.candles or not self.has_candles)

    def recording(self, kind, is_quotes):
        """A client of ccxt that writes down each state of a book, also those that nobody waits for."""
        theirs = self

        def handle_order_book(client, *arguments):
            super(recording, client).handle_order_book(*arguments)
            book = client.orderbooks.get(PRODUCT)
            if book and book["bids"] and book["asks"]:
                bids, asks = numbers(book["bids"]), numbers(book["asks"])
                if is_quotes:
                    theirs.quotes.add((*bids[0], *asks[0]))
                else:
                    theirs.books.add((bids, asks))

        def handle_quote(client, handle, *arguments):
            handle(client, *arguments)
            for one in [*client.bidsasks.values(), *client.tickers.values()]:
                theirs.quotes.add((one["bid"], one["bidVolume"], one["ask"], one["askVolume"]))

        hooks = {"handle_order_book": handle_order_book}
        for name in ("handle_bids_asks", "handle_ticker"):
            if is_quotes and hasattr(kind, name):
                hooks[name] = functools.partialmethod(handle_quote, getattr(kind, name))
        recording = type(kind.__name__, (kind,), hooks)
        return recording

    async def watch_trades(self, client):
        while True:
            for one in await client.watch_trades(PRODUCT):
                side = one["side"]
                if self.is_of_makers:
                    side = {"buy": "sell", "sell": "buy"}[side]
                self.trades[one["id"]] = (side, one["price"], one["amount"])

    async def watch_candles(self, client, interval):
        while True:
            for start, *row in await client.watch_ohlcv(PRODUCT, interval):
                self.candles[start] = tuple(row)


async def again(watch, *arguments):
    while True:
        await watch(*arguments)


async def judge(name, command, clients, quotes, depth, interval, seconds):
    """Compares for so long; a line about it. Raises `AssertionError` for a difference."""
    is_coinbase = name == "coinbase"
    theirs = Theirs(has_candles=not is_coinbase, is_of_makers=is_coinbase)
    of_books, of_quotes = clients(theirs)
    watchers = [
        again(of_books.watch_order_book, PRODUCT, depth),
        quotes(of_quotes),
        theirs.watch_trades(of_books),
    ]
    if theirs.has_candles:
        watchers.append(theirs.watch_candles(of_books, interval))
    tasks = [asyncio.create_task(watcher) for watcher in watchers]
    process = None
    try:
        for _ in range(600):
            done = [task for task in tasks if task.done()]
            for task in done:
                task.result()
            if theirs.has_all():
                break
            await asyncio.sleep(0.1)
        assert theirs.has_all(), f"{name}: ccxt has not seen everything in a minute"
        process = await asyncio.create_subprocess_exec(*command, interval, stdout=asyncio.subprocess.PIPE)
        lines = []

        async def read():
            async for line in process.stdout:
                lines.append(json.loads(line))

        reading = asyncio.create_task(read())
        await asyncio.sleep(seconds)
        process.kill()
        await reading
        # What was under way to ccxt arrives.
        await asyncio.sleep(2)
        return compared(name, theirs, lines)
    finally:
        if process and process.returncode is None:
            process.kill()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for client in (of_books, of_quotes):
            await client.close()


def compared(name, theirs, lines):
    ours = {kind: [line[kind] for line in lines if kind in line] for kind in ("book", "quote", "trade", "candle", "health", "failed")}
    assert not ours["failed"], f"{name}: {ours['failed']}"
    assert ours["health"][-1] == "Live", f"{name}: {ours['health']}"
    kinds = ("book", "quote", "trade", "candle") if theirs.has_candles else ("book", "quote", "trade")
    counts = {kind: len(ours[kind]) for kind in kinds}
    assert all(counts.values()), f"{name}: nothing of one kind: {counts}"
    for bids, asks in ours["book"]:
        assert (numbers(bids), numbers(asks)) in theirs.books, f"{name}: ccxt never had the book {bids[:3]} {asks[:3]}"
    for quote in ours["quote"]:
        assert tuple(map(float, quote)) in theirs.quotes, f"{name}: ccxt never had the quote {quote}"
    ids = set()
    for number, side, price, amount in ours["trade"]:
        ids.add(int(number))
        told = theirs.trades.get(number)
        assert told == (side, float(price), float(amount)), f"{name}: trade {number} is {told} for ccxt"
    missed = [number for number in map(int, theirs.trades) if min(ids) < number < max(ids) and number not in ids]
    assert not missed, f"{name}: trades {missed} are missing"
    for start, *row in ours["candle"] if theirs.has_candles else []:
        told = theirs.candles.get(start)
        assert told == tuple(map(float, row)), f"{name}: the candle of {start} is {told} for ccxt, not {row}"
    return f"{name}: as ccxt has them, {', '.join(f'{count} {kind}s' for kind, count in counts.items())}"


def redirected(urls, port):
    """ccxt's addresses with this machine in place of the venue's host."""
    if isinstance(urls, dict):
        return {name: redirected(value, port) for name, value in urls.items()}
    if not isinstance(urls, str) or "://" not in urls:
        return urls
    scheme, _, rest = urls.partition("://")
    path = rest.partition("/")[2]
    return f"{'ws' if scheme == 'wss' else 'http'}://127.0.0.1:{port}/{path}"


def best_of_book(client):
    return again(client.watch_order_book, PRODUCT, 1)


def bids_asks(client):
    return again(client.watch_bids_asks, [PRODUCT])


async def other_venue(words, kind, quotes, depth, watch, seconds):
    async with VenueServer(words, seed=7) as server:

        def clients(theirs):
            made = []
            for is_quotes in (False, True):
                client = theirs.recording(kind, is_quotes)({
                    "newUpdates": True,
                    "options": {
                        "defaultType": "spot", "fetchMarkets": {"types": ["spot"]}, "loadAllOptions": False, "enableUnifiedAccount": False,
                        # OKX's is 0 since June 2026, and ccxt itself does not check Kraken's.
                        "watchOrderBook": {"checksum": False}, "checksum": False,
                    },
                })
                client.has["fetchCurrencies"] = False
                client.hostname = f"127.0.0.1:{server.port}"
                client.urls["api"] = redirected(client.urls["api"], server.port)
                made.append(client)
            return made

        addresses = [f"http://127.0.0.1:{server.port}", f"ws://127.0.0.1:{server.port}"]
        command = [watch, words.name, *addresses, PRODUCT]
        return await judge(words.name, command, clients, quotes, depth, "1m", seconds)


async def binance(kind, watch, binary, seconds):
    simx = Simx(binary, accounts=2)
    await asyncio.to_thread(simx.__enter__)
    try:
        users = Clients(simx, itertools.count(1), {})

        def clients(theirs):
            made = []
            for is_quotes in (False, True):
                client = users.new_ccxt(theirs.recording(ccxt.pro.binance, is_quotes), newUpdates=True)
                made.append(client)
            return made

        command = [watch, kind, simx.http, simx.ws, PRODUCT]
        return await judge(kind, command, clients, bids_asks, None, "1s", seconds)
    finally:
        await asyncio.to_thread(simx.__exit__)


async def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--watch", required=True, help="the example that prints what an adapter hands on")
    arguments.add_argument("--binary", default=default_binary(), help="the exchange")
    arguments.add_argument("--seconds", type=int, default=20)
    arguments.add_argument("--filter", default="", help="compare the venues whose name holds this text")
    options = arguments.parse_args()
    venues = {
        "okx": lambda: other_venue(Okx(), ccxt.pro.okx, best_of_book, None, options.watch, options.seconds),
        "bybit": lambda: other_venue(Bybit(), ccxt.pro.bybit, best_of_book, 50, options.watch, options.seconds),
        "kraken": lambda: other_venue(Kraken(), ccxt.pro.kraken, bids_asks, 10, options.watch, options.seconds),
        "coinbase": lambda: other_venue(Coinbase(), ccxt.pro.coinbase, best_of_book, None, options.watch, options.seconds),
        "binance": lambda: binance("binance", options.watch, options.binary, options.seconds),
        "binance-diffs": lambda: binance("binance-diffs", options.watch, options.binary, options.seconds),
    }
    failed = 0
    for name, compare in venues.items():
        if options.filter in name:
            try:
                print(await compare(), flush=True)
            except AssertionError as difference:
                failed += 1
                print(f"FAILED {difference}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
