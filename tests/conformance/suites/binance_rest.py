"""python-binance over REST: the blocking client and the asynchronous one go through the same market data and orders."""

import inspect
from decimal import Decimal

from binance.exceptions import BinanceAPIException
from harness import Suite, decimals, eventually_async, expect, expect_equal, expect_fields, expect_names, refused

blocking = Suite("python-binance")
asynchronous = Suite("python-binance async", at_once=4)
BTC = "BTCUSDT"


def both(words):
    """Adds a coroutine function as a check of both clients. It awaits every call: the blocking client's answers are wrapped."""

    def add(function):
        @blocking.check(words)
        async def with_blocking(t):
            await function(t, Awaited(t.binance()))

        @asynchronous.check(words)
        async def with_async(t):
            await function(t, t.binance_async())

        return function

    return add


class Awaited:
    """A blocking client whose answers can be awaited, so that one text serves for both."""

    def __init__(self, client):
        self._client = client

    def __getattr__(self, name):
        found = getattr(self._client, name)
        if not inspect.ismethod(found):
            return found

        async def call(*arguments, **named):
            return found(*arguments, **named)

        return call


async def far(client, side, share="0.04"):
    """A price at which an order of `side` rests, as text."""
    ticker = await client.get_orderbook_ticker(symbol=BTC)
    shift = -Decimal(share) if side == "BUY" else Decimal(share)
    return str((Decimal(ticker["bidPrice"]) * (1 + shift)).quantize(Decimal("0.01")))


@both("ping, time, exchange info, symbol info")
async def general(t, client):
    expect_equal(await client.ping(), {}, "ping")
    expect_names(await client.get_server_time(), "serverTime")
    info = await client.get_exchange_info()
    expect_names(info, "timezone serverTime rateLimits exchangeFilters symbols")
    expect_equal(len(info["symbols"]), 25, "symbols")
    symbol = await client.get_symbol_info(BTC)
    expect_names(
        symbol,
        "symbol status baseAsset baseAssetPrecision quoteAsset quotePrecision quoteAssetPrecision baseCommissionPrecision quoteCommissionPrecision "
        "orderTypes icebergAllowed ocoAllowed otoAllowed quoteOrderQtyMarketAllowed allowTrailingStop cancelReplaceAllowed amendAllowed "
        "isSpotTradingAllowed isMarginTradingAllowed filters permissions permissionSets defaultSelfTradePreventionMode allowedSelfTradePreventionModes",
    )


@both("exchangeInfo tells the truth about order types, lists, replacing, amending and self-trades")
async def abilities(t, client):
    symbol = await client.get_symbol_info(BTC)
    expect_equal(
        set(symbol["orderTypes"]),
        {"LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"}, "order types",
    )
    expect_fields(symbol, ocoAllowed=True, otoAllowed=True, allowTrailingStop=True, cancelReplaceAllowed=True, amendAllowed=True, icebergAllowed=False)
    expect({"EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"} <= set(symbol["allowedSelfTradePreventionModes"]), "self-trade prevention modes")
    filters = {rule["filterType"] for rule in symbol["filters"]}
    wanted = {
        "PRICE_FILTER", "LOT_SIZE", "MARKET_LOT_SIZE", "NOTIONAL", "PERCENT_PRICE_BY_SIDE", "MAX_NUM_ORDERS", "MAX_NUM_ALGO_ORDERS",
        "MAX_NUM_ORDER_LISTS", "TRAILING_DELTA",
    }
    expect(wanted <= filters, f"filters {sorted(wanted - filters)} are missing")


@both("order book, trades, aggregate trades, candles, average price")
async def market(t, client):
    t.wait_for_trades(BTC, 5)

    async def five():
        book = await client.get_order_book(symbol=BTC, limit=5)
        return (len(book["bids"]), len(book["asks"])) == (5, 5)

    # Right after a jump the generated market may have fewer.
    await eventually_async(five, "a book of five levels")
    for call in (client.get_recent_trades, client.get_historical_trades):
        expect_names((await call(symbol=BTC, limit=5))[-1], "id price qty quoteQty time isBuyerMaker isBestMatch")
    expect_names((await client.get_aggregate_trades(symbol=BTC, limit=5))[-1], "a p q f l T m M")
    candles = await client.get_klines(symbol=BTC, interval="1m", limit=7)
    expect_equal((len(candles), {len(candle) for candle in candles}), (7, {12}), "candles and their fields")
    older = await client.get_historical_klines(BTC, "1m", candles[0][0], candles[3][0])
    expect_equal(older, candles[:4], "candles of a span")
    expect_names(await client.get_avg_price(symbol=BTC), "mins price closeTime")


