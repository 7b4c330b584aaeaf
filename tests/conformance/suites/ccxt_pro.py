"""ccxt.pro: what it watches of the market and of an account, and its orders over the WebSocket API."""

import asyncio
import random
from decimal import Decimal

import ccxt
from book import keep_books
from harness import Suite, eventually_async, expect, expect_equal, expect_fields, expect_names, refused

market = Suite("ccxt.pro market", at_once=6)
account = Suite("ccxt.pro account", at_once=4)
books = Suite("ccxt.pro books", options=("--limits", "off"))
BTC = "BTC/USDT"


class Watched:
    """What a watch method gives, collected while the block runs."""

    def __init__(self, watch, *arguments):
        self._watch, self._arguments = watch, arguments
        self.seen = []

    async def __aenter__(self):
        self._task = asyncio.create_task(self._collect())
        return self

    async def __aexit__(self, *_):
        self._task.cancel()

    async def _collect(self):
        while True:
            self.seen.append(await self._watch(*self._arguments))

    async def until(self, wanted, what, within=20):
        """The first thing seen for which `wanted` holds."""

        async def found():
            if self._task.done():
                self._task.result()
            return next((one for one in self.seen if wanted(one)), None)

        return await eventually_async(found, what, within)


@market.check("watch_ticker, by miniTicker and by ticker: a day's statistics, again and again")
async def watch_ticker(t):
    client = t.pro()
    first = await client.watch_ticker(BTC)
    expect_fields(first, symbol=BTC)
    expect(first["low"] <= first["last"] <= first["high"], f"last outside the day's range: {first}")
    later = await client.watch_ticker(BTC)
    expect(later["timestamp"] > first["timestamp"], "the time stands still")
    full = await client.watch_ticker("ETH/USDT", {"name": "ticker"})
    expect_names(full["info"], "e E s p P w x c Q b B a A o h l v q O C F L n")
    expect(full["bid"] < full["ask"], "crossed")


@market.check("watch_tickers of several symbols over one connection")
async def watch_tickers(t):
    client = t.pro()
    symbols = [BTC, "ETH/USDT", "SOL/USDT"]
    async with Watched(client.watch_tickers, symbols) as watched:
        # Those that come in one moment are given as one: what was kept counts.
        await watched.until(lambda _: set(symbols) <= set(client.tickers), "a ticker of each symbol")


@market.check("watch_bids_asks: best bid and ask, never crossed")
async def watch_bids_asks(t):
    client = t.pro()
    for _ in range(20):
        for ticker in (await client.watch_bids_asks([BTC])).values():
            expect(0 < ticker["bid"] < ticker["ask"], f"crossed: {ticker}")


@market.check("watch_trades: every trade once and in order, the same as fetch_trades tells")
async def watch_trades(t):
    client = t.pro()
    while len(client.trades.get(BTC, ())) < 12:
        await client.watch_trades(BTC)
    watched = list(client.trades[BTC])[:12]
    ids = [int(one["id"]) for one in watched]
    expect_equal(ids, list(range(ids[0], ids[0] + len(ids))), "ids")
    told = await client.fetch_trades(BTC, params={"fetchTradesMethod": "publicGetTrades"})
    told = {one["id"]: one for one in told}
    for one in watched:
        expect_fields(told[one["id"]], price=one["price"], amount=one["amount"], side=one["side"], timestamp=one["timestamp"])


@market.check("watch_ohlcv: the open candle moves and is the one that fetch_ohlcv gives")
async def watch_ohlcv(t):
    client = t.pro()
    seen = [(await client.watch_ohlcv(BTC, "1m"))[-1] for _ in range(2)]
    expect(seen[0][0] % 60_000 == 0 and seen[1][0] >= seen[0][0], f"open times {seen}")
    told = {candle[0]: candle for candle in await client.fetch_ohlcv(BTC, "1m", limit=5)}
    for open_time, first, high, low, last, volume in seen:
        expect(open_time in told, f"no candle of {open_time}")
        expect_equal(told[open_time][1], first, "open")
        expect(low >= told[open_time][3] and high <= told[open_time][2] and volume <= told[open_time][5], "the candle shrank")


@market.check("watch_ohlcv of one second: candle after candle")
async def watch_seconds(t):
    client = t.pro()
    opened = set()
    while len(opened) < 2:
        opened.add((await client.watch_ohlcv(BTC, "1s"))[-1][0])
    expect(all(open_time % 1_000 == 0 for open_time in opened), f"open times {opened}")


@market.check("watch_order_book of several symbols over one connection, and by depth limits")
async def watch_books(t):
    client = t.pro()
    symbols = [BTC, "ETH/USDT"]
    async with Watched(client.watch_order_book_for_symbols, symbols) as watched:
        for symbol in symbols:
            book = await watched.until(lambda one: one["symbol"] == symbol, f"a book of {symbol}")
            expect(book["bids"][0][0] < book["asks"][0][0], "crossed")
    book = await client.watch_order_book("SOL/USDT", 10)
    expect(0 < len(book["bids"]) <= 10, f"{len(book['bids'])} levels")


