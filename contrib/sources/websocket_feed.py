#!/usr/bin/env python3
"""Publishes quotes and trades of BTC/USDT as JSON over WebSocket: schema 1, see docs/sources.md."""
import base64, hashlib, json, random, socketserver, struct, sys, threading, time

MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # of RFC 6455
HEAD = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
desks, sequence = [], 0

def publish(**message):
    global sequence
    sequence += 1
    message |= {"symbol": "BTC/USDT", "sequence": sequence, "time": time.time_ns() // 1_000_000}
    for desk in list(desks):
        desk.send(1, json.dumps(message).encode())

def market():
    mid = 60_000.0
    while True:
        mid += random.randint(-5, 5) / 10
        publish(kind="quote", bid=f"{mid - 0.5:.2f}", ask=f"{mid + 0.5:.2f}", bid_size="1.5", ask_size="1.2")
        if random.random() < 0.3:
            publish(kind="trade", price=f"{mid:.2f}", quantity="0.01", side=random.choice(["buy", "sell"]))
        time.sleep(0.2)

class Desk(socketserver.StreamRequestHandler):
    timeout = 30

    def send(self, kind, payload):
        size = len(payload)  # below 64 KiB here
        head = bytes([0x80 | kind, size]) if size < 126 else struct.pack(">BBH", 0x80 | kind, 126, size)
        try:
            with self.writing:
                self.request.sendall(head + payload)
        except OSError:
            pass  # the desk is gone, which the reading side sees

    def exactly(self, size):
        if len(read := self.rfile.read(size)) < size:
            raise ConnectionError("no end was announced")
        return read

    def read(self):
        kind, size = self.exactly(2)
        size = struct.unpack(">H", self.exactly(2))[0] if size == 254 else size & 127
        mask = self.exactly(4)
        return kind & 15, bytes(byte ^ mask[at % 4] for at, byte in enumerate(self.exactly(size)))

    def handle(self):
        self.writing = threading.Lock()
        fields = dict(line.strip().split(b": ", 1) for line in iter(self.rfile.readline, b"\r\n") if b": " in line)
        accept = base64.b64encode(hashlib.sha1(fields[b"Sec-WebSocket-Key"] + MAGIC).digest())
        self.request.sendall(HEAD + accept + b"\r\n\r\n")
        while (received := self.read())[0] != 8:  # until the desk closes
            if received[0] == 9:  # a ping
                self.send(10, received[1])
            elif received[0] == 1:  # a request: {"op": "subscribe", "request": 1, "symbols": ["BTC/USDT"]}
                self.send(1, json.dumps({"op": "acked", "request": json.loads(received[1])["request"]}).encode())
                desks[:] = [desk for desk in desks if desk is not self] + [self]

    def finish(self):
        desks[:] = [desk for desk in desks if desk is not self]

class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

    def handle_error(self, request, address):
        if not isinstance(error := sys.exc_info()[1], OSError):
            return super().handle_error(request, address)
        print(f"the desk at {address} hung up: {error}", file=sys.stderr)

threading.Thread(target=market, daemon=True).start()
Server(("127.0.0.1", int(sys.argv[1])), Desk).serve_forever()
