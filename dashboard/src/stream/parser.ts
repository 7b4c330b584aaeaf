// The text/event-stream format, fed in pieces of any size. EventSource cannot send a bearer token, so the page reads the
// stream by fetch and parses it here. (HTML Living Standard, section 9.2.6.)

export interface StreamMessage {
  /** `message` unless the server named one. */
  event: string;
  data: string;
  /** The last id the stream has named; empty if none. */
  id: string;
}

export class StreamParser {
  #rest = "";
  #event = "";
  #data: string[] = [];
  #id: string;
  #afterReturn = false;

  constructor(lastId = "") {
    this.#id = lastId;
  }

  /** The messages that `chunk` completes. A line cut by the network waits for its end. */
  push(chunk: string): StreamMessage[] {
    const messages: StreamMessage[] = [];
    let text = this.#rest + chunk;
    // A chunk may end between the two characters of a CRLF.
    if (this.#afterReturn && text.startsWith("\n")) text = text.slice(1);
    this.#afterReturn = text.endsWith("\r");
    const lines = text.split(/\r\n|\r|\n/);
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") this.#dispatch(messages);
      else this.#field(line);
    }
    return messages;
  }

  #field(line: string): void {
    const colon = line.indexOf(":");
    if (colon === 0) return; // a comment: the heartbeat
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") this.#data.push(value);
    else if (name === "event") this.#event = value;
    else if (name === "id" && !value.includes("\0")) this.#id = value;
    // `retry` is left to backoff.ts, which adds jitter.
  }

  #dispatch(messages: StreamMessage[]): void {
    if (this.#data.length > 0) {
      messages.push({ event: this.#event || "message", data: this.#data.join("\n"), id: this.#id });
    }
    this.#event = "";
    this.#data = [];
  }
}