@both("tickers of a day, of one symbol and of all; prices; best bid and ask")
async def tickers(t, client):
    names = (
        "symbol priceChange priceChangePercent weightedAvgPrice prevClosePrice lastPrice lastQty bidPrice bidQty askPrice askQty openPrice highPrice "
        "lowPrice volume quoteVolume openTime closeTime firstId lastId count"
    )
    expect_names(await client.get_ticker(symbol=BTC), names)
    expect_equal(len(await client.get_ticker()), 25, "tickers")
    expect_names(await client.get_symbol_ticker(symbol=BTC), "symbol price")
    expect_equal(len(await client.get_all_tickers()), 25, "prices")
    expect_names(await client.get_orderbook_ticker(symbol=BTC), "symbol bidPrice bidQty askPrice askQty")
    expect_equal(len(await client.get_orderbook_tickers()), 25, "best bids and asks")
    mini = await client.get_ticker(symbol=BTC, type="MINI")
    expect_equal(sorted(mini), sorted("symbol openPrice highPrice lowPrice lastPrice volume quoteVolume openTime closeTime firstId lastId count".split()), "fields of MINI")
    expect_names(await client.get_symbol_ticker_window(symbol=BTC, windowSize="2h"), "openPrice lastPrice openTime closeTime")


@both("account, asset balance, commission, status of the orders")
async def account(t, client):
    found = await client.get_account()
    expect_fields(found, canTrade=True, accountType="SPOT")
    expect_fields(await client.get_asset_balance(asset="USDT"), asset="USDT", free="1000000.00000000", locked="0.00000000")
    expect_names(await client.v3_get_account_commission(symbol=BTC), "symbol standardCommission taxCommission discount")
    expect_equal(len(await client.get_current_order_count()), 2, "order limits")
    expect_fields(await client.get_account_api_permissions(), enableReading=True, enableSpotAndMarginTrading=True, enableWithdrawals=False)


@both("LIMIT GTC: created, queried, listed, cancelled")
async def limit(t, client):
    price = await far(client, "BUY")
    order = await client.order_limit_buy(symbol=BTC, quantity="0.01", price=price)
    expect_fields(order, status="NEW", type="LIMIT", side="BUY", timeInForce="GTC", executedQty="0.00000000", fills=[])
    expect_equal(Decimal(order["price"]), Decimal(price), "price")
    expect_fields(await client.get_order(symbol=BTC, orderId=order["orderId"]), status="NEW", isWorking=True)
    by_name = await client.get_order(symbol=BTC, origClientOrderId=order["clientOrderId"])
    expect_equal(by_name["orderId"], order["orderId"], "id")
    expect_equal([one["orderId"] for one in await client.get_open_orders(symbol=BTC)], [order["orderId"]], "open orders")
    expect_fields(await client.cancel_order(symbol=BTC, orderId=order["orderId"]), status="CANCELED", origClientOrderId=order["clientOrderId"])
    expect_equal(await client.get_open_orders(), [], "open orders")
    expect_equal([one["status"] for one in await client.get_all_orders(symbol=BTC)], ["CANCELED"], "all orders")


@both("LIMIT_MAKER, LIMIT IOC and LIMIT FOK")
async def limits(t, client):
    price = await far(client, "SELL")
    ack = await client.create_order(symbol=BTC, side="SELL", type="LIMIT_MAKER", quantity="0.01", price=price)
    expect_equal(sorted(ack), ["clientOrderId", "orderId", "orderListId", "symbol", "transactTime"], "fields of the answer")
    for time_in_force in ("IOC", "FOK"):
        order = await client.order_limit_sell(symbol=BTC, quantity="0.01", price=price, timeInForce=time_in_force)
        expect_fields(order, status="EXPIRED", executedQty="0.00000000", timeInForce=time_in_force)


