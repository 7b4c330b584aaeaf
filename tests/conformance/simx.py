"""The exchange as a process, its control port, and a trader of our own on it.

The trader is what moves the market when a check needs it moved: it is rich, and signs its requests by hand, so that no client
under test has a part in it.
"""

import collections
import hashlib
import hmac
import json
import os
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from decimal import Decimal

BALANCES = "USDT=1000000,BTC=50,ETH=500,BNB=500,SOL=5000,ETC=20000"
RICHES = "USDT=900000000,BTC=20000,ETH=200000,BNB=200000,SOL=2000000,ETC=9000000"
START_SECONDS = 60


class Simx:
    """`tradewind simx` on a free port, from entry to exit of the block.

    There are `accounts` accounts, `key1` to `keyN` with secrets `secret1` to `secretN`, all with the same balances, and the
    rich `whale` and its `partner`.
    """

    def __init__(self, binary, *, accounts=1, options=(), spec=None):
        self.binary = binary
        self._words = [binary, "--json", "simx", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"]
        self._words += ["--account", f"whale:whale-secret:{RICHES}", "--account", f"partner:partner-secret:{RICHES}"]
        for number in range(1, accounts + 1):
            self._words += ["--account", f"key{number}:secret{number}:{BALANCES}"]
        for more in spec() if spec else ():
            self._words += ["--account", more]
        self._words += options
        self._lines = collections.deque(maxlen=2_000)

    def __enter__(self):
        self._process = subprocess.Popen(self._words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        threading.Thread(target=self._read, daemon=True).start()
        try:
            facts = self._facts()
        except BaseException:
            self._process.kill()
            raise
        self.address = facts["listen"]
        self.http, self.ws = f"http://{self.address}", f"ws://{self.address}"
        self.control = Control(facts["control"])
        return self

    def __exit__(self, *_):
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def is_running(self):
        return self._process.poll() is None

    def public(self, path, **params):
        """A public GET below /api/v3."""
        return fetch("GET", f"{self.http}/api/v3/{path}?{urllib.parse.urlencode(params)}")

    def signed(self, method, path, *, key="whale", secret="whale-secret", **params):
        """A signed request below /api/v3, by the whale unless said otherwise."""
        query = urllib.parse.urlencode({**params, "timestamp": int(time.time() * 1000), "recvWindow": 60000})
        signature = hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()
        url = f"{self.http}/api/v3/{path}?{query}&signature={signature}"
        return fetch(method, url, headers={"X-MBX-APIKEY": key})

    def touch(self, symbol):
        """Best bid and ask."""
        ticker = self.public("ticker/bookTicker", symbol=symbol)
        return Decimal(ticker["bidPrice"]), Decimal(ticker["askPrice"])

    def sweep(self, symbol, side, to):
        """The whale takes everything up to the price `to`: trades are printed on the way, and orders resting there fill."""
        return self.take(symbol, side, to, WHALE_SIZE[symbol])

    def take(self, symbol, side, price, quantity):
        """The whale takes so much at `price` or better; what is not there is let go."""
        return self.signed("POST", "order", symbol=symbol, side=side, type="LIMIT", timeInForce="IOC", quantity=quantity, price=price)

    def move(self, symbol, to, *, offer):
        """Moves the last price of a held market to `to`, with something for an order of the side `offer` to trade with there."""
        bid, _ = self.touch(symbol)
        up = to > bid
        self.sweep(symbol, "BUY" if up else "SELL", to)
        # What the whale trades with is on the side that an arriving order wants, so the price is printed and the rest stays.
        rests, takes = ("BUY", "SELL") if offer == "sell" else ("SELL", "BUY")
        limit = {"symbol": symbol, "type": "LIMIT", "price": to}
        partner = {"key": "partner", "secret": "partner-secret"}
        resting = self.signed("POST", "order", side=rests, timeInForce="GTC", quantity="10", **limit, **partner)
        self.signed("POST", "order", side=takes, timeInForce="IOC", quantity="1", **limit)
        if self.signed("GET", "order", symbol=symbol, orderId=resting["orderId"], **partner)["status"] in ("NEW", "PARTIALLY_FILLED"):
            self.signed("DELETE", "order", symbol=symbol, orderId=resting["orderId"], **partner)

    def _read(self):
        for line in self._process.stdout:
            self._lines.append(line)

    def _facts(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            for line in list(self._lines):
                if line.startswith("{") and "listen" in line:
                    return json.loads(line)
            if self._process.poll() is not None:
                raise RuntimeError(f"exit code {self._process.returncode}: {' '.join(''.join(self._lines).split())[-400:]}")
            time.sleep(0.01)
        raise RuntimeError(f"no start line within {START_SECONDS} s")


# More than all levels of the generated market hold, and worth less than the most an order may be worth.
WHALE_SIZE = {"BTCUSDT": "100", "ETHUSDT": "2000"}


class Control:
    """The operator's hand on the exchange."""

    def __init__(self, facts):
        self.address, self.token = facts["address"], facts["token"]
        self._base = f"http://{self.address}"

    def pause(self, paused):
        return self._post("pause", paused=paused)

    def step(self, millis):
        return self._post("step", millis=millis)

    def trade(self, account, symbol, side, kind, quantity, **more):
        return self._post("trade", account=account, symbol=symbol, side=side, type=kind, quantity=str(quantity), **more)

    def deposit(self, account, asset, amount):
        return self._post("deposit", account=account, asset=asset, amount=str(amount))

    def filters(self, symbol, **filters):
        return self._post("filters", symbol=symbol, **filters)

    def halt(self, symbol, status):
        return self._post("halt", symbol=symbol, status=status)

    def state(self):
        return fetch("GET", f"{self._base}/state", headers=self._headers())

    def _post(self, verb, **body):
        headers = {**self._headers(), "Content-Type": "application/json"}
        return fetch("POST", f"{self._base}/{verb}", body=json.dumps(body).encode(), headers=headers)

    def _headers(self):
        return {"Authorization": f"Bearer {self.token}"}


class Refused(Exception):
    """The exchange, or its control port, said no."""


def fetch(method, url, *, body=None, headers=None):
    """A request and the JSON of its answer."""
    request = urllib.request.Request(url, data=body, headers=headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:
            text = answer.read()
            return json.loads(text) if text else None
    except urllib.error.HTTPError as error:
        raise Refused(f"{method} {url.partition('?')[0]}: {error.code} {error.read().decode()}") from error


def default_binary():
    """The binary that cargo builds."""
    return os.path.abspath(os.path.join(os.path.dirname(__file__), "../../target/debug/tradewind"))
