"""The public clients, as their users make them: a key, a secret, and nothing changed but the base addresses.

Each client gets an account of its own unless it is handed one. Markets are loaded once for each kind of client and exchange.
"""

import threading
import time

import ccxt
import ccxt.pro
from binance import AsyncClient, BinanceSocketManager, Client
from binance.ws.constants import WSListenerState

# ccxt looks at futures, options and margin too when it loads markets; this is how its users tell it that they trade spot. One
# check leaves everything as it comes.
SPOT_ONLY = {"fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False, "fetchMargins": False}
_loading = threading.Lock()


class Account:
    """A key and its secret."""

    def __init__(self, number):
        self.key, self.secret = f"key{number}", f"secret{number}"


def redirected(urls, simx):
    """ccxt's addresses with the exchange's in place of the venue's, whatever the path behind them."""
    if isinstance(urls, dict):
        return {name: redirected(value, simx) for name, value in urls.items()}
    if isinstance(urls, str) and "binance.com" in urls:
        scheme, _, rest = urls.partition("://")
        _, _, path = rest.partition("/")
        return f"{simx.ws if scheme == 'wss' else simx.http}/{path}"
    return urls


class Clients:
    """Makes clients on `simx`, each on the next account, and closes those that want it."""

    def __init__(self, simx, accounts, markets):
        self.simx = simx
        self._accounts = accounts
        self._markets = markets
        self._closers = []

    def account(self):
        """An account that nobody else has."""
        return Account(next(self._accounts))

    def ccxt(self, account=None, **config):
        """The blocking client."""
        return self._loaded(self.new_ccxt(ccxt.binance, account, **config))

    def pro(self, account=None, **config):
        """The client with watch methods; all its methods are coroutines."""
        client = self.new_ccxt(ccxt.pro.binance, account, **config)
        self._closers.append(client.close)
        return self._loaded(client)

    def new_ccxt(self, kind, account=None, **config):
        """A client that has not loaded its markets."""
        account = account or self.account()
        client = kind({"apiKey": account.key, "secret": account.secret, "options": SPOT_ONLY, **config})
        client.holder = account
        return self.readdress(client)

    def readdress(self, client):
        """Points a client of ccxt at the exchange."""
        client.urls["api"] = redirected(client.urls["api"], self.simx)
        return client

    def wait_for_trades(self, symbol, count):
        """Returns once the market has printed so many trades."""
        deadline = time.monotonic() + 30
        while len(self.simx.public("trades", symbol=symbol, limit=count)) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"fewer than {count} trades of {symbol} in 30 s")
            time.sleep(0.1)

    def binance(self, account=None, **config):
        """python-binance's blocking client."""
        account = account or self.account()
        client = Client(account.key, account.secret, ping=False, **config)
        return self._readdressed(client, account)

    def binance_async(self, account=None, **config):
        """python-binance's other client."""
        account = account or self.account()
        client = AsyncClient(account.key, account.secret, **config)
        self._closers.append(lambda: closed(client))
        return self._readdressed(client, account)

    def sockets(self, client):
        """python-binance's streams."""
        manager = BinanceSocketManager(client)
        manager.STREAM_URL = f"{self.simx.ws}/"
        return manager

    async def close(self):
        """Closes what was opened."""
        for close in self._closers:
            await close()

    def _loaded(self, client):
        with _loading:
            if "ccxt" not in self._markets:
                loader = self.new_ccxt(ccxt.binance, client.holder)
                loader.load_markets()
                self._markets["ccxt"] = loader
        client.set_markets_from_exchange(self._markets["ccxt"])
        return client

    def _readdressed(self, client, account):
        client.holder = account
        client.API_URL = f"{self.simx.http}/api"
        client.MARGIN_API_URL = f"{self.simx.http}/sapi"
        client.ws_api._url = f"{self.simx.ws}/ws-api/v3"
        return client


async def closed(client):
    """Closes an asynchronous client of python-binance; by itself it would wait ten seconds for one more message."""
    if client.ws_api.ws:
        client.ws_api.ws_state = WSListenerState.EXITING
        await client.ws_api.ws.close()
    await client.close_connection()
