"""ccxt's orders that wait for a price or for each other: stops, trailing stops, order lists, replacing, amending, self-trades.

The market is held in each check, and the whale moves the last price to where the check wants it.
"""

from decimal import Decimal

from harness import Suite, eventually, expect, expect_equal, expect_fields, expect_names

suite = Suite("ccxt conditional")
BTC = "BTC/USDT"
TICK = Decimal("0.01")


def shifted(t, share):
    """The last price and that much more of it, on the tick."""
    last = Decimal(t.simx.public("ticker/price", symbol="BTCUSDT")["price"])
    return (last * (1 + Decimal(share))).quantize(TICK)


def asked(client, order_id):
    """The order as the venue tells it."""
    return client.private_get_order({"symbol": "BTCUSDT", "orderId": order_id})


def wait_for(client, order_id, status):
    """The order once it has this status."""

    def reached():
        order = asked(client, order_id)
        return order if order["status"] == status else None

    return eventually(reached, f"order {order_id} is {status}", within=5)


def list_of(client, order_list):
    """The order list as the venue tells it."""
    return client.private_get_orderlist({"orderListId": order_list["orderListId"]})


def report_of(order_list, kind):
    """The report of the leg whose type is `kind`."""
    found = [one for one in order_list["orderReports"] if one["type"] == kind]
    expect(len(found) == 1, f"{len(found)} reports of {kind} in {order_list}")
    return found[0]


# Type, side, where the trigger lies from the market, and the limit price from the trigger; None runs as market.
STOPS = (
    ("STOP_LOSS", "sell", "-0.01", None),
    ("STOP_LOSS", "buy", "0.01", None),
    ("STOP_LOSS_LIMIT", "sell", "-0.01", "-0.005"),
    ("STOP_LOSS_LIMIT", "buy", "0.01", "0.005"),
    ("TAKE_PROFIT", "sell", "0.01", None),
    ("TAKE_PROFIT", "buy", "-0.01", None),
    ("TAKE_PROFIT_LIMIT", "sell", "0.01", "-0.005"),
    ("TAKE_PROFIT_LIMIT", "buy", "-0.01", "0.005"),
)


def create_stop(client, kind, side, trigger, limit_share):
    """By ccxt's unified method: it turns stopLossPrice and takeProfitPrice into the venue's types."""
    name = "stopLossPrice" if kind.startswith("STOP_LOSS") else "takeProfitPrice"
    if limit_share is None:
        return client.create_order(BTC, "market", side, 0.1, None, {name: float(trigger)})
    price = (trigger * (1 + Decimal(limit_share))).quantize(TICK)
    return client.create_order(BTC, "limit", side, 0.1, float(price), {name: float(trigger)})


for _kind, _side, _away, _limit in STOPS:

    @suite.check(f"{_kind} {_side}: created, queried, listed, cancelled")
    def stop_rests(t, kind=_kind, side=_side, away=_away, limit=_limit):
        client = t.ccxt()
        with t.still():
            trigger = shifted(t, away)
            order = create_stop(client, kind, side, trigger, limit)
            expect_fields(order, status="open", side=side, filled=0.0, amount=0.1)
            found = asked(client, order["id"])
            expect_fields(found, type=kind, status="NEW", isWorking=False, executedQty="0.00000000")
            expect_equal(Decimal(found["stopPrice"]), trigger, "stopPrice")
            expect_equal(client.fetch_order(order["id"], BTC)["triggerPrice"], float(trigger), "triggerPrice")
            expect_equal([one["id"] for one in client.fetch_open_orders(BTC)], [order["id"]], "open orders")
            expect_fields(client.cancel_order(order["id"], BTC), status="canceled")
            expect_equal(client.fetch_open_orders(BTC), [], "open orders")

    @suite.check(f"{_kind} {_side}: triggered by a trade at its price, filled")
    def stop_fills(t, kind=_kind, side=_side, away=_away, limit=_limit):
        client = t.ccxt()
        with t.still():
            trigger = shifted(t, away)
            order = create_stop(client, kind, side, trigger, limit)
            t.simx.move("BTCUSDT", trigger, offer=side)
            found = wait_for(client, order["id"], "FILLED")
            expect_fields(found, type=kind, executedQty="0.10000000")
            mine = client.fetch_my_trades(BTC)
            expect_equal({(one["order"], one["side"]) for one in mine}, {(order["id"], side)}, "own trades")


