"""python-binance's sockets: market streams, its depth cache, its WebSocket API calls, and the user data stream."""

import asyncio
import contextlib

from binance import DepthCacheManager
from binance.exceptions import BinanceAPIException
from harness import Suite, eventually_async, expect, expect_equal, expect_fields, expect_names, refused

streams = Suite("python-binance streams", at_once=8)
requests = Suite("python-binance WebSocket API", at_once=3)
BTC = "BTCUSDT"

# The method of the socket manager, what it is called with, the event, and the fields it has.
SOCKETS = (
    ("trade_socket", (BTC,), "trade", "e E s t p q T m M"),
    ("aggtrade_socket", (BTC,), "aggTrade", "e E s a p q f l T m M"),
    ("kline_socket", (BTC,), "kline", "e E s k"),
    ("depth_socket", (BTC,), "depthUpdate", "e E s U u b a"),
    ("depth_socket", (BTC, None, 100), "depthUpdate", "e E s U u b a"),
    ("depth_socket", (BTC, "5"), None, "lastUpdateId bids asks"),
    ("depth_socket", (BTC, "20", 100), None, "lastUpdateId bids asks"),
    ("symbol_ticker_socket", (BTC,), "24hrTicker", "e E s p P w x c Q b B a A o h l v q O C F L n"),
    ("symbol_miniticker_socket", (BTC,), "24hrMiniTicker", "e E s c o h l v q"),
    ("symbol_book_ticker_socket", (BTC,), None, "u s b B a A"),
)


async def messages(socket, count, within=20):
    """The next messages of an open socket."""
    found = []
    while len(found) < count:
        message = await asyncio.wait_for(socket.recv(), within)
        expect(message.get("e") != "error", f"the client gave up: {message}")
        found.append(message)
    return found


for _method, _arguments, _event, _names in SOCKETS:

    @streams.check(f"{_method}{_arguments}: {_event or 'frames'} with all fields")
    async def stream(t, method=_method, arguments=_arguments, event=_event, names=_names):
        manager = t.sockets(t.binance_async())
        async with getattr(manager, method)(*arguments) as socket:
            for message in await messages(socket, 2):
                expect_equal(sorted(message), sorted(names.split()), "fields")
                expect_equal(message.get("e"), event, "event")


@streams.check("kline_socket: the candle's fields; its id and count fit each other")
async def kline(t):
    manager = t.sockets(t.binance_async())
    async with manager.kline_socket(BTC, "5m") as socket:
        candle = (await messages(socket, 1))[0]["k"]
        expect_equal(sorted(candle), sorted("t T s i f L o c h l v n x q V Q B".split()), "fields")
        expect_fields(candle, s=BTC, i="5m", x=False)
        expect_equal(candle["T"] - candle["t"], 299_999, "length")


@streams.check("trade_socket: ids without a gap; depth_socket: each update begins where the last one ended")
async def gapless(t):
    manager = t.sockets(t.binance_async())
    async with manager.trade_socket(BTC) as trades, manager.depth_socket(BTC, interval=100) as depth:
        ids = [message["t"] for message in await messages(trades, 8)]
        expect_equal(ids, list(range(ids[0], ids[0] + len(ids))), "ids of the trades")
        updates = await messages(depth, 8)
        expect_equal([one["U"] for one in updates[1:]], [one["u"] + 1 for one in updates[:-1]], "first ids of the updates")


@streams.check("multiplex_socket: several streams over one connection, each frame with its stream's name")
async def multiplex(t):
    manager = t.sockets(t.binance_async())
    names = ["btcusdt@trade", "ethusdt@bookTicker", "solusdt@miniTicker", "bnbusdt@depth5"]
    seen = set()
    async with manager.multiplex_socket(names) as socket:
        while len(seen) < len(names):
            message = (await messages(socket, 1))[0]
            expect_equal(sorted(message), ["data", "stream"], "fields")
            seen.add(message["stream"])
    expect_equal(sorted(seen), sorted(names), "streams")