@market.check("unsubscribing: un_watch_trades and un_watch_ticker are acknowledged")
async def unwatch(t):
    client = t.pro()
    await client.watch_trades(BTC)
    await asyncio.wait_for(client.un_watch_trades(BTC), 10)
    await client.watch_ticker(BTC)
    await asyncio.wait_for(client.un_watch_ticker(BTC), 10)
    await client.watch_trades(BTC)


@market.check("candles and trades over the WebSocket API")
async def requests(t):
    client = t.pro()
    expect_equal(len(await client.fetch_ohlcv_ws(BTC, "1m", limit=5)), 5, "candles")
    t.wait_for_trades("BTCUSDT", 3)
    expect_equal(len(await client.fetch_trades_ws(BTC, limit=3)), 3, "trades")


@books.check("watch_order_book: three books kept by diffs for ten busy seconds equal snapshots in every level")
async def kept_books(t):
    def hold():
        t.control.pause(True)

    try:
        await keep_books(t, 10, hold=hold)
    finally:
        t.control.pause(False)


async def low_price(client):
    """A price at which a buy order rests."""
    return float(client.price_to_precision(BTC, (await client.fetch_ticker(BTC))["last"] * 0.96))


@account.check("orders over the WebSocket API: created, queried, listed, cancelled")
async def orders(t):
    client = t.pro()
    price = await low_price(client)
    order = await client.create_order_ws(BTC, "limit", "buy", 0.01, price)
    expect_fields(order, status="open", price=price, amount=0.01, filled=0.0)
    expect_fields(await client.fetch_order_ws(order["id"], BTC), id=order["id"], status="open", price=price)
    expect_equal([one["id"] for one in await client.fetch_open_orders_ws(BTC)], [order["id"]], "open orders")
    expect_fields(await client.cancel_order_ws(order["id"], BTC), id=order["id"], status="canceled")
    expect_equal(await client.fetch_open_orders_ws(BTC), [], "open orders")
    filled = await client.create_order_ws(BTC, "market", "buy", 0.01)
    expect_fields(filled, status="closed", filled=0.01)
    everything = await client.fetch_orders_ws(BTC)
    expect_equal({one["id"] for one in everything}, {order["id"], filled["id"]}, "all orders")
    expect_equal([one["id"] for one in await client.fetch_closed_orders_ws(BTC)], [filled["id"]], "closed orders")
    expect_equal({one["order"] for one in await client.fetch_my_trades_ws(BTC)}, {filled["id"]}, "orders of the own trades")


@account.check("cancel_all_orders_ws and edit_order_ws")
async def more_orders(t):
    client = t.pro()
    price = await low_price(client)
    first = await client.create_order_ws(BTC, "limit", "buy", 0.01, price)
    second = await client.edit_order_ws(first["id"], BTC, "limit", "buy", 0.02, price - 10)
    expect_fields(await client.fetch_order_ws(second["id"], BTC), amount=0.02, status="open")
    await client.cancel_all_orders_ws(BTC)
    expect_equal(await client.fetch_open_orders_ws(BTC), [], "open orders")


@account.check("fetch_balance_ws: the answer holds the balances that fetch_balance tells")
async def balance(t):
    client = t.pro()
    told = (await client.fetch_balance_ws())["info"]
    balances = told.get("result", told)["balances"]
    expect_equal({one["asset"]: one["free"] for one in balances}["USDT"], "1000000.00000000", "free USDT")


@account.check("refusals over the WebSocket API: funds, unknown orders, filters, signatures")
async def refusals(t):
    client = t.pro()
    with refused(ccxt.InsufficientFunds, text="insufficient balance"):
        await client.create_order_ws(BTC, "limit", "buy", 30, 60_000)
    with refused(ccxt.OrderNotFound, code=-2011):
        await client.cancel_order_ws("999999999", BTC)
    with refused(ccxt.OrderNotFound, code=-2013):
        await client.fetch_order_ws("999999999", BTC)
    with refused(ccxt.BadRequest, ccxt.InvalidOrder, text="NOTIONAL"):
        await client.create_order_ws(BTC, "limit", "buy", 0.00001, 60_000)
    client.secret = "wrong"
    with refused(ccxt.AuthenticationError, code=-1022):
        await client.create_order_ws(BTC, "limit", "buy", 0.01, 60_000)


def one_of(order_id, **wanted):
    """Whether a list of orders holds this one with these fields."""

    def holds(orders):
        return any(one["id"] == order_id and all(one[name] == value for name, value in wanted.items()) for one in orders)

    return holds


