import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import { describeError } from "../../../base/describe-error.ts";
import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import type { Log } from "../../core/telemetry/log.ts";
import { type Listener, type ListenerOptions, type ListenerPlace, openListener } from "./listener.ts";
import type { Places } from "./places.ts";

/** `urls` has one for each address that is listened on. */
export type HttpServer = Readonly<{ urls: readonly string[]; stop: () => Promise<void> }>;

/** The first of the `ports` that is free at all `places` is taken. Every `lookEveryMs` the certificate is looked at. */
export type HttpServerOptions = Omit<ListenerOptions, "countPending"> &
  Readonly<{ places: Places; ports: readonly number[]; lookEveryMs: number; log: Log }>;

type Failed = Problem & Readonly<{ isTaken: boolean }>;
type Opening = ListenerOptions & Pick<HttpServerOptions, "places">;
type State = Readonly<{ current: Listener[]; live: Set<Listener> }>;

const PORT_POLL_MS = 10;
const PORT_POLLS = 100;

const takenSchema = z.object({ code: z.literal("EADDRINUSE") });

const formatHost = (address: string): string => (address.includes(":") ? `[${address}]` : address);

const attempt = <Value>(
  { hostname, port }: Omit<ListenerPlace, "reusePort">,
  act: () => Value,
): Result<Value, Failed> => {
  try {
    return ok(act());
  } catch (error) {
    const message = `${formatHost(hostname)}:${port} can't be listened on: ${describeError(error)}`;
    return err({ message, isTaken: takenSchema.safeParse(error).success });
  }
};

const checkFree = (hostname: string, port: number): Result<void, Failed> =>
  attempt({ hostname, port }, () => void Bun.serve({ hostname, port, fetch: () => new Response(null) }).stop(true));

const openEach = (addresses: readonly string[], wanted: number, opening: Opening): Result<Listener[], Failed> => {
  const { places, ...options } = opening;
  const opened: Listener[] = [];
  for (const hostname of addresses) {
    const place = { hostname, port: opened[0]?.port ?? wanted, reusePort: places.areNested };
    const listener = attempt(place, () => openListener(options, place));
    if (!listener.ok) {
      for (const other of opened) void other.stop(true);
      return listener;
    }
    opened.push(listener.value);
  }
  return ok(opened);
};

const openNested = (addresses: readonly string[], wanted: number, opening: Opening): Result<Listener[], Failed> => {
  const free = checkFree(addresses[0] ?? "", wanted);
  if (!free.ok) return free;
  const opened = openEach(addresses.toReversed(), wanted, opening);
  return opened.ok ? ok(opened.value.toReversed()) : opened;
};

const openAll = (opening: Opening, wanted: number): Result<Listener[], Failed> => {
  const { addresses, areNested } = opening.places;
  return areNested ? openNested(addresses, wanted, opening) : openEach(addresses, wanted, opening);
};

const openFirstFree = (opening: Opening, [port = 0, ...others]: readonly number[]): Result<Listener[], Failed> => {
  const opened = openAll(opening, port);
  return opened.ok || !opened.error.isTaken || others.length === 0 ? opened : openFirstFree(opening, others);
};

const openAgain = async (options: ListenerOptions, place: ListenerPlace): Promise<Listener> => {
  for (let poll = 1; poll < PORT_POLLS; poll += 1) {
    const opened = attempt(place, () => openListener(options, place));
    if (opened.ok) return opened.value;
    await pause(PORT_POLL_MS);
  }
  return openListener(options, place);
};

const replaceListener = async (state: State, index: number, { places, ...options }: Opening): Promise<void> => {
  const before = state.current[index];
  if (before === undefined) return;
  const hostname = places.addresses[index] ?? "";
  const place = { hostname, port: before.port ?? 0, reusePort: places.areNested };
  const beside = places.areNested ? openListener(options, place) : null;
  void before.stop().then(() => state.live.delete(before));
  const next = beside ?? (await openAgain(options, place));
  state.current[index] = next;
  state.live.add(next);
};

const watchCertificate = (state: State, opening: Opening, { lookEveryMs, log }: HttpServerOptions): (() => void) => {
  const { certificate } = opening;
  if (certificate === null) return () => undefined;
  let isLooking = false;
  const look = async (): Promise<void> => {
    if (isLooking) return;
    isLooking = true;
    try {
      if (!(await certificate.look())) return;
      for (const index of state.current.keys()) await replaceListener(state, index, opening);
      log.info("certificate taken", { fingerprint: certificate.pair().facts.fingerprint });
    } catch (error) {
      log.error("certificate can't be served", { reason: describeError(error) });
    } finally {
      isLooking = false;
    }
  };
  const timer = setInterval(look, lookEveryMs);
  return () => clearInterval(timer);
};

const describeAddress = ({ url, port }: Listener, address: string): string =>
  `${url.protocol}//${formatHost(address)}:${port}`;

/** Another certificate is served from the next connection on; what is connected stays so. TLS is 1.2 or later, as Bun has it. */
export const startHttpServer = (options: HttpServerOptions): Result<HttpServer, Problem> => {
  const { places, ports, certificate, answer, findHolder } = options;
  const live = new Set<Listener>();
  const countPending = (): number => [...live].reduce((sum, { pendingRequests }) => sum + pendingRequests, 0);
  const opening = { places, certificate, answer, findHolder, countPending };
  const opened = openFirstFree(opening, ports);
  if (!opened.ok) return opened;
  for (const listener of opened.value) live.add(listener);
  const endWatch = watchCertificate({ current: opened.value, live }, opening, options);
  const stop = async (): Promise<void> => {
    endWatch();
    await Promise.all([...live].map((listener) => listener.stop(true)));
  };
  const urls = opened.value.map((listener, index) => describeAddress(listener, places.addresses[index] ?? ""));
  return ok({ urls, stop });
};