@streams.check("miniticker_socket: tickers of all symbols that changed")
async def all_minitickers(t):
    manager = t.sockets(t.binance_async())
    async with manager.miniticker_socket() as socket:
        message = await asyncio.wait_for(socket.recv(), 20)
        expect(isinstance(message, list) and len(message) > 1, f"{message}")
        expect_fields(message[0], e="24hrMiniTicker")


@streams.check("DepthCacheManager: a cache that is sorted, uncrossed, and becomes equal to a snapshot")
async def depth_cache(t):
    client = t.binance_async()
    manager = DepthCacheManager(client, "ETHUSDT", bm=t.sockets(client), ws_interval=100, limit=5000)
    async with manager as cache:
        for _ in range(10):
            book = await asyncio.wait_for(cache.recv(), 20)
        bids, asks = book.get_bids(), book.get_asks()
        expect(len(bids) > 5 and len(asks) > 5, "hardly a level")
        expect(bids == sorted(bids, reverse=True) and asks == sorted(asks) and bids[0][0] < asks[0][0], "not sorted, or crossed")

        async def same():
            snapshot = await client.get_order_book(symbol="ETHUSDT", limit=5000)
            with contextlib.suppress(asyncio.TimeoutError):
                while manager._last_update_id < snapshot["lastUpdateId"]:
                    book = await asyncio.wait_for(cache.recv(), 0.3)
            if manager._last_update_id != snapshot["lastUpdateId"]:
                return False
            for side, mine in (("bids", cache_levels(manager.get_depth_cache().get_bids())), ("asks", cache_levels(manager.get_depth_cache().get_asks()))):
                expect_equal(mine, cache_levels(snapshot[side]), side)
            return True

        await eventually_async(same, "a snapshot with the cache's id", within=30)


def cache_levels(levels):
    return [(float(price), float(quantity)) for price, quantity in levels]


@requests.check("time, depth, prices, candles, trades by ws_ methods")
async def market(t):
    client = t.binance_async()
    expect_names(await client.ws_get_time(), "serverTime")
    expect_names(await client.ws_get_order_book(symbol=BTC, limit=5), "lastUpdateId bids asks")
    expect_equal(len((await client.ws_get_exchange_info())["symbols"]), 25, "symbols")
    expect_names(await client.ws_get_ticker(symbol=BTC), "symbol lastPrice openPrice")
    expect_names(await client.ws_get_symbol_ticker(symbol=BTC), "symbol price")
    expect_names(await client.ws_get_orderbook_ticker(symbol=BTC), "symbol bidPrice askPrice")
    expect_names(await client.ws_get_avg_price(symbol=BTC), "mins price closeTime")
    expect_equal(len(await client.ws_get_klines(symbol=BTC, interval="1m", limit=3)), 3, "candles")
    await client.ws_get_recent_trades(symbol=BTC, limit=3)
    await client.ws_get_aggregate_trades(symbol=BTC, limit=3)
    expect_equal(await client.ws_ping(), {}, "ping")


@requests.check("rolling-window and trading-day tickers by ws_ methods")
async def windows(t):
    client = t.binance_async()
    expect_names(await client.ws_get_symbol_ticker_window(symbol=BTC, windowSize="1h"), "symbol lastPrice openTime")
    expect_names(await client.ws_get_trading_day_ticker(symbol=BTC), "symbol lastPrice openTime")


