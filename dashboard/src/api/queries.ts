// The snapshots the views are made of. Each is fetched whole, so its numbers belong together and to one sequence number; the
// stream triggers new requests (state/follow.ts), and a slow beat catches what no event announces, such as a strategy's
// last "no".

import { keepPreviousData, QueryClient, useQuery } from "@tanstack/react-query";
import { useDesk } from "../state/desk";
import type { Phase } from "../stream/connection";
import { ApiError, query, request } from "./client";
import type { EventAnswer } from "./events";
import type {
  BalanceTable,
  Bot,
  BotAnswer,
  CandleAnswer,
  Config,
  EquityPoint,
  Feed,
  Fill,
  InstrumentSettings,
  List,
  Order,
  Position,
  QueueAnswer,
  RiskAnswer,
  SeriesNumber,
  Status,
  ViewList,
} from "./types";

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // The stream reconnects by itself and then all data is fetched again; retries here would only add load.
      retry: (count, error) => count < 2 && error instanceof ApiError && error.status >= 500,
      refetchOnWindowFocus: false,
      staleTime: 1_000,
    },
  },
});

const SILENT = new Set<Phase>(["stale", "down", "refused"]);

/** Every `milliseconds` while the stream is up. After a reconnect all data is fetched again. */
const beat = (milliseconds: number) => () =>
  SILENT.has(useDesk.getState().stream.phase) ? false : milliseconds;

function useSnapshot<T>(key: readonly unknown[], path: string, every: number) {
  return useQuery({
    queryKey: key,
    queryFn: ({ signal }) => request<T>(path, { signal }),
    refetchInterval: beat(every),
    placeholderData: keepPreviousData,
  });
}

export const useStatus = () => useSnapshot<Status>(["status"], "status", 2_000);
export const useBots = () => useSnapshot<ViewList<Bot>>(["bots"], "bots", 3_000);
export const usePositions = () => useSnapshot<ViewList<Position>>(["positions"], "positions", 3_000);
export const useBalances = () => useSnapshot<BalanceTable>(["balances"], "balances", 3_000);
export const useRisk = () => useSnapshot<RiskAnswer>(["risk"], "risk", 3_000);
export const useFeeds = () => useSnapshot<ViewList<Feed>>(["feeds"], "feeds", 5_000);
export const useNumbers = () => useSnapshot<ViewList<SeriesNumber>>(["numbers"], "numbers", 5_000);
export const useQueues = () => useSnapshot<QueueAnswer>(["queues"], "queues", 5_000);

/** An account's line of equity, thinned by the desk where it is long; the stream adds to it. */
export function useEquity(account: string | undefined) {
  return useQuery({
    queryKey: ["equity", account],
    queryFn: ({ signal }) =>
      request<List<EquityPoint>>(`equity${query({ account, limit: 1000 })}`, { signal }),
    enabled: account !== undefined,
    staleTime: 60_000,
  });
}

export function useBot(name: string) {
  return useSnapshot<BotAnswer>(["bots", name], `bots/${encodeURIComponent(name)}`, 3_000);
}

export interface Filter {
  bot?: string | undefined;
  instrument?: string | undefined;
}

interface PageOf extends Filter {
  before?: string | undefined;
  limit?: number;
}

/** Open orders, all of them, from one view of the desk. */
export function useOpenOrders(filter: Filter) {
  return useSnapshot<ViewList<Order>>(["orders", filter], `orders${query({ ...filter })}`, 5_000);
}

/** Orders that ended, from history. */
export function useClosedOrders(page: PageOf) {
  const path = `orders${query({ status: "closed", limit: 50, ...page })}`;
  return useSnapshot<List<Order>>(["orders", "closed", page], path, 10_000);
}

export function useFills(page: PageOf) {
  return useSnapshot<List<Fill>>(["fills", page], `fills${query({ limit: 50, ...page })}`, 10_000);
}

interface ChartOf {
  instrument: string;
  interval: string;
  bot: string;
}

/** Closed candles with the bot's fills and positions on them. */
export function useCandles(chart: ChartOf) {
  return useQuery({
    queryKey: ["candles", chart],
    queryFn: ({ signal }) => request<CandleAnswer>(`candles${query({ ...chart, limit: 500 })}`, { signal }),
    refetchInterval: beat(10_000),
  });
}

/** The venue's rules of an instrument; it is read once. */
export function useInstrument(name: string): InstrumentSettings | undefined {
  const config = useQuery({
    queryKey: ["config"],
    queryFn: ({ signal }) => request<Config>("config", { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  }).data;
  return config?.instruments.find(instrument => instrument.name === name);
}

/** An event and what led to it. */
export function useCauses(event: string | undefined) {
  return useQuery({
    queryKey: ["why", event],
    queryFn: ({ signal }) => request<EventAnswer>(`why${query({ event })}`, { signal }),
    enabled: event !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
  });
}
