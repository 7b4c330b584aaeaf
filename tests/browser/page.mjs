// A real browser on the desk, and what it lets us know: errors on its console, requests that leave the desk, every answer of the
// API by sequence number.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
// Without these the browser calls its maker's hosts, which a test that must not leave the machine cannot have.
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** While the desk is dead the browser itself writes these; nothing else is excused, and nothing at any other time. */
const WHILE_DOWN =
  /net::ERR_(CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE|INCOMPLETE_CHUNKED_ENCODING|SOCKET_NOT_CONNECTED)|status of 50[34]/;

/** Opens the browser on nothing. `close` ends it and removes its profile. */
export async function open(base) {
  const profile = mkdtempSync(join(tmpdir(), "tradewind-browser-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    headless: true,
    args: FLAGS,
    viewport: { width: 1440, height: 900 },
    colorScheme: "dark",
  });
  const page = context.pages()[0] ?? (await context.newPage());
  const seen = watch(page, base);
  const close = async () => {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  };
  return { page, seen, close };
}

function watch(page, base) {
  const seen = { down: false, errors: [], excused: [], foreign: [], answers: new Map() };
  page.on("console", message => {
    if (message.type() !== "error" && message.type() !== "warning") return;
    const excused = seen.down && WHILE_DOWN.test(message.text());
    (excused ? seen.excused : seen.errors).push(message.text());
  });
  page.on("pageerror", error => seen.errors.push(String(error)));
  page.on("request", request => {
    if (!request.url().startsWith(base)) seen.foreign.push(request.url());
  });
  page.on("response", response => {
    keep(response, base, seen.answers).catch(() => {
      // An answer that was cut off is no answer.
    });
  });
  return seen;
}

/** Keeps what the API said, by resource and sequence number. */
async function keep(response, base, answers) {
  const resource = response.url().slice(`${base}/api/v1/`.length);
  if (!/^(status|bots|balances)$/.test(resource) || !response.ok()) return;
  const body = await response.json();
  answers.set(`${resource} ${body.seq}`, body);
}
