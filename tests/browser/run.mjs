// The dashboard in a real browser on a real desk: signs in, compares numbers, follows a fill to its cause, kills the desk and
// watches the page say so and heal. It reads top to bottom as it happens. See options.mjs for how to call it.

import { exec, spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { promisify } from "node:util";
import { parse } from "./options.mjs";
import { open } from "./page.mjs";
import { compare, onScreen } from "./values.mjs";

const options = parse(process.argv.slice(2));
mkdirSync(options.shots, { recursive: true });
const { page, seen, close } = await open(options.base);
page.setDefaultTimeout(15_000);

let passed = 0;
let failed = 0;

/** One check under its name; the next one runs whatever came of it. */
async function check(name, body) {
  try {
    const note = await body();
    passed += 1;
    console.log(`ok    ${name}${note ? `: ${note}` : ""}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${name}: ${error instanceof Error ? error.message.split("\n")[0] : error}`);
    await shot(`failed-${failed}`);
  }
}

function must(condition, message) {
  if (!condition) throw new Error(message);
}

const shot = name => page.screenshot({ path: `${options.shots}/${name}.png` }).catch(() => undefined);

/** What waiting will not make right. */
class Wrong extends Error {}

/** Asks until the answer is true or the time is up; says how long it took. */
async function until(question, milliseconds, complaint) {
  const start = performance.now();
  for (;;) {
    const answer = await question().catch(error => {
      if (error instanceof Wrong) throw error;
      return false;
    });
    if (answer) return performance.now() - start;
    if (performance.now() - start > milliseconds) throw new Error(complaint);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}

await check("the one-time link signs in", async () => {
  await page.goto(options.login);
  await page.waitForSelector("[data-testid=banner] [data-testid=mode]");
  must(!page.url().includes("code="), "the code stayed in the address");
  return await page.textContent("[data-testid=note]");
});

await check(`${options.bots} bots are there`, async () => {
  const count = () => page.locator("[data-bot]").count();
  await until(async () => (await count()) === options.bots, 60_000, `there are ${await count()}`);
});

await check("ten numbers are the API's at the same seq", async () => {
  const agreed = new Set();
  const rounds = new Set();
  await until(
    async () => {
      const numbers = await onScreen(page);
      const result = compare(numbers, seen.answers);
      if (result.wrong.length > 0) throw new Wrong(result.wrong.join("; "));
      for (const name of result.agreed) agreed.add(name);
      for (const { seq } of numbers) rounds.add(seq);
      return agreed.size >= 10 && rounds.size >= 6;
    },
    30_000,
    "fewer than ten numbers could be compared",
  );
  return `${agreed.size} numbers over ${rounds.size} sequence numbers: ${[...agreed].sort().join(", ")}`;
});
await shot("desk");

await check("no view is wider than the screen", async () => {
  for (const [width, height] of [
    [390, 844],
    [1280, 800],
  ]) {
    await page.setViewportSize({ width, height });
    for (const view of ["Bots", "Orders and fills", "Events", "Desk"]) {
      await page.getByRole("link", { name: view, exact: true }).click();
      await page.waitForTimeout(300);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      must(over <= 0, `${view} is ${over} px too wide at ${width}`);
    }
    if (width === 390) await shot("desk-390");
  }
  await page.setViewportSize({ width: 1440, height: 900 });
});

await check("a bot opens with its candles", async () => {
  await page.locator("[data-bot] a").first().click();
  await until(
    async () => Number(await page.getAttribute("[data-testid=candles]", "data-candles")) > 0,
    15_000,
    "no candles were drawn",
  );
  await shot("bot");
  return `${await page.getAttribute("[data-testid=candles]", "data-candles")} candles`;
});

await check("a fill leads to the candle or quote that caused it", async () => {
  await page.getByRole("link", { name: "Orders and fills" }).click();
  await page.getByRole("link", { name: "Fills", exact: true }).click();
  const rows = page.locator("table[aria-label=Fills] tbody tr");
  const some = await until(async () => (await rows.count()) > 0, 10_000, "").catch(() => undefined);
  if (some === undefined) return "SKIPPED, there is no fill yet";
  await rows.first().click();
  await page.waitForSelector("[data-testid=cause-chain] li");
  const types = await page.$$eval("[data-testid=cause-chain] li[data-type]", items =>
    items.map(item => item.dataset.type),
  );
  must(types[0] === "order_filled", `the chain begins with ${types[0]}`);
  must(/^(candle_closed|price_update|command)$/.test(types.at(-1)), `the chain ends at ${types.at(-1)}`);
  if (types.at(-1) !== "command") await page.waitForSelector("[data-testid=candles][data-cause]");
  await page.waitForTimeout(500);
  await shot("fill");
  return types.join(" ← ");
});

await page.getByRole("link", { name: "Desk", exact: true }).click();
await page.waitForSelector("[data-testid=equity]");

if (options.pid || options.kill) {
  await check("a dead desk is called stale within 2 s", async () => {
    must(
      (await page.getAttribute("[data-testid=stream]", "data-phase")) === "live",
      "the stream was not live before",
    );
    seen.down = true;
    if (options.kill) await promisify(exec)(options.kill);
    else process.kill(options.pid, "SIGKILL");
    const took = await until(
      () => page.isVisible("[data-testid=stale]"),
      2_000,
      "nothing was said within 2 s",
    );
    await shot("stale");
    return `after ${Math.round(took)} ms`;
  });
} else console.log("SKIPPED the dead desk: neither PID nor --kill was given");

if (seen.down && options.restart) {
  await check("the page heals by itself", async () => {
    await page.evaluate(() => {
      window.notReloaded = true;
    });
    spawn(options.restart, { shell: true, detached: true, stdio: "ignore" }).unref();
    const phase = () => page.getAttribute("[data-testid=stream]", "data-phase");
    const took = await until(
      async () => (await phase()) === "live",
      90_000,
      "the stream did not come back within 90 s",
    );
    must(await page.evaluate(() => window.notReloaded), "the page was loaded anew");
    await until(async () => !(await page.isVisible("[data-testid=stale]")), 2_000, "it still says stale");
    // From here on the desk is up, and the console has no excuse.
    await page.waitForTimeout(1_000);
    seen.down = false;
    return `${Math.round(took / 100) / 10} s after the restart`;
  });

  await check("the numbers are the API's again", async () => {
    seen.answers.clear();
    await until(
      async () => {
        const { agreed, wrong } = compare(await onScreen(page), seen.answers);
        if (wrong.length > 0) throw new Wrong(wrong.join("; "));
        return agreed.size >= 10;
      },
      30_000,
      "fewer than ten numbers could be compared",
    );
    await shot("healed");
  });
}

await check("no error on the console, no request elsewhere", () => {
  must(seen.errors.length === 0, seen.errors.join(" | "));
  must(seen.foreign.length === 0, `requests to ${seen.foreign.join(", ")}`);
  const kinds = [...new Set(seen.excused.map(text => /net::\w+|status of \d+/.exec(text)?.[0]))];
  return seen.excused.length > 0
    ? `excused while the desk was dead: ${seen.excused.length} × ${kinds.join(", ")}`
    : "";
});

await close();
console.log(`browser: ${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
