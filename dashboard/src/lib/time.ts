// Instants and durations for the screen. The desk has a clock of its own (origin + speed × monotonic), so every age and
// countdown is measured in desk time: `DeskClock` continues from the last time the desk sent.

/** Milliseconds since 1970 of an RFC 3339 instant; NaN if it is none. */
export function instant(text: string): number {
  return Date.parse(text);
}

/** `14:05:09` in UTC. */
export function clock(at: number): string {
  return Number.isFinite(at) ? new Date(at).toISOString().slice(11, 19) : "–";
}

/** `14:05:09.123` in UTC. */
export function preciseClock(at: number): string {
  return Number.isFinite(at) ? new Date(at).toISOString().slice(11, 23) : "–";
}

/** `2026-11-20 14:05:09` in UTC. */
export function stamp(at: number): string {
  return Number.isFinite(at) ? new Date(at).toISOString().slice(0, 19).replace("T", " ") : "–";
}

/** A duration in two steps at most: `0.4 s`, `12 s`, `3 m 05 s`, `2 h 10 m`, `4 d 3 h`. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 1) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  const two = (n: number) => String(Math.floor(n)).padStart(2, "0");
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${two(seconds % 60)} s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${two((seconds % 3600) / 60)} m`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

/** Time left until `target`: `now`, `9 s`, `4:09`, `1:02:09`. Rounds up, so that 0 s is never shown early. */
export function countdown(target: number, now: number): string {
  const left = Math.ceil((target - now) / 1000);
  if (!Number.isFinite(left)) return "–";
  if (left <= 0) return "now";
  if (left < 60) return `${left} s`;
  const two = (n: number) => String(n).padStart(2, "0");
  const [hours, minutes, seconds] = [Math.floor(left / 3600), Math.floor(left / 60) % 60, left % 60];
  return hours ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

/** The desk's clock, as of its last message. */
export interface DeskClock {
  /** The last time the desk sent, in milliseconds since 1970. */
  at: number;
  /** Desk seconds per second. */
  speed: number;
  /** When it was received, by `performance.now()`. */
  receivedAt: number;
}

/** Desk time at `monotonic`, by `performance.now()`. */
export function deskNow(known: DeskClock, monotonic: number): number {
  return known.at + known.speed * (monotonic - known.receivedAt);
}

/** The clock after a message of `at`. It never goes back, because messages may overtake each other. */
export function hear(known: DeskClock | undefined, at: number, speed: number, monotonic: number): DeskClock {
  if (known && known.speed === speed && at <= deskNow(known, monotonic) && at > known.at - 5_000) {
    const late = deskNow(known, monotonic) - at;
    // Behind by more than a second: the page ran ahead, as after a pause of the desk.
    if (late < 1_000) return known;
  }
  return { at, speed, receivedAt: monotonic };
}
