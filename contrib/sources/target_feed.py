#!/usr/bin/env python3
"""Steers a bot: sends what is typed as targets over WebSocket, schema 1, see docs/sources.md.

target_feed.py PORT BOT INSTRUMENT SECONDS: each line of the standard input is an exposure, such as 0.5, which counts for SECONDS."""
import base64, hashlib, json, socketserver, struct, sys, threading, time

PORT, BOT, INSTRUMENT, SECONDS = int(sys.argv[1]), sys.argv[2], sys.argv[3], float(sys.argv[4])
MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # of RFC 6455
HEAD = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
desks, newest = [], None  # the newest target goes to every desk that connects

def steer():
    global newest
    for sequence, line in enumerate(sys.stdin, 1):
        now = time.time_ns() // 1_000_000
        newest = {"kind": "target", "bot": BOT, "instrument": INSTRUMENT, "exposure": line.strip(),
                  "sequence": sequence, "time": now, "expires": int(now + SECONDS * 1_000)}
        for desk in list(desks):
            desk.send(1, json.dumps(newest).encode())

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
            elif received[0] == 1:  # a request for the instruments of the source
                self.send(1, json.dumps({"op": "acked", "request": json.loads(received[1])["request"]}).encode())
                desks[:] = [desk for desk in desks if desk is not self] + [self]
                if newest:
                    self.send(1, json.dumps(newest).encode())

    def finish(self):
        desks[:] = [desk for desk in desks if desk is not self]

class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

    def handle_error(self, request, address):
        if not isinstance(error := sys.exc_info()[1], OSError):
            return super().handle_error(request, address)
        print(f"the desk at {address} hung up: {error}", file=sys.stderr)

threading.Thread(target=steer, daemon=True).start()
Server(("127.0.0.1", PORT), Desk).serve_forever()