@suite.check("STOP_LOSS_LIMIT: triggered, rests on the book as a limit order, then cancelled")
def stop_limit_rests(t):
    client = t.ccxt()
    with t.still():
        trigger, price = shifted(t, "-0.01"), shifted(t, "-0.005")
        order = client.create_order(BTC, "limit", "sell", 0.1, float(price), {"stopLossPrice": float(trigger)})
        t.simx.move("BTCUSDT", trigger, offer="sell")
        found = eventually(lambda: one_if(asked(client, order["id"]), isWorking=True), "the order is on the book", within=5)
        expect_fields(found, status="NEW", executedQty="0.00000000")
        expect(found["workingTime"] > 0, "no working time")
        expect_fields(client.cancel_order(order["id"], BTC), status="canceled")


def one_if(mapping, **wanted):
    return mapping if all(mapping.get(name) == value for name, value in wanted.items()) else None


for _side, _away in (("sell", "-0.015"), ("buy", "0.015")):

    @suite.check(f"trailing stop {_side}: 100 basis points behind the best price, then triggered and filled")
    def trailing(t, side=_side, away=_away):
        client = t.ccxt()
        with t.still():
            order = client.create_order(BTC, "market", side, 0.1, None, {"trailingPercent": 1, "stopLossOrTakeProfit": "stopLoss"})
            found = asked(client, order["id"])
            expect_fields(found, type="STOP_LOSS", status="NEW", isWorking=False)
            expect_equal(int(found["trailingDelta"]), 100, "trailingDelta")
            expect(int(found["trailingTime"]) > 0, "not trailing")
            half, whole = shifted(t, "-0.005" if side == "sell" else "0.005"), shifted(t, away)
            t.simx.move("BTCUSDT", half, offer=side)
            expect_fields(asked(client, order["id"]), status="NEW")
            t.simx.move("BTCUSDT", whole, offer=side)
            wait_for(client, order["id"], "FILLED")


@suite.check("trailing TAKE_PROFIT_LIMIT with an activation price: waits for it, then trails")
def trailing_take_profit(t):
    client = t.ccxt()
    with t.still():
        start, high = shifted(t, "0.01"), shifted(t, "0.02")
        price = shifted(t, "0.001")
        order = client.private_post_order({
            "symbol": "BTCUSDT", "side": "SELL", "type": "TAKE_PROFIT_LIMIT", "timeInForce": "GTC", "quantity": "0.1",
            "price": str(price), "stopPrice": str(start), "trailingDelta": "100",
        })
        expect(not int(asked(client, order["orderId"]).get("trailingTime") or 0) > 0, "trailing before it is active")
        t.simx.move("BTCUSDT", high, offer="sell")
        expect_fields(asked(client, order["orderId"]), status="NEW")
        back = (high * Decimal("0.985")).quantize(TICK)
        t.simx.move("BTCUSDT", back, offer="sell")
        wait_for(client, order["orderId"], "FILLED")


def new_oco(client, t, side="SELL"):
    """A take-profit above and a stop below, or the other way round."""
    sells = side == "SELL"
    legs = {"aboveType": "LIMIT_MAKER", "abovePrice": str(shifted(t, "0.02")), "belowType": "STOP_LOSS", "belowStopPrice": str(shifted(t, "-0.02"))}
    if not sells:
        legs = {
            "aboveType": "STOP_LOSS_LIMIT", "aboveStopPrice": str(shifted(t, "0.02")), "abovePrice": str(shifted(t, "0.021")),
            "aboveTimeInForce": "GTC", "belowType": "LIMIT_MAKER", "belowPrice": str(shifted(t, "-0.02")),
        }
    return client.private_post_orderlist_oco({"symbol": "BTCUSDT", "side": side, "quantity": "0.1", **legs})


