// The frame around every view: the permanent banner, the way about, the alarm when the stream is down. It owns the stream.

import { useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useNavigate } from "@tanstack/react-router";
import { useEffect, useSyncExternalStore } from "react";
import { useStatus } from "../../api/queries";
import { onTokenChange, setToken, token } from "../../api/session";
import { updateDeskClock, useDesk } from "../../state/desk";
import { follow } from "../../state/follow";
import { Banner } from "./Banner";
import { Causes } from "./Causes";
import { Mark } from "./Mark";
import { StreamAlarm } from "./StreamAlarm";

const VIEWS = [
  { to: "/", label: "Desk" },
  { to: "/bots", label: "Bots" },
  { to: "/orders", label: "Orders and fills" },
  { to: "/events", label: "Events" },
] as const;

export function Shell() {
  const bearer = useSyncExternalStore(onTokenChange, token);
  const client = useQueryClient();
  const navigate = useNavigate();
  useEffect(() => {
    if (bearer) return follow(client, bearer);
    void navigate({ to: "/login", replace: true });
  }, [bearer, client, navigate]);
  return bearer ? <Frame /> : null;
}

function Frame() {
  const status = useStatus().data;
  const phase = useDesk(state => state.stream.phase);
  useEffect(() => {
    if (status) updateDeskClock(status.at, Number(status.mode.speed));
  }, [status]);
  useEffect(() => {
    if (phase === "refused") setToken(undefined);
  }, [phase]);
  const stale = phase === "stale" || phase === "down";
  return (
    <div data-stale={stale} className="flex min-h-dvh flex-col">
      <a
        href="#view"
        className="sr-only focus:not-sr-only focus:absolute focus:z-50 focus:bg-panel focus:p-2"
      >
        Skip to the view
      </a>
      <div className="sticky top-0 z-40 bg-ink">
        <StreamAlarm />
        <Banner status={status} />
        <Navigation />
        <Causes status={status} />
      </div>
      <main id="view" className="flex-1 p-2 sm:p-3">
        <Outlet />
      </main>
      <footer className="flex flex-wrap gap-x-4 border-t border-line px-3 py-2 text-2xs text-faint">
        <span>Tradewind {status?.version}</span>
        <span>Times are UTC by the desk's clock</span>
        <Link to="/about" className="hover:text-text">
          About and notices
        </Link>
      </footer>
    </div>
  );
}

function Navigation() {
  return (
    <nav
      aria-label="Views"
      className="flex items-stretch gap-1 overflow-x-auto border-b border-line bg-panel px-3 text-sm"
    >
      <Link to="/" className="mr-4 hidden items-center sm:flex" aria-label="Tradewind, the desk">
        <Mark className="text-base" />
      </Link>
      {VIEWS.map(view => (
        <Link
          key={view.to}
          to={view.to}
          activeOptions={{ exact: view.to === "/" }}
          className="border-b-2 border-transparent px-2 py-2 whitespace-nowrap text-dim hover:text-text"
          activeProps={{ className: "border-sea! text-text!", "aria-current": "page" }}
        >
          {view.label}
        </Link>
      ))}
    </nav>
  );
}