@both("MARKET by quantity and by quote quantity: filled, with fees and own trades")
async def market_orders(t, client):
    by_quantity = await client.order_market_buy(symbol=BTC, quantity="0.02")
    by_quote = await client.order_market_sell(symbol=BTC, quoteOrderQty="500")
    for order in (by_quantity, by_quote):
        expect_fields(order, status="FILLED", type="MARKET")
        executed, quote = decimals(order, "executedQty", "cummulativeQuoteQty")
        expect_equal(sum(Decimal(fill["qty"]) for fill in order["fills"]), executed, "sum of the fills")
        mine = await client.get_my_trades(symbol=BTC, orderId=order["orderId"])
        expect_equal(sum(Decimal(one["quoteQty"]) for one in mine), quote, "worth of the trades")
        expect(all(Decimal(one["commission"]) > 0 and not one["isMaker"] for one in mine), "fees and liquidity")
    expect_equal(Decimal(by_quantity["executedQty"]), Decimal("0.02"), "quantity")


@both("STOP_LOSS, STOP_LOSS_LIMIT, TAKE_PROFIT, TAKE_PROFIT_LIMIT, trailing: created, queried, cancelled")
async def stops(t, client):
    below, above = await far(client, "BUY"), await far(client, "SELL")
    limit = {"price": below, "timeInForce": "GTC"}
    for more in (
        {"type": "STOP_LOSS", "stopPrice": below}, {"type": "STOP_LOSS_LIMIT", "stopPrice": below, **limit},
        {"type": "TAKE_PROFIT", "stopPrice": above}, {"type": "TAKE_PROFIT_LIMIT", "stopPrice": above, **limit},
        {"type": "STOP_LOSS", "trailingDelta": 200}, {"type": "TAKE_PROFIT_LIMIT", "trailingDelta": 200, **limit},
    ):
        order = await client.create_order(symbol=BTC, side="SELL", quantity="0.01", **more)
        found = await client.get_order(symbol=BTC, orderId=order["orderId"])
        expect_fields(found, type=more["type"], status="NEW", isWorking=False)
        if "stopPrice" in more:
            expect_equal(Decimal(found["stopPrice"]), Decimal(more["stopPrice"]), "stopPrice")
        expect_fields(await client.cancel_order(symbol=BTC, orderId=order["orderId"]), status="CANCELED")


@both("create_oco_order, open and all lists, cancelled as one")
async def oco(t, client):
    created = await client.create_oco_order(
        symbol=BTC, side="SELL", quantity="0.01", aboveType="LIMIT_MAKER", abovePrice=await far(client, "SELL"), belowType="STOP_LOSS_LIMIT",
        belowStopPrice=await far(client, "BUY"), belowPrice=await far(client, "BUY", "0.05"), belowTimeInForce="GTC",
    )
    expect_fields(created, contingencyType="OCO", listStatusType="EXEC_STARTED", listOrderStatus="EXECUTING")
    expect_equal({report["type"] for report in created["orderReports"]}, {"LIMIT_MAKER", "STOP_LOSS_LIMIT"}, "types")
    expect_equal([one["orderListId"] for one in await client.get_open_oco_orders()], [created["orderListId"]], "open lists")
    found = await client.v3_get_order_list(orderListId=created["orderListId"])
    expect_fields(found, listOrderStatus="EXECUTING")
    await client.v3_delete_order_list(symbol=BTC, orderListId=created["orderListId"])
    expect_equal(await client.get_open_orders(symbol=BTC), [], "open orders")
    expect_fields((await client.v3_get_all_order_list())[0], listOrderStatus="ALL_DONE")


@both("OTO and OTOCO lists")
async def linked(t, client):
    working = {
        "symbol": BTC, "workingType": "LIMIT", "workingSide": "BUY", "workingPrice": await far(client, "BUY"), "workingQuantity": "0.01",
        "workingTimeInForce": "GTC", "pendingSide": "SELL", "pendingQuantity": "0.01",
    }
    oto = await client.v3_post_order_list_oto(**working, pendingType="LIMIT", pendingPrice=await far(client, "SELL"), pendingTimeInForce="GTC")
    expect_fields(oto, contingencyType="OTO")
    expect_equal([report["status"] for report in oto["orderReports"]], ["NEW", "PENDING_NEW"], "status")
    otoco = await client.v3_post_order_list_otoco(
        **working, pendingAboveType="LIMIT_MAKER", pendingAbovePrice=await far(client, "SELL"), pendingBelowType="STOP_LOSS",
        pendingBelowStopPrice=await far(client, "BUY", "0.08"),
    )
    expect_equal([report["status"] for report in otoco["orderReports"]], ["NEW", "PENDING_NEW", "PENDING_NEW"], "status")
    await client.cancel_all_open_orders(symbol=BTC)
    expect_equal(await client.get_open_orders(symbol=BTC), [], "open orders")


