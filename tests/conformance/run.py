"""Runs the conformance suite: public clients against `tradewind simx`. See scripts/conformance, which makes their environment."""

import argparse
import concurrent.futures
import importlib
import logging
import os
import sys

sys.path.insert(0, os.path.dirname(__file__))

from harness import Report, Suite  # noqa: E402
from simx import default_binary  # noqa: E402

# In the order in which they are started: those that take longest first.
SUITES = """
ccxt_conditional ccxt_orders ccxt_market ccxt_errors ccxt_pro binance_rest binance_sockets user_events keys page limits
""".split()
# Mostly they wait for the market, not for the machine.
SUITES_AT_ONCE = 6


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--binary", default=default_binary(), help="the exchange")
    arguments.add_argument("--filter", default="", help="run the checks whose suite and words hold this text")
    options = arguments.parse_args()
    # What the clients complain of is in the checks.
    logging.getLogger("binance").setLevel(logging.CRITICAL)
    report = Report()
    suites = [suite for name in SUITES for suite in suites_of(importlib.import_module(f"suites.{name}"))]
    with concurrent.futures.ThreadPoolExecutor(SUITES_AT_ONCE) as pool:
        running = [pool.submit(suite.run, options.binary, options.filter, report) for suite in suites]
        for suite in running:
            suite.result()
    print(f"\nconformance: {report.passed} passed, {report.failed} failed", flush=True)
    return 0 if report.failed == 0 and report.passed else 1


def suites_of(module):
    """The suites that a module defines, in its order."""
    return [value for value in vars(module).values() if isinstance(value, Suite)]


if __name__ == "__main__":
    sys.exit(main())
