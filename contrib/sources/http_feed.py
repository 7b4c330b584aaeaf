#!/usr/bin/env python3
"""Publishes quotes and trades of BTC/USDT as XML over long-polled HTTP: see docs/sources.md."""
import gzip, random, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

KEPT, MOST = 10_000, 500  # messages that a desk may still read, and that one answer has
changed = threading.Condition()
feed, last = [], 0  # messages, and the number of the newest, which is the cursor

def publish(kind, **fields):
    global last
    with changed:
        last += 1
        fields |= {"symbol": "BTC/USDT", "sequence": last, "time": time.time_ns() // 1_000_000}
        feed.append(f"<{kind} " + " ".join(f'{name}="{value}"' for name, value in fields.items()) + "/>")
        del feed[:-KEPT]
        changed.notify_all()

def market():
    mid = 60_000.0
    while True:
        mid += random.randint(-5, 5) / 10
        publish("quote", bid=f"{mid - 0.5:.2f}", ask=f"{mid + 0.5:.2f}", bid_size="1.5", ask_size="1.2")
        if random.random() < 0.3:
            publish("trade", price=f"{mid:.2f}", quantity="0.01", side=random.choice(["buy", "sell"]))
        time.sleep(0.2)

class Desk(BaseHTTPRequestHandler):
    protocol_version, timeout = "HTTP/1.1", 60  # connections are kept between answers

    def answer(self, status, body=b""):
        self.send_response(status)
        if len(body) > 1_000:
            body = gzip.compress(body)
            self.send_header("Content-Encoding", "gzip")
        if status != 204:
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        query = parse_qs(urlsplit(self.path).query)
        with changed:
            cursor = int(query.get("cursor", [last])[0])
            if not last - len(feed) <= cursor <= last:
                return self.answer(410)  # what follows is not kept any more, or the numbers began anew
            if "cursor" in query and not changed.wait_for(lambda: last > cursor, int(query["wait"][0]) / 1_000):
                return self.answer(204)
            behind, total = feed[len(feed) - (last - cursor) :], last
        messages, end = behind[:MOST], cursor + min(len(behind), MOST)
        more = "true" if end < total else "false"
        self.answer(200, f'<feed from="{cursor}" next="{end}" more="{more}">{"".join(messages)}</feed>'.encode())

    def log_message(self, *_):
        pass

class Server(ThreadingHTTPServer):
    def handle_error(self, request, address):
        if not isinstance(error := sys.exc_info()[1], OSError):
            return super().handle_error(request, address)
        print(f"the desk at {address} hung up: {error}", file=sys.stderr)

threading.Thread(target=market, daemon=True).start()
Server(("127.0.0.1", int(sys.argv[1])), Desk).serve_forever()
