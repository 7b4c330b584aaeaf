// Writes a .gz beside every file of dist/ that shrinks. The desk embeds and serves these, so it never compresses at run time.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { constants, gzipSync } from "node:zlib";

const dist = new URL("../dist/", import.meta.url).pathname;
const shrinks = /\.(html|js|css|svg|txt|json)$/;
const budget = 250_000;

let main = 0;
for (const name of readdirSync(dist, { recursive: true })) {
  const path = join(dist, name);
  if (!shrinks.test(name) || !statSync(path).isFile()) continue;
  const packed = gzipSync(readFileSync(path), { level: constants.Z_BEST_COMPRESSION });
  writeFileSync(`${path}.gz`, packed);
  if (/index-.*\.(js|css)$/.test(name)) main += packed.length;
}
console.log(`main bundle: ${(main / 1000).toFixed(0)} kB gzip of ${budget / 1000} kB`);
if (main > budget) {
  console.error("The main bundle is over its budget: load a view lazily or leave a dependency out.");
  process.exit(1);
}
