"""The user data stream as python-binance delivers it: every event with its fields, and a view folded from them that equals the account."""

import asyncio
from decimal import Decimal

from harness import Suite, expect, expect_equal, expect_fields, expect_names, eventually_async

suite = Suite("user data events")
BTC = "BTCUSDT"
REPORT = "e E s c S o f q p P F g C x X r i l z L n N T t I w m M O Z Y Q V"


class Events:
    """What arrives on the account's stream, kept from the first event on, and balances folded from it."""

    def __init__(self, t, client):
        self._manager, self._client = t.sockets(client), client
        self.seen, self.balances = [], {}

    async def __aenter__(self):
        self._socket = await self._manager.user_socket().__aenter__()
        self._task = asyncio.create_task(self._collect())
        return self

    async def __aexit__(self, *_):
        self._task.cancel()
        await self._socket.__aexit__(None, None, None)

    async def _collect(self):
        while True:
            event = await self._socket.recv()
            self.seen.append(event)
            if event["e"] == "outboundAccountPosition":
                for one in event["B"]:
                    self.balances[one["a"]] = (Decimal(one["f"]), Decimal(one["l"]))

    async def of(self, kind, within=10, **fields):
        """The first event of this kind with these fields."""

        async def found():
            if self._task.done():
                self._task.result()
            wanted = (one for one in self.seen if one["e"] == kind and all(one.get(name) == value for name, value in fields.items()))
            return next(wanted, None)

        return await eventually_async(found, f"{kind} with {fields}", within)

    def reports(self, order_id):
        """Execution types of one order, in their order."""
        return [one["x"] for one in self.seen if one["e"] == "executionReport" and one["i"] == order_id]


@suite.check("executionReport NEW and CANCELED, with all fields; outboundAccountPosition after each")
async def new_and_cancelled(t):
    client = t.binance_async()
    async with Events(t, client) as events:
        order = await client.order_limit_buy(symbol=BTC, quantity="0.1", price="60000", newClientOrderId="mine")
        new = await events.of("executionReport", x="NEW", i=order["orderId"])
        expect_names(new, f"{REPORT} W")
        expect_fields(new, s=BTC, c="mine", S="BUY", o="LIMIT", f="GTC", X="NEW", r="NONE", g=-1, t=-1, w=True, C="", N=None)
        expect_equal((Decimal(new["q"]), Decimal(new["p"]), Decimal(new["z"])), (Decimal("0.1"), 60000, 0), "quantity, price, filled")
        position = await events.of("outboundAccountPosition")
        expect_names(position, "e E u B")
        await balance_is(events, "USDT", "994000", "6000")
        await client.cancel_order(symbol=BTC, orderId=order["orderId"], newClientOrderId="gone")
        gone = await events.of("executionReport", x="CANCELED", i=order["orderId"])
        expect_fields(gone, X="CANCELED", c="gone", C="mine", w=False)
        await balance_is(events, "USDT", "1000000", "0")


async def balance_is(events, asset, free, locked):
    """Waits until events say so."""

    async def reached():
        return events.balances.get(asset) == (Decimal(free), Decimal(locked))

    await eventually_async(reached, f"{asset} is {free} and {locked} locked", within=10)


@suite.check("executionReport NEW then TRADE for each fill, which say what the order's answer says")
async def trade(t):
    client = t.binance_async()
    async with Events(t, client) as events:
        with t.still():
            order = await client.order_market_buy(symbol=BTC, quantity="0.3")
        last = await events.of("executionReport", x="TRADE", i=order["orderId"], X="FILLED")
        fills = [one for one in events.seen if one["e"] == "executionReport" and one["x"] == "TRADE"]
        told = [(one["L"], one["l"], one["n"], one["N"], one["t"]) for one in fills]
        wanted = [(fill["price"], fill["qty"], fill["commission"], fill["commissionAsset"], fill["tradeId"]) for fill in order["fills"]]
        expect_equal(told, wanted, "fills")
        expect_equal(events.reports(order["orderId"]), ["NEW"] + ["TRADE"] * len(fills), "execution types")
        expect_fields(last, z=order["executedQty"], Z=order["cummulativeQuoteQty"], m=False, w=False)
        expect_equal({one["X"] for one in fills[:-1]} - {"PARTIALLY_FILLED"}, set(), "status of the fills before the last")