@both("cancel_replace_order, and create_test_order with its commissions")
async def replaced(t, client):
    order = await client.order_limit_buy(symbol=BTC, quantity="0.01", price=await far(client, "BUY"))
    answer = await client.cancel_replace_order(
        symbol=BTC, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.02", price=await far(client, "BUY"),
        cancelReplaceMode="STOP_ON_FAILURE", cancelOrderId=order["orderId"],
    )
    expect_fields(answer, cancelResult="SUCCESS", newOrderResult="SUCCESS")
    expect_fields(answer["cancelResponse"], orderId=order["orderId"], status="CANCELED")
    expect_fields(answer["newOrderResponse"], status="NEW", origQty="0.02000000")


@both("create_test_order does nothing")
async def tested(t, client):
    expect_equal(await client.create_test_order(symbol=BTC, side="BUY", type="MARKET", quantity="0.01"), {}, "answer")
    expect_equal(await client.get_all_orders(symbol=BTC), [], "all orders")


@both("BinanceAPIException with the venue's code: symbol, funds, filters, unknown, duplicate, key, signature, clock, parameters")
async def errors(t, client):
    far_below = await far(client, "BUY")

    async def is_refused(code, call, text=None, **named):
        with refused(BinanceAPIException, code=code, text=text):
            await call(**named)

    limit = {"symbol": BTC, "quantity": "0.01", "price": far_below}
    await is_refused(-1121, client.get_order_book, symbol="NOPEUSDT")
    await is_refused(-2010, client.order_limit_buy, "insufficient balance", **{**limit, "quantity": "20"})
    await is_refused(-1013, client.order_limit_buy, "PRICE_FILTER", **{**limit, "price": f"{far_below}1"})
    await is_refused(-1013, client.order_limit_buy, "LOT_SIZE", **{**limit, "quantity": "0.010001"})
    await is_refused(-1013, client.order_limit_buy, "NOTIONAL", **{**limit, "quantity": "0.00001"})
    await is_refused(-1111, client.order_limit_buy, "precision", **{**limit, "quantity": "0.010000001"})
    await is_refused(-1102, client.create_order, "'price'", symbol=BTC, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.01")
    await is_refused(-2011, client.cancel_order, "Unknown order sent.", symbol=BTC, orderId=999_999_999)
    await is_refused(-2013, client.get_order, "Order does not exist.", symbol=BTC, orderId=999_999_999)
    await client.order_limit_buy(**limit, newClientOrderId="twice")
    await is_refused(-2010, client.order_limit_buy, "Duplicate order sent.", **limit, newClientOrderId="twice")


@blocking.check("BinanceAPIException for a wrong secret (-1022), an unknown key (-2015, status 401), a wrong clock (-1021)")
def keys(t):
    client = t.binance()
    client.API_SECRET = "wrong"
    with refused(BinanceAPIException, code=-1022):
        client.get_account()
    account = t.account()
    account.key = "nobody"
    try:
        t.binance(account).get_account()
        expect(False, "an unknown key is accepted")
    except BinanceAPIException as error:
        expect_equal((error.status_code, error.code), (401, -2015), "status and code")
    client = t.binance()
    client.timestamp_offset = -60_000
    with refused(BinanceAPIException, code=-1021):
        client.get_account()


@blocking.check("times in microseconds when the client asks for them")
def microseconds(t):
    client = t.binance(time_unit="MICROSECOND")
    expect(client.get_server_time()["serverTime"] > 10**15, "milliseconds")
    order = client.order_limit_buy(symbol=BTC, quantity="0.01", price="60000")
    expect(order["transactTime"] > 10**15, "milliseconds")