for _side in ("SELL", "BUY"):

    @suite.check(f"OCO {_side} by orderList/oco: both legs open, funds locked once, found, and cancelled as one")
    def oco(t, side=_side):
        client = t.ccxt()
        with t.still():
            created = new_oco(client, t, side)
            expect_fields(created, contingencyType="OCO", listStatusType="EXEC_STARTED", listOrderStatus="EXECUTING", symbol="BTCUSDT")
            expect_names(created, "orderListId listClientOrderId transactionTime orders orderReports")
            expect_equal((len(created["orders"]), len(created["orderReports"])), (2, 2), "orders and reports")
            expect_equal(client.last_response_headers["X-Mbx-Order-Count-10s"], "2", "orders that it counts as")
            open_orders = client.fetch_open_orders(BTC)
            expect_equal({int(one["info"]["orderListId"]) for one in open_orders}, {int(created["orderListId"])}, "list of the open orders")
            expect_equal(len(open_orders), 2, "open orders")
            if side == "SELL":
                expect_equal(client.fetch_balance()["BTC"]["used"], 0.1, "locked BTC")
            listed = client.private_get_openorderlist()
            expect_equal([one["orderListId"] for one in listed], [created["orderListId"]], "open lists")
            gone = client.private_delete_orderlist({"symbol": "BTCUSDT", "orderListId": created["orderListId"]})
            expect_fields(gone, listStatusType="ALL_DONE", listOrderStatus="ALL_DONE")
            expect_equal(client.fetch_open_orders(BTC), [], "open orders")
            expect_equal(client.fetch_balance()["BTC"]["used"], 0.0, "locked BTC")
            expect_fields(list_of(client, created), listOrderStatus="ALL_DONE")
            expect_equal(len(client.private_get_allorderlist()), 1, "all lists")


@suite.check("OCO by the old order/oco")
def old_oco(t):
    client = t.ccxt()
    with t.still():
        created = client.private_post_order_oco({
            "symbol": "BTCUSDT", "side": "SELL", "quantity": "0.1", "price": str(shifted(t, "0.02")), "stopPrice": str(shifted(t, "-0.02")),
            "stopLimitPrice": str(shifted(t, "-0.021")), "stopLimitTimeInForce": "GTC", "listClientOrderId": "my-list",
        })
        expect_fields(created, contingencyType="OCO", listClientOrderId="my-list")
        expect_equal({one["type"] for one in created["orderReports"]}, {"LIMIT_MAKER", "STOP_LOSS_LIMIT"}, "types")


@suite.check("OCO: cancelling one leg cancels the list")
def oco_leg(t):
    client = t.ccxt()
    with t.still():
        created = new_oco(client, t)
        client.private_delete_order({"symbol": "BTCUSDT", "orderId": created["orders"][0]["orderId"]})
        expect_equal(client.fetch_open_orders(BTC), [], "open orders")
        for one in created["orders"]:
            expect_fields(asked(client, one["orderId"]), status="CANCELED")


@suite.check("OCO: the stop triggers and fills, the limit leg expires")
def oco_stop(t):
    client = t.ccxt()
    with t.still():
        created = new_oco(client, t)
        t.simx.move("BTCUSDT", shifted(t, "-0.021"), offer="sell")
        wait_for(client, report_of(created, "STOP_LOSS")["orderId"], "FILLED")
        expect_fields(asked(client, report_of(created, "LIMIT_MAKER")["orderId"]), status="EXPIRED")
        expect_fields(list_of(client, created), listOrderStatus="ALL_DONE")
        expect_equal(client.fetch_balance()["BTC"]["total"], 49.9, "BTC")


@suite.check("OCO: the limit leg fills, the stop expires")
def oco_limit(t):
    client = t.ccxt()
    with t.still():
        created = new_oco(client, t)
        t.simx.sweep("BTCUSDT", "BUY", shifted(t, "0.025"))
        wait_for(client, report_of(created, "LIMIT_MAKER")["orderId"], "FILLED")
        expect_fields(asked(client, report_of(created, "STOP_LOSS")["orderId"]), status="EXPIRED")


