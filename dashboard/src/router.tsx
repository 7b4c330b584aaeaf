// The addresses of the views. What a view shows beyond its name is in the search parameters, so every view is a link.

import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
} from "@tanstack/react-router";
import { About } from "./views/About";
import { BotsView } from "./views/bots/BotsView";
import { EventsView } from "./views/events/EventsView";
import { Login } from "./views/Login";
import { OrdersView } from "./views/orders/OrdersView";
import { Overview } from "./views/overview/Overview";
import { Shell } from "./views/shell/Shell";

const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);

/** The search parameters that are set, out of `names`. */
function pick<Name extends string>(search: Record<string, unknown>, names: readonly Name[]) {
  const picked: { [name in Name]?: string } = {};
  for (const name of names) {
    const value = text(search[name]);
    if (value !== undefined) picked[name] = value;
  }
  return picked;
}

const rootRoute = createRootRoute({ component: Outlet });
const desk = createRoute({ getParentRoute: () => rootRoute, id: "desk", component: Shell });

const login = createRoute({
  getParentRoute: () => rootRoute,
  path: "/login",
  component: Login,
  validateSearch: (search: Record<string, unknown>) => pick(search, ["code", "to"]),
});
const overview = createRoute({ getParentRoute: () => desk, path: "/", component: Overview });
const bots = createRoute({ getParentRoute: () => desk, path: "/bots", component: BotsView });
const bot = createRoute({
  getParentRoute: () => desk,
  path: "/bots/$bot",
  component: lazyRouteComponent(() => import("./views/bot/BotView"), "BotDetail"),
  validateSearch: (search: Record<string, unknown>) => pick(search, ["instrument", "interval", "event"]),
});
const orders = createRoute({
  getParentRoute: () => desk,
  path: "/orders",
  component: OrdersView,
  validateSearch: (search: Record<string, unknown>) => pick(search, ["show", "bot", "instrument"]),
});
const events = createRoute({
  getParentRoute: () => desk,
  path: "/events",
  component: EventsView,
  validateSearch: (search: Record<string, unknown>) => pick(search, ["types"]),
});
const about = createRoute({ getParentRoute: () => desk, path: "/about", component: About });

export const router = createRouter({
  routeTree: rootRoute.addChildren([login, desk.addChildren([overview, bots, bot, orders, events, about])]),
  defaultNotFoundComponent: () => (
    <main className="p-8">
      There is nothing at this address.{" "}
      <a className="link" href="/">
        To the desk
      </a>
    </main>
  ),
  // Search parameters are text: 12.10 is an event's id, not a number.
  parseSearch: search => Object.fromEntries(new URLSearchParams(search)),
  stringifySearch: search => {
    const set = Object.entries(search).filter(([, value]) => value !== undefined && value !== "");
    const text = new URLSearchParams(set.map(([name, value]) => [name, String(value)])).toString();
    return text ? `?${text}` : "";
  },
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
