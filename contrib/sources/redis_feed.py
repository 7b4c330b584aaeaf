#!/usr/bin/env python3
"""Publishes quotes and trades of BTC/USDT in Redis, as JSON in a channel or as entries of a stream: see docs/sources.md.

redis_feed.py PORT channel|stream NAME; a password comes from REDISCLI_AUTH."""
import json, os, random, socket, sys, time

PORT, USE, NAME = int(sys.argv[1]), sys.argv[2], sys.argv[3]

class Redis:
    def __init__(self):
        self.socket = socket.create_connection(("127.0.0.1", PORT), timeout=10)
        self.answers = self.socket.makefile("rb")
        if password := os.environ.get("REDISCLI_AUTH"):
            self.command("AUTH", password)

    def command(self, *words):
        parts = [f"*{len(words)}\r\n".encode()]
        for word in words:
            text = str(word).encode()
            parts.append(b"$%d\r\n%s\r\n" % (len(text), text))
        self.socket.sendall(b"".join(parts))
        answer = self.answers.readline()
        if not answer:
            raise ConnectionError("Redis hung up")
        if answer[:1] == b"-":
            raise SystemExit(answer.decode().strip())
        if answer[:1] == b"$":  # the text follows
            return self.answers.read(int(answer[1:]) + 2)[:-2]
        return answer[1:].strip()

def publish(**message):
    message |= {"symbol": "BTC/USDT", "time": time.time_ns() // 1_000_000}
    message["sequence"] = redis.command("INCR", NAME + ":sequence").decode()
    if USE == "channel":
        redis.command("PUBLISH", NAME, json.dumps(message))
    else:
        fields = [text for pair in message.items() for text in pair]
        redis.command("XADD", NAME, "MAXLEN", "~", 100_000, "*", *fields)

mid, redis = 60_000.0, None
while True:
    try:
        redis = redis or Redis()
        mid += random.randint(-5, 5) / 10
        publish(kind="quote", bid=f"{mid - 0.5:.2f}", ask=f"{mid + 0.5:.2f}", bid_size="1.5", ask_size="1.2")
        if random.random() < 0.3:
            publish(kind="trade", price=f"{mid:.2f}", quantity="0.01", side=random.choice(["buy", "sell"]))
    except OSError as error:
        print(f"Redis does not answer, and is tried again: {error}", file=sys.stderr)
        redis = time.sleep(1)
    time.sleep(0.2)