def new_oto(client, t, price):
    return client.private_post_orderlist_oto({
        "symbol": "BTCUSDT", "workingType": "LIMIT", "workingSide": "BUY", "workingPrice": str(price), "workingQuantity": "0.1",
        "workingTimeInForce": "GTC", "pendingType": "LIMIT", "pendingSide": "SELL", "pendingQuantity": "0.05",
        "pendingPrice": str(shifted(t, "0.03")), "pendingTimeInForce": "GTC",
    })


@suite.check("OTO: the second order waits as PENDING_NEW, comes when the first is filled")
def oto(t):
    client = t.ccxt()
    with t.still():
        price = shifted(t, "-0.01")
        created = new_oto(client, t, price)
        expect_fields(created, contingencyType="OTO", listOrderStatus="EXECUTING")
        working, pending = (asked(client, one["orderId"]) for one in created["orders"])
        expect_fields(working, status="NEW", side="BUY")
        expect_fields(pending, status="PENDING_NEW", side="SELL")
        t.simx.sweep("BTCUSDT", "SELL", price)
        wait_for(client, working["orderId"], "FILLED")
        expect_fields(wait_for(client, pending["orderId"], "NEW"), isWorking=True)


@suite.check("OTO: cancelling the first takes the second with it")
def oto_cancelled(t):
    client = t.ccxt()
    with t.still():
        created = new_oto(client, t, shifted(t, "-0.01"))
        working, pending = (one["orderId"] for one in created["orders"])
        client.cancel_order(working, BTC)
        for order_id in (working, pending):
            expect_fields(asked(client, order_id), status="CANCELED")


@suite.check("OTOCO: not while the entry is partly filled; then both exits come, and one ends the other")
def otoco(t):
    client = t.ccxt()
    with t.still():
        _, ask = t.simx.touch("BTCUSDT")
        down = shifted(t, "-0.025")
        created = client.private_post_orderlist_otoco({
            "symbol": "BTCUSDT", "workingType": "LIMIT", "workingSide": "BUY", "workingPrice": str(ask), "workingQuantity": "10",
            "workingTimeInForce": "GTC", "pendingSide": "SELL", "pendingQuantity": "0.1", "pendingAboveType": "LIMIT_MAKER",
            "pendingAbovePrice": str(shifted(t, "0.03")), "pendingBelowType": "STOP_LOSS", "pendingBelowStopPrice": str(shifted(t, "-0.02")),
        })
        working = created["orders"][0]["orderId"]
        exits = [one["orderId"] for one in created["orders"][1:]]
        expect_equal(len(exits), 2, "exits")
        expect_fields(asked(client, working), status="PARTIALLY_FILLED")
        expect_equal({asked(client, one)["status"] for one in exits}, {"PENDING_NEW"}, "status of the exits")
        t.simx.sweep("BTCUSDT", "SELL", ask)
        wait_for(client, working, "FILLED")
        expect_equal({asked(client, one)["status"] for one in exits}, {"NEW"}, "status of the exits")
        t.simx.move("BTCUSDT", down, offer="sell")
        statuses = lambda: sorted(asked(client, one)["status"] for one in exits)
        eventually(lambda: statuses() == ["EXPIRED", "FILLED"], "one exit fills and the other expires", within=5)


@suite.check("edit_order: cancelReplace, the old one gone and the new one there")
def replaced(t):
    client = t.ccxt()
    old = client.create_order(BTC, "limit", "buy", 0.01, float(shifted(t, "-0.03")))
    price = float(shifted(t, "-0.04"))
    new = client.edit_order(old["id"], BTC, "limit", "buy", 0.02, price)
    expect_fields(new, amount=0.02, price=price, status="open")
    expect_equal([one["id"] for one in client.fetch_open_orders(BTC)], [new["id"]], "open orders")
    expect_fields(client.fetch_order(old["id"], BTC), status="canceled")