@account.check("watch_orders: open, partly filled, cancelled, filled, expired")
async def watch_orders(t):
    client = t.pro()
    async with Watched(client.watch_orders, BTC) as watched:
        await client.authenticate({"type": "spot"})
        price = await low_price(client)
        order = await client.create_order(BTC, "limit", "buy", 0.01, price, {"clientOrderId": "watched-1"})
        await watched.until(one_of(order["id"], status="open", price=price, clientOrderId="watched-1"), "the open order")
        await client.cancel_order(order["id"], BTC)
        await watched.until(one_of(order["id"], status="canceled", clientOrderId="watched-1"), "the cancelled order")
        order = await client.create_order(BTC, "market", "sell", 0.01)
        await watched.until(one_of(order["id"], status="closed", filled=0.01), "the filled order")
        order = await client.create_order(BTC, "limit", "buy", 0.01, price, {"timeInForce": "IOC"})
        await watched.until(one_of(order["id"], status="expired", filled=0.0), "the expired order")
        bid = (await client.fetch_order_book(BTC, 5))["bids"][0][0]
        order = await client.create_order(BTC, "limit", "sell", 30, bid)
        await watched.until(lambda orders: any(one["id"] == order["id"] and 0 < one["filled"] < 30 for one in orders), "the partly filled order")


@account.check("watch_my_trades: each trade once, as fetch_my_trades tells it")
async def watch_my_trades(t):
    client = t.pro()
    async with Watched(client.watch_my_trades, BTC) as watched:
        await client.authenticate({"type": "spot"})
        order = await client.create_order(BTC, "market", "buy", 0.2)
        await watched.until(lambda trades: any(one["order"] == order["id"] for one in trades), "a trade of the order")
        told = {one["id"]: one for one in await client.fetch_my_trades(BTC)}
        found = lambda: {one["id"]: one for one in client.myTrades if one["order"] == order["id"]}

        async def complete():
            return found().keys() == told.keys()

        await eventually_async(complete, "all trades of the order")
        for trade_id, one in found().items():
            expect_fields(one, **{name: told[trade_id][name] for name in ("price", "amount", "side", "takerOrMaker", "fee")})


@account.check("watch_balance: locked by an order, free again, less after a trade, more after a deposit; equal to fetch_balance")
async def watch_balance(t):
    client = t.pro()
    async with Watched(client.watch_balance) as watched:
        await client.authenticate({"type": "spot"})
        price = await low_price(client)
        order = await client.create_order(BTC, "limit", "buy", 0.1, price)
        locked = float(Decimal(str(price)) * Decimal("0.1"))
        await watched.until(lambda one: one.get("USDT", {}).get("used") == locked, "the locked USDT")
        await client.cancel_order(order["id"], BTC)
        await watched.until(lambda one: one["USDT"]["used"] == 0.0, "the free USDT")
        await client.create_order(BTC, "market", "buy", 0.1)
        await same_balance(client, ("BTC", "USDT"))


async def same_balance(client, assets):
    """Waits until what was folded from events is what the exchange tells."""
    told = await client.fetch_balance()

    async def equal():
        kept = client.balance["spot"]
        return all(asset in kept and kept[asset]["free"] == told[asset]["free"] and kept[asset]["used"] == told[asset]["used"] for asset in assets)

    await eventually_async(equal, f"the balance by events is {[told[asset] for asset in assets]}")


@account.check("watch_balance: a deposit by the operator")
async def watch_deposit(t):
    client = t.pro()
    async with Watched(client.watch_balance) as watched:
        await client.authenticate({"type": "spot"})
        await client.create_order(BTC, "market", "buy", 0.01)
        await watched.until(lambda one: "BTC" in one, "the trade")
        before = await client.fetch_balance()
        await asyncio.to_thread(t.control.deposit, client.holder.key, "USDT", "100")
        await watched.until(lambda one: one["USDT"]["free"] == before["USDT"]["free"] + 100, "the deposit")


@account.check("forty orders at random: orders, trades and balances folded from events equal the account")
async def folded(t):
    client, draw = t.pro(), random.Random(7)
    async with Watched(client.watch_orders) as watched, Watched(client.watch_my_trades), Watched(client.watch_balance):
        await client.authenticate({"type": "spot"})
        price, resting = await low_price(client), []
        for _ in range(40):
            await one_more(client, draw, price, resting)
        last = await client.create_order(BTC, "market", "buy", 0.001)
        await watched.until(one_of(last["id"], status="closed"), "the last order")
        await same_balance(client, ("BTC", "USDT"))
        told = {one["id"]: (one["status"], one["filled"]) for one in await client.fetch_orders(BTC, limit=500)}
        kept = {one["id"]: (one["status"], one["filled"]) for one in client.orders}
        expect_equal(kept, told, "orders")
        told = {(one["order"], one["id"]): one["amount"] for one in await client.fetch_my_trades(BTC, limit=500)}
        kept = {(one["order"], one["id"]): one["amount"] for one in client.myTrades}
        expect_equal(kept, told, "own trades")


async def one_more(client, draw, price, resting):
    """One more order of some kind, or one fewer."""
    kind = draw.choice(("across", "across", "rest", "rest", "cancel"))
    side = draw.choice(("buy", "sell"))
    if kind == "across":
        # Not so far that it meets what rests here when the book is thin.
        await client.create_order(BTC, "limit", side, 0.02, price * (1.08 if side == "buy" else 1.02), {"timeInForce": "IOC"})
    elif kind == "rest":
        resting.append(await client.create_order(BTC, "limit", "buy", 0.01, price))
    elif resting:
        await client.cancel_order(resting.pop()["id"], BTC)