@requests.check("orders by ws_ methods: created, queried, listed, cancelled, filled")
async def orders(t):
    client = t.binance_async()
    order = await client.ws_order_limit_buy(symbol=BTC, quantity="0.01", price="60000")
    expect_fields(order, status="NEW", type="LIMIT", side="BUY")
    expect_fields(await client.ws_get_order(symbol=BTC, orderId=order["orderId"]), status="NEW", isWorking=True)
    expect_equal([one["orderId"] for one in await client.ws_get_open_orders(symbol=BTC)], [order["orderId"]], "open orders")
    expect_fields(await client.ws_cancel_order(symbol=BTC, orderId=order["orderId"]), status="CANCELED")
    filled = await client.ws_order_market_buy(symbol=BTC, quantity="0.01")
    expect_fields(filled, status="FILLED", executedQty="0.01000000")
    expect_equal(len(await client.ws_get_all_orders(symbol=BTC)), 2, "all orders")
    expect_equal({one["orderId"] for one in await client.ws_get_my_trades(symbol=BTC)}, {filled["orderId"]}, "orders of the own trades")
    await client.ws_create_test_order(symbol=BTC, side="BUY", type="MARKET", quantity="0.01")
    await client.ws_order_limit_buy(symbol=BTC, quantity="0.01", price="60000")
    expect_equal(len(await client.ws_cancel_all_open_orders(symbol=BTC)), 1, "cancelled orders")


@requests.check("account, commissions and order limits by ws_ methods")
async def account(t):
    client = t.binance_async()
    expect_fields(await client.ws_get_account(), canTrade=True, accountType="SPOT")
    expect_names(await client.ws_get_commission_rates(symbol=BTC), "symbol standardCommission discount")
    expect_equal(len(await client.ws_get_account_rate_limits_orders()), 2, "order limits")


@requests.check("order lists and replacing by ws_ methods")
async def lists(t):
    client = t.binance_async()
    oco = await client.ws_create_oco_order(
        symbol=BTC, side="SELL", quantity="0.01", aboveType="LIMIT_MAKER", abovePrice="70000", belowType="STOP_LOSS", belowStopPrice="60000",
    )
    expect_fields(oco, contingencyType="OCO", listOrderStatus="EXECUTING")
    expect_equal(len(await client.ws_get_oco_open_orders()), 1, "open lists")
    expect_fields(await client.ws_get_oco_order(orderListId=oco["orderListId"]), listOrderStatus="EXECUTING")
    await client.ws_cancel_oco_order(symbol=BTC, orderListId=oco["orderListId"])
    working = {
        "symbol": BTC, "workingType": "LIMIT", "workingSide": "BUY", "workingPrice": "60000", "workingQuantity": "0.01", "workingTimeInForce": "GTC",
        "pendingSide": "SELL", "pendingQuantity": "0.01",
    }
    oto = await client.ws_create_oto_order(**working, pendingType="LIMIT", pendingPrice="70000", pendingTimeInForce="GTC")
    expect_fields(oto, contingencyType="OTO")
    otoco = await client.ws_create_otoco_order(
        **working, pendingAboveType="LIMIT_MAKER", pendingAbovePrice="70000", pendingBelowType="STOP_LOSS", pendingBelowStopPrice="55000",
    )
    expect_equal(len(otoco["orders"]), 3, "orders")
    order = await client.ws_order_limit_buy(symbol=BTC, quantity="0.01", price="60000")
    replaced = await client.ws_cancel_and_replace_order(
        symbol=BTC, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.02", price="60000", cancelReplaceMode="STOP_ON_FAILURE",
        cancelOrderId=order["orderId"],
    )
    expect_fields(replaced, cancelResult="SUCCESS", newOrderResult="SUCCESS")


@requests.check("refusals by ws_ methods carry the venue's code and words")
async def refusals(t):
    client = t.binance_async()
    with refused(BinanceAPIException, code=-2011, text="Unknown order sent."):
        await client.ws_cancel_order(symbol=BTC, orderId=999_999_999)
    with refused(BinanceAPIException, code=-2010, text="insufficient balance"):
        await client.ws_order_limit_buy(symbol=BTC, quantity="30", price="60000")
    with refused(BinanceAPIException, code=-1121, text="Invalid symbol."):
        await client.ws_get_order_book(symbol="NOPEUSDT")
