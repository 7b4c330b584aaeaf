"""Checks, suites of them, and how they are run: each suite against an exchange of its own, each check with accounts of its own.

A check is a function with a sentence. It passes by returning; a `Failure` or any other exception is a line in the report,
and the next check is run all the same. Suites run side by side. Nothing here knows a client: see clients.py.
"""

import asyncio
import contextlib
import dataclasses
import inspect
import itertools
import threading
import time
import traceback
from decimal import Decimal

from clients import Clients
from simx import Simx

# What a check may take on a busy machine before it counts as failed.
PATIENCE_SECONDS = 45


class Failure(Exception):
    """What was seen is not what the venue would have shown."""


def expect(holds, why):
    """Fails with `why`, a text or a function that makes one, unless `holds`."""
    if not holds:
        raise Failure(why() if callable(why) else str(why))


def expect_equal(found, wanted, what):
    """Fails unless `found` is `wanted`."""
    expect(found == wanted, lambda: f"{what} is {found!r}, not {wanted!r}")


def expect_fields(found, **wanted):
    """Fails unless the mapping `found` holds all of `wanted`."""
    for name, value in wanted.items():
        expect(name in found, lambda: f"no {name} in {sorted(found)}")
        expect_equal(found[name], value, name)


def expect_names(found, names):
    """Fails unless the mapping `found` has every one of the names in the text `names`."""
    missing = [name for name in names.split() if name not in found]
    expect(not missing, lambda: f"{', '.join(missing)} missing among {', '.join(found)}")


@contextlib.contextmanager
def refused(*kinds, code=None, text=None):
    """Fails unless what is done inside is refused with one of `kinds`, and the venue's code and text are in the words."""
    try:
        yield
    except kinds as error:
        words = str(error)
        expect(code is None or str(code) in words or getattr(error, "code", None) == code, f"{code} is not in: {words}")
        expect(text is None or text in words, f"{text!r} is not in: {words}")
        return
    except Exception as error:
        raise Failure(f"{type(error).__name__} instead of {names_of(kinds)}: {error}") from error
    raise Failure(f"accepted, instead of {names_of(kinds)} {code or ''}")


def names_of(kinds):
    return " or ".join(kind.__name__ for kind in kinds)


def eventually(found, what, within=15):
    """Asks `found` until it gives something true, and gives that."""
    deadline = time.monotonic() + within
    while True:
        seen = found()
        if seen:
            return seen
        expect(time.monotonic() < deadline, f"not within {within} s: {what}")
        time.sleep(0.02)


async def eventually_async(found, what, within=15):
    """As `eventually`, for a coroutine function."""
    deadline = time.monotonic() + within
    while True:
        seen = await found()
        if seen:
            return seen
        expect(time.monotonic() < deadline, f"not within {within} s: {what}")
        await asyncio.sleep(0.02)


def decimals(mapping, *names):
    """The named texts of a mapping as exact numbers."""
    return [Decimal(mapping[name]) for name in names]


@dataclasses.dataclass
class Check:
    words: str
    function: object


class Trial(Clients):
    """What one check gets: the exchange, and clients on accounts that nobody else uses."""

    def __init__(self, simx, accounts, markets):
        super().__init__(simx, accounts, markets)
        self.control = simx.control

    @contextlib.contextmanager
    def still(self):
        """The market does not move by itself in here, and its books are full."""
        self.control.pause(True)
        try:
            eventually(self._books_are_full, "full books on both sides", within=20)
            # The last price is one of the book as it is now, whatever an earlier check moved it to.
            self.simx.take("BTCUSDT", "BUY", self.simx.touch("BTCUSDT")[1], "0.001")
            yield
        finally:
            self.control.pause(False)

    def _books_are_full(self):
        """Whether the books are; moves the market on a little if not. Right after a jump there may be one level only."""
        for symbol in ("BTCUSDT", "ETHUSDT"):
            book = self.simx.public("depth", symbol=symbol, limit=20)
            if min(len(book["bids"]), len(book["asks"])) < 15:
                self.control.step(50)
                return False
        return True


class Suite:
    """Checks that share an exchange. `at_once` of them run at a time; those that pause or halt the market need 1."""

    def __init__(self, name, *, at_once=1, options=(), accounts_per_check=3, spec=None):
        self.name = name
        self.at_once = at_once
        self.options = options
        self.accounts_per_check = accounts_per_check
        self.spec = spec
        self.checks = []

    def check(self, words):
        """Adds a function as a check; it may be a coroutine function."""

        def add(function):
            self.checks.append(Check(words, function))
            return function

        return add

    def chosen(self, wanted):
        return [check for check in self.checks if wanted in f"{self.name} {check.words}"]

    def run(self, binary, wanted, report):
        """Runs the checks that hold the text `wanted`, and reports them in their order."""
        checks = self.chosen(wanted)
        if not checks:
            return
        began = time.monotonic()
        try:
            with Simx(binary, accounts=len(checks) * self.accounts_per_check, options=self.options, spec=self.spec) as simx:
                outcomes = asyncio.run(self._run_on(simx, checks))
        except Exception as error:
            outcomes = [f"the exchange did not run: {error}"] * len(checks)
        report.add(self.name, time.monotonic() - began, zip((check.words for check in checks), outcomes))

    async def _run_on(self, simx, checks):
        accounts, markets = itertools.count(1), {}
        gate = asyncio.Semaphore(self.at_once)

        async def outcome(check):
            async with gate:
                trial = Trial(simx, accounts, markets)
                try:
                    await asyncio.wait_for(run_one(check.function, trial), PATIENCE_SECONDS)
                    return None
                except Exception as error:
                    return words_of(error, simx)
                finally:
                    with contextlib.suppress(Exception):
                        await asyncio.wait_for(trial.close(), 10)

        return await asyncio.gather(*(outcome(check) for check in checks))


async def run_one(function, trial):
    if inspect.iscoroutinefunction(function):
        await function(trial)
    else:
        await asyncio.to_thread(function, trial)


def words_of(error, simx):
    """One line about a failure: what, and where in the check if it was no `Failure`."""
    if isinstance(error, asyncio.TimeoutError):
        words = "waited in vain"
    elif isinstance(error, Failure):
        words = str(error)
    else:
        words = f"{type(error).__name__}: {error}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "tests/conformance" in frame.filename]
    where = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames if "harness" not in frame.filename]
    gone = "" if simx.is_running() else " (the exchange has stopped)"
    return f"{' '.join(words.split())[:400]} [{where[-1] if where else '-'}]{gone}"


class Report:
    """What passed and what did not. Suites add to it from their threads; each is printed whole."""

    def __init__(self):
        self.passed = 0
        self.failed = 0
        self._lock = threading.Lock()

    def add(self, suite, seconds, outcomes):
        """Prints a suite: pairs of a check's words and why it failed, or None."""
        with self._lock:
            print(f"\n-- {suite} ({seconds:.0f} s)")
            for words, why in outcomes:
                if why is None:
                    self.passed += 1
                    print(f"ok    {suite}  {words}")
                else:
                    self.failed += 1
                    print(f"FAIL  {suite}  {words}: {why}", flush=True)
