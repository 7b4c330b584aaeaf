// A mock desk: it answers as docs/api.md describes, with 45 bots on invented prices, to work on the dashboard without
// building the rest. node scripts/mock.mjs [--port 8787]; sign in at the link it prints. It serves dist/ under the
// desk's own content security policy, so what breaks there breaks here.
import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { AnsweringDesk } from "./mock/answers.mjs";

const port = Number(process.argv[process.argv.indexOf("--port") + 1]) || 8787;
const TOKEN = "mock-token";
const dist = new URL("../dist/", import.meta.url).pathname;
const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

const desk = new AnsweringDesk();
setInterval(() => desk.tick(), 100);

function json(response, status, body) {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

function refuse(response, status, code, message, hint) {
  json(response, status, { error: { code, message, hint } });
}

/** The dashboard's files; every other path is the page itself, whose router knows it. */
function file(path, response) {
  const wanted = join(dist, normalize(path));
  const found = extname(wanted) && existsSync(wanted) ? wanted : join(dist, "index.html");
  response.writeHead(200, {
    "content-type": TYPES[extname(found)] ?? "application/octet-stream",
    "content-security-policy":
      "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
  });
  createReadStream(found).pipe(response);
}

/** Server-sent events: lossless ones from `Last-Event-ID` on, prices every 100 ms, a ping every second. */
function stream(request, response) {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  const send = event => {
    const id = event.type === "price_update" ? "" : `id: ${event.id}\n`;
    response.write(`${id}event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  };
  for (const event of desk.since(request.headers["last-event-id"])) send(event);
  for (const event of desk.prices(true)) send(event);
  const leave = desk.subscribe(send);
  const ping = setInterval(() => response.write(": ping\n\n"), 1000);
  response.write(": ping\n\n");
  request.on("close", () => {
    clearInterval(ping);
    leave();
  });
}

async function body(request) {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text ? JSON.parse(text) : {};
}

async function api(request, response, url) {
  const path = url.pathname.slice("/api/v1/".length);
  if (path === "session") return json(response, 200, { token: TOKEN });
  if (request.headers.authorization !== `Bearer ${TOKEN}`) {
    return refuse(
      response,
      401,
      "unauthorized",
      "The token is missing or wrong.",
      "The file token in the data directory has it.",
    );
  }
  if (path === "events") return stream(request, response);
  const given = request.method === "GET" ? Object.fromEntries(url.searchParams) : await body(request);
  const answer = desk.answer(request.method, path.split("/").map(decodeURIComponent), given);
  if (answer === undefined) return refuse(response, 404, "not_found", `there is nothing at ${path}`);
  json(response, 200, answer);
}

createServer((request, response) => {
  const url = new URL(request.url ?? "/", "http://localhost");
  if (url.pathname.startsWith("/api/v1/")) {
    api(request, response, url).catch(error => refuse(response, 500, "internal", String(error)));
  } else file(url.pathname, response);
}).listen(port, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${port}/login?code=mock (token: ${TOKEN})`);
});