@suite.check("executionReport TRADE as maker, of an order that another fills")
async def maker(t):
    client = t.binance_async()
    with t.still():
        async with Events(t, client) as events:
            bid, _ = await asyncio.to_thread(t.simx.touch, BTC)
            order = await client.create_order(symbol=BTC, side="BUY", type="LIMIT_MAKER", quantity="0.1", price=str(bid))
            await asyncio.to_thread(t.simx.sweep, BTC, "SELL", bid)
            filled = await events.of("executionReport", x="TRADE", i=order["orderId"], X="FILLED")
            expect_fields(filled, m=True, N="BTC")


@suite.check("executionReport EXPIRED of an order that cannot fill at once")
async def expired(t):
    client = t.binance_async()
    async with Events(t, client) as events:
        order = await client.order_limit_buy(symbol=BTC, quantity="0.1", price="60000", timeInForce="IOC")
        expect_fields(await events.of("executionReport", x="EXPIRED", i=order["orderId"]), X="EXPIRED", f="IOC")
        expect_equal(events.reports(order["orderId"]), ["NEW", "EXPIRED"], "execution types")


@suite.check("executionReport of a triggered stop: NEW, then NEW again or TRADE; its stop price and working time")
async def stop(t):
    client = t.binance_async()
    with t.still():
        async with Events(t, client) as events:
            bid, _ = await asyncio.to_thread(t.simx.touch, BTC)
            trigger = (bid * Decimal("0.99")).quantize(Decimal("0.01"))
            order = await client.create_order(symbol=BTC, side="SELL", type="STOP_LOSS", quantity="0.1", stopPrice=str(trigger))
            new = await events.of("executionReport", x="NEW", i=order["orderId"])
            expect_fields(new, w=False, o="STOP_LOSS")
            expect_equal(Decimal(new["P"]), trigger, "stop price")
            expect("W" not in new, "a working time before it works")
            await asyncio.to_thread(lambda: t.simx.move(BTC, trigger, offer="sell"))
            expect_names(await events.of("executionReport", x="TRADE", i=order["orderId"], X="FILLED"), "W")


@suite.check("executionReport REPLACED of an amended order; CANCELED and NEW of a replaced one")
async def replaced(t):
    client = t.binance_async()
    async with Events(t, client) as events:
        order = await client.order_limit_buy(symbol=BTC, quantity="0.1", price="60000")
        await asyncio.to_thread(
            lambda: t.simx.signed(
                "PUT", "order/amend/keepPriority", key=client.holder.key, secret=client.holder.secret, symbol=BTC, orderId=order["orderId"], newQty="0.05",
            )
        )
        expect_equal(Decimal((await events.of("executionReport", x="REPLACED", i=order["orderId"]))["q"]), Decimal("0.05"), "quantity")
        answer = await client.cancel_replace_order(
            symbol=BTC, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.02", price="60000", cancelReplaceMode="STOP_ON_FAILURE",
            cancelOrderId=order["orderId"],
        )
        await events.of("executionReport", x="CANCELED", i=order["orderId"])
        await events.of("executionReport", x="NEW", i=answer["newOrderResponse"]["orderId"])


@suite.check("listStatus of an OCO: EXEC_STARTED, then ALL_DONE when it is cancelled; both legs CANCELED")
async def list_status(t):
    client = t.binance_async()
    async with Events(t, client) as events:
        created = await client.create_oco_order(
            symbol=BTC, side="SELL", quantity="0.01", aboveType="LIMIT_MAKER", abovePrice="70000", belowType="STOP_LOSS", belowStopPrice="60000",
        )
        started = await events.of("listStatus", l="EXEC_STARTED", g=created["orderListId"])
        expect_names(started, "e E s g c l L r C T O")
        expect_fields(started, s=BTC, c="OCO", L="EXECUTING", r="NONE")
        expect_equal(sorted(one["i"] for one in started["O"]), sorted(one["orderId"] for one in created["orders"]), "orders")
        expect_names(started["O"][0], "s i c")
        await client.v3_delete_order_list(symbol=BTC, orderListId=created["orderListId"])
        expect_fields(await events.of("listStatus", l="ALL_DONE", g=created["orderListId"]), L="ALL_DONE")
        for one in created["orders"]:
            expect_equal(events.reports(one["orderId"]), ["NEW", "CANCELED"], "execution types")


