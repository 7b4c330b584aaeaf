"""The snippets of docs/simx.md: each Python block is run as it stands, against an exchange at another address."""

import os
import pathlib
import re
import subprocess
import sys

from harness import Failure, Suite

PAGE = pathlib.Path(__file__).parents[3] / "docs" / "simx.md"
# What the page says about where the exchange is, and what the suite starts it with.
WRITTEN = {"exchange": "127.0.0.1:9443", "control": "127.0.0.1:9444"}
ACCOUNT = "key:secret:USDT=10000,BTC=1"
SECONDS = 40

suite = Suite("docs/simx.md", at_once=3, spec=lambda: [ACCOUNT])


def blocks():
    """Heading and text of each Python block of the page."""
    heading, found = "", []
    for part in re.split(r"^(#+ [^\n]*|```python\n.*?^```)$", PAGE.read_text(), flags=re.MULTILINE | re.DOTALL):
        if part.startswith("#"):
            heading = part.lstrip("# ")
        elif part.startswith("```python"):
            found.append((heading, part.removeprefix("```python\n").removesuffix("```")))
    if not found:
        raise RuntimeError(f"{PAGE} has no Python blocks")
    return found


def run(t, text):
    text = text.replace(WRITTEN["exchange"], t.simx.address).replace(WRITTEN["control"], t.control.address)
    folder = os.path.dirname(t.simx.binary)
    environment = {**os.environ, "SIMX_CONTROL_TOKEN": t.control.token, "PATH": f"{folder}:{os.environ['PATH']}"}
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=SECONDS, env=environment, check=False)
    if done.returncode:
        raise Failure(f"exit code {done.returncode}: {done.stderr.strip()[-300:]}")


for _number, (_heading, _text) in enumerate(blocks(), 1):

    @suite.check(f"block {_number}, {_heading}")
    def block(t, text=_text):
        run(t, text)
