#!/usr/bin/env python3
"""Publishes quotes and trades of BTC/USDT over TCP: frames of version 2, see docs/sources.md."""
import random, socketserver, struct, sys, threading, time

SESSION = time.time_ns()  # changes when the numbers start again
KEPT = 10_000  # frames that a desk may ask for again
changed = threading.Condition()
feed, last, SYMBOL = [], 0, b"\x08BTC/USDT"  # (number, body), and the newest number

def publish(kind, fields):
    global last
    with changed:
        last += 1
        feed.append((last, kind + struct.pack("<Q", last) + SYMBOL + fields))
        del feed[:-KEPT]
        changed.notify_all()

def market():
    mid = 6_000_000  # 60000.00: a whole number, and 2 places behind its point
    while True:
        mid += random.randint(-50, 50)
        now, side = time.time_ns(), random.randint(0, 1)
        publish(b"Q", struct.pack("<BBqqqqq", 2, 5, mid - 50, mid + 50, 150_000, 120_000, now))
        if random.random() < 0.3:
            publish(b"T", struct.pack("<BBBqqq", side, 2, 5, mid, 1_000, now))
        time.sleep(0.2)

class Desk(socketserver.StreamRequestHandler):
    timeout, sent = 30, None  # the number of the last frame that was sent here

    def send(self, body):
        self.request.sendall(struct.pack(">I", len(body)) + body)

    def follow(self):
        while True:
            with changed:
                changed.wait_for(lambda: last > self.sent)
                try:
                    for number, body in feed[self.sent - last :]:
                        self.send(body)
                except OSError:
                    return  # the desk is gone, which the reading side sees
                self.sent = last

    def handle(self):
        while len(head := self.rfile.read(4)) == 4:
            body = self.rfile.read(size := struct.unpack(">I", head)[0])
            if len(body) < size:
                return  # the desk hung up
            with changed:
                if body[:1] == b"L":  # version, session, first number wanted, token
                    _version, session, first = struct.unpack("<BQQ", body[1:18])
                    is_first, oldest = self.sent is None, last + 1 - len(feed)
                    self.sent = max(first, oldest) - 1 if session == SESSION else last
                    self.send(struct.pack("<cQQQ", b"W", self.sent, SESSION, last))
                    if is_first:
                        threading.Thread(target=self.follow, daemon=True).start()
                elif body[:1] in b"SU":  # all is sent to all: a request is only granted
                    self.send(b"A" + struct.pack("<Q", self.sent) + body[1:9])
                elif body[:1] == b"P":
                    self.send(b"H" + struct.pack("<Q", self.sent))

class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

    def handle_error(self, request, address):
        if not isinstance(error := sys.exc_info()[1], OSError):
            return super().handle_error(request, address)
        print(f"the desk at {address} hung up: {error}", file=sys.stderr)

threading.Thread(target=market, daemon=True).start()
Server(("127.0.0.1", int(sys.argv[1])), Desk).serve_forever()
