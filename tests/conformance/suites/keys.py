"""Keys: Ed25519 and RSA signatures as both clients make them, and keys that may not do everything."""

import asyncio
import pathlib
import tempfile

import ccxt
from binance.exceptions import BinanceAPIException
from clients import Account
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from harness import Suite, eventually_async, expect, expect_equal, expect_fields, refused

BTC = "BTC/USDT"
BALANCE = "USDT=10000,BTC=1"


class Pair:
    """A private key as its owner holds it, and the file of its public half."""

    def __init__(self, name, private):
        self.name = name
        self.folder = tempfile.TemporaryDirectory()
        self.private = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption(),
        ).decode()
        self.public = pathlib.Path(self.folder.name) / "public.pem"
        self.public.write_bytes(
            private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        )

    def account(self):
        """As an account of the clients: the PEM text is the secret."""
        account = Account(0)
        account.key, account.secret = self.name, self.private
        return account


PAIRS = {
    "Ed25519": Pair("edwards", ed25519.Ed25519PrivateKey.generate()),
    "RSA": Pair("rivest", rsa.generate_private_key(public_exponent=65537, key_size=2048)),
}


def spec():
    """The accounts of this suite beside the usual ones."""
    signed = [f"{pair.name}:@{pair.public}:{BALANCE}" for pair in PAIRS.values()]
    return [*signed, "reader[read]:reader-secret:USDT=10000", "second[of=whale]:second-secret"]


suite = Suite("keys", spec=spec)

for _kind, _pair in PAIRS.items():

    @suite.check(f"ccxt with an {_kind} key: balance, an order, its cancel; another key's signature is refused (-1022)")
    def by_ccxt(t, pair=_pair):
        client = t.ccxt(pair.account())
        expect_equal(client.fetch_balance()["USDT"]["total"], 10_000.0, "USDT")
        order = client.create_order(BTC, "limit", "buy", 0.01, 60_000)
        expect_fields(client.cancel_order(order["id"], BTC), status="canceled")
        client.secret = Pair("other", ed25519.Ed25519PrivateKey.generate()).private
        with refused(ccxt.AuthenticationError, code=-1022):
            client.fetch_balance()

    @suite.check(f"ccxt.pro with an {_kind} key: an order over the WebSocket API, and its report")
    async def by_pro(t, pair=_pair):
        client = t.pro(pair.account())
        watching = asyncio.create_task(client.watch_orders(BTC))
        await client.authenticate({"type": "spot"})
        order = await client.create_order_ws(BTC, "limit", "buy", 0.01, 60_000)
        seen = await asyncio.wait_for(watching, 10)
        expect_equal(seen[-1]["id"], order["id"], "id")
        await client.cancel_order_ws(order["id"], BTC)

    @suite.check(f"python-binance with an {_kind} key: balance, an order, its cancel")
    def by_binance(t, pair=_pair):
        client = t.binance(pair.account(), private_key=pair.private)
        expect_equal(client.get_asset_balance(asset="USDT")["free"], "10000.00000000", "USDT")
        order = client.order_limit_buy(symbol="BTCUSDT", quantity="0.01", price="60000")
        expect_fields(client.cancel_order(symbol="BTCUSDT", orderId=order["orderId"]), status="CANCELED")

    @suite.check(f"python-binance async with an {_kind} key: the user data stream and an order over the WebSocket API")
    async def by_binance_async(t, pair=_pair):
        client = t.binance_async(pair.account(), private_key=pair.private)
        async with t.sockets(client).user_socket() as socket:
            order = await client.ws_order_limit_buy(symbol="BTCUSDT", quantity="0.01", price="60000")
            report = await asyncio.wait_for(socket.recv(), 10)
            expect_fields(report, e="executionReport", x="NEW", i=order["orderId"])
            await client.ws_cancel_order(symbol="BTCUSDT", orderId=order["orderId"])


def named(key, secret):
    account = Account(0)
    account.key, account.secret = key, secret
    return account


@suite.check("a key that may only read: the balance is told, an order is refused (-2015), apiRestrictions says so")
def read_only(t):
    client = t.ccxt(named("reader", "reader-secret"))
    expect_equal(client.fetch_balance()["USDT"]["total"], 10_000.0, "USDT")
    expect_fields(client.sapi_get_account_apirestrictions(), enableReading=True, enableSpotAndMarginTrading=False)
    with refused(ccxt.AuthenticationError, ccxt.PermissionDenied, ccxt.DDoSProtection, text="-2015"):
        client.create_order(BTC, "limit", "buy", 0.01, 60_000)
    with refused(BinanceAPIException, code=-2015):
        t.binance(named("reader", "reader-secret")).order_market_buy(symbol="BTCUSDT", quantity="0.01")


@suite.check("two keys of one account: each sees the orders of the other")
async def shared(t):
    order = await asyncio.to_thread(
        lambda: t.simx.signed("POST", "order", symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.01", price="60000")
    )
    client = t.pro(named("second", "second-secret"))

    async def seen():
        return str(order["orderId"]) in [one["id"] for one in await client.fetch_open_orders(BTC)]

    expect(await eventually_async(seen, "the order of the other key", within=5), "not seen")