@suite.check("cancelReplace: STOP_ON_FAILURE and ALLOW_FAILURE, half and whole failures")
def replace_failures(t):
    client = t.ccxt()
    new = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01", "price": str(shifted(t, "-0.04"))}
    nobody = {**new, "cancelOrderId": "999999999"}
    failure = fault_of(lambda: client.private_post_order_cancelreplace({**nobody, "cancelReplaceMode": "STOP_ON_FAILURE"}))
    expect("-2022" in failure and "NOT_ATTEMPTED" in failure, failure)
    failure = fault_of(lambda: client.private_post_order_cancelreplace({**nobody, "cancelReplaceMode": "ALLOW_FAILURE"}))
    expect("-2021" in failure and "-2011" in failure, failure)
    expect_equal(len(client.fetch_open_orders(BTC)), 1, "open orders")
    both = {**nobody, "quantity": "0.000001", "cancelReplaceMode": "ALLOW_FAILURE"}
    failure = fault_of(lambda: client.private_post_order_cancelreplace(both))
    expect("LOT_SIZE" in failure, failure)


def fault_of(call):
    """The words of the error that `call` ends in."""
    try:
        call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "accepted"


@suite.check("amend keepPriority: the quantity shrinks, the order and its place stay; it cannot grow")
def amended(t):
    client = t.ccxt()
    with t.still():
        bid, _ = t.simx.touch("BTCUSDT")
        order = client.create_order(BTC, "limit", "buy", 0.1, float(bid), {"postOnly": True})
        behind = t.ccxt().create_order(BTC, "limit", "buy", 0.1, float(bid), {"postOnly": True})
        amend = lambda quantity: client.request(
            "order/amend/keepPriority", ["private"], "PUT", {"symbol": "BTCUSDT", "orderId": order["id"], "newQty": quantity},
        )
        answer = amend("0.06")
        expect_names(answer, "transactTime executionId amendedOrder")
        expect_fields(answer["amendedOrder"], status="NEW", qty="0.06000000")
        expect_equal(client.fetch_order(order["id"], BTC)["amount"], 0.06, "amount")
        expect("-2038" in fault_of(lambda: amend("0.2")), "an order may grow")
        amendments = client.request("order/amendments", ["private"], "GET", {"symbol": "BTCUSDT", "orderId": order["id"]})
        expect_fields(amendments[0], origQty="0.10000000", newQty="0.06000000")
        expect(int(behind["id"]) > int(order["id"]), "ids do not grow")


# Mode, what becomes of the resting order, and of the one that arrives.
PREVENTIONS = (("EXPIRE_MAKER", "expired", None), ("EXPIRE_TAKER", "open", "expired"), ("EXPIRE_BOTH", "expired", "expired"))

for _mode, _maker, _taker in PREVENTIONS:

    @suite.check(f"self-trade prevention {_mode}: the account does not trade with itself, and the prevented match is told")
    def prevention(t, mode=_mode, maker=_maker, taker=_taker):
        client = t.ccxt()
        with t.still():
            bid, _ = t.simx.touch("BTCUSDT")
            resting = client.create_order(BTC, "limit", "buy", 0.1, float(bid), {"postOnly": True})
            arriving = client.create_order(BTC, "limit", "sell", 40, float(bid), {"selfTradePreventionMode": mode})
            expect_fields(client.fetch_order(resting["id"], BTC), status=maker, filled=0.0)
            found = client.private_get_order({"symbol": "BTCUSDT", "orderId": arriving["id"]})
            expect_fields(found, selfTradePreventionMode=mode)
            expect(Decimal(found["executedQty"]) > 0, "nothing ahead in the queue traded")
            if taker:
                expect_fields(found, status="EXPIRED_IN_MATCH")
            told = client.private_get_mypreventedmatches({"symbol": "BTCUSDT", "orderId": arriving["id"]})
            expect_equal(len(told), 1, "prevented matches")
            expect_fields(told[0], selfTradePreventionMode=mode)
            own = {one["order"] for one in client.fetch_my_trades(BTC)}
            expect_equal(own, {arriving["id"]}, "orders that traded")


@suite.check("strategyId and strategyType are kept")
def strategy(t):
    client = t.ccxt()
    order = client.create_order(BTC, "limit", "buy", 0.01, float(shifted(t, "-0.03")), {"strategyId": 7, "strategyType": 1000001})
    # ccxt takes the strategy's id for the order's own.
    found = client.private_get_order({"symbol": "BTCUSDT", "orderId": order["info"]["orderId"]})
    expect_equal((int(found["strategyId"]), int(found["strategyType"])), (7, 1000001), "strategy")
