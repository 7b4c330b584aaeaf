"""Request limits, each on an exchange of its own, since they are counted by address: 429 with Retry-After, 418, too many orders."""

import ccxt
from binance.exceptions import BinanceAPIException
from harness import Failure, Suite, expect, expect_equal, refused

by_ccxt = Suite("limits ccxt")
by_binance = Suite("limits python-binance")
of_orders = Suite("limits orders")


def until_refused(call, most):
    """Repeats `call` until it is refused, and gives the error."""
    for _ in range(most):
        try:
            call()
        except (ccxt.BaseError, BinanceAPIException) as error:
            return error
    raise Failure(f"{most} calls, and none was refused")


@by_ccxt.check("DDoSProtection: 429 and -1003 with Retry-After past 6,000 weight a minute, 418 for those who go on")
def weight(t):
    client = t.ccxt(enableRateLimit=False)
    ask = lambda: client.public_get_depth({"symbol": "BTCUSDT", "limit": 5000})
    # Two windows may begin and end meanwhile, hence twice as many.
    error = until_refused(ask, 60)
    expect(isinstance(error, ccxt.DDoSProtection), f"{type(error).__name__}: {error}")
    expect(" 429 " in str(error) and "-1003" in str(error), str(error))
    wait = int(client.last_response_headers["Retry-After"])
    expect(0 < wait <= 60, f"Retry-After {wait}")
    expect(int(client.last_response_headers["X-Mbx-Used-Weight-1m"]) > 6_000, "used weight")
    with refused(ccxt.DDoSProtection, text="429"):
        client.fetch_balance()
    for _ in range(40):
        error = until_refused(ask, 1)
        if " 418 " in str(error):
            break
    expect(isinstance(error, ccxt.DDoSProtection) and " 418 " in str(error), f"no ban: {error}")
    expect("IP banned until" in str(error), str(error))
    expect(int(client.last_response_headers["Retry-After"]) >= 60, "a ban shorter than a minute")


@by_binance.check("BinanceAPIException: status 429 and code -1003, then 418")
def weight_binance(t):
    client = t.binance()
    ask = lambda: client.get_order_book(symbol="BTCUSDT", limit=5000)
    error = until_refused(ask, 60)
    expect_equal((error.status_code, error.code), (429, -1003), "status and code")
    expect("Retry-After" in error.response.headers, "no Retry-After")
    for _ in range(40):
        error = until_refused(ask, 1)
        if error.status_code == 418:
            break
    expect_equal((error.status_code, error.code), (418, -1003), "status and code")


@of_orders.check("more than 100 unfilled orders in 10 seconds: 429 and -1015 with Retry-After, of this account alone")
def orders(t):
    client = t.ccxt(enableRateLimit=False)
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.001", "price": "60000"}
    place = lambda: client.private_post_order(order)
    # On a slow machine the ten seconds may pass before there are a hundred.
    error = until_refused(place, 199)
    expect(isinstance(error, ccxt.DDoSProtection) and "-1015" in str(error), f"{type(error).__name__}: {error}")
    expect(0 < int(client.last_response_headers["Retry-After"]) <= 10, "Retry-After")
    t.ccxt().private_post_order(order)