@suite.check("executionReport TRADE_PREVENTION of an order that would trade with its own account's")
async def prevention(t):
    client = t.binance_async()
    with t.still():
        async with Events(t, client) as events:
            bid, _ = await asyncio.to_thread(t.simx.touch, BTC)
            await client.order_limit_buy(symbol=BTC, quantity="0.1", price=str(bid))
            taker = await client.order_limit_sell(symbol=BTC, quantity="40", price=str(bid), selfTradePreventionMode="EXPIRE_TAKER")
            told = await events.of("executionReport", x="TRADE_PREVENTION", i=taker["orderId"])
            expect_fields(told, X="EXPIRED_IN_MATCH", V="EXPIRE_TAKER")
            expect_names(told, "v")


@suite.check("balanceUpdate of a deposit and of a withdrawal by the operator, each with the position after it")
async def balance_update(t):
    client = t.binance_async()
    async with Events(t, client) as events:
        await asyncio.to_thread(t.control.deposit, client.holder.key, "USDT", "250.5")
        told = await events.of("balanceUpdate", a="USDT")
        expect_names(told, "e E a d T")
        expect_equal(Decimal(told["d"]), Decimal("250.5"), "change")
        await balance_is(events, "USDT", "1000250.5", "0")
        await asyncio.to_thread(t.control.deposit, client.holder.key, "USDT", "-0.5")
        await balance_is(events, "USDT", "1000250", "0")
        expect_equal([Decimal(one["d"]) for one in events.seen if one["e"] == "balanceUpdate"][-1], Decimal("-0.5"), "change")


@suite.check("thirty orders: reports and positions folded equal orders, trades and balances of the account")
async def folded(t):
    client = t.binance_async()
    async with Events(t, client) as events:
        for number in range(10):
            await client.order_market_buy(symbol=BTC, quantity="0.02")
            resting = await client.order_limit_buy(symbol=BTC, quantity="0.01", price="60000")
            if number % 3:
                await client.cancel_order(symbol=BTC, orderId=resting["orderId"])
            last = await client.order_market_sell(symbol=BTC, quoteOrderQty="300")
        await events.of("executionReport", i=last["orderId"], X="FILLED")
        account = await client.get_account(omitZeroBalances="true")
        told = {one["asset"]: (Decimal(one["free"]), Decimal(one["locked"])) for one in account["balances"] if one["asset"] in ("BTC", "USDT")}

        async def equal():
            return all(events.balances.get(asset) == held for asset, held in told.items())

        await eventually_async(equal, f"the balances by events are {told}", within=10)
        reports = [one for one in events.seen if one["e"] == "executionReport"]
        kept = {one["i"]: (one["X"], one["z"], one["Z"]) for one in reports}
        orders = await client.get_all_orders(symbol=BTC)
        expect_equal(kept, {one["orderId"]: (one["status"], one["executedQty"], one["cummulativeQuoteQty"]) for one in orders}, "orders")
        kept = sorted((one["i"], one["t"], one["l"], one["n"]) for one in reports if one["x"] == "TRADE")
        trades = await client.get_my_trades(symbol=BTC)
        expect_equal(kept, sorted((one["orderId"], one["id"], one["qty"], one["commission"]) for one in trades), "own trades")


@suite.check("two subscribers to one account see the same events; after unsubscribing nothing more comes")
async def two(t):
    account = t.account()
    first, second = t.binance_async(account), t.binance_async(account)
    async with Events(t, first) as one, Events(t, second) as other:
        order = await first.order_market_buy(symbol=BTC, quantity="0.01")
        for events in (one, other):
            await events.of("executionReport", i=order["orderId"], X="FILLED")
    count = len(other.seen)
    async with Events(t, first) as one:
        order = await first.order_market_buy(symbol=BTC, quantity="0.01")
        await one.of("executionReport", i=order["orderId"], X="FILLED")
    expect_equal(len(other.seen), count, "events after unsubscribing")
