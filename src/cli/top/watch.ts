import { ok } from "../../base/result.ts";
import type { Outcome } from "../../command-line/command.ts";
import { INTERRUPTED, phraseFailure } from "../../command-line/usage.ts";
import { type Repeater, repeat } from "../../tools/repeat.ts";
import type { ServerView } from "../../wire/views/server-view.ts";
import { type Api, createApi } from "../connection/api-client.ts";
import { standBack } from "../targets/target.ts";
import { type Effect, reactToKey } from "./actions.ts";
import { carryOut, readJobLog, readPercents, readView } from "./ask-server.ts";
import { drawCurve, isPlainLocale } from "./curve.ts";
import type { Key } from "./keys.ts";
import { paintLine } from "./line.ts";
import { openTerminal, readTerminalSize, type Terminal } from "./open-terminal.ts";
import { renderScreen } from "./render.ts";
import {
  createHolder,
  createTopState,
  findLogged,
  type Holder,
  type TopState,
  takeLog,
  takeView,
} from "./top-state.ts";

type Scene = Readonly<{ api: Api; hasColors: boolean; first: ServerView }>;

type Ending = Readonly<{ end: (code: number) => void; fail: (error: unknown) => void }>;

type JobChange = Extract<Effect, { id: string }>;

const REFRESH_MS = 1000;
const CURVE_MS = 5000;
const CURVE_SPANS = 20;
const PATIENCE_MS = 10_000;
const FOLLOWED_LINES = 1000;

const nowSeconds = (): number => Date.now() / 1000;

const refreshView = async (api: Api, { change }: Holder): Promise<void> => {
  const answer = await readView(api);
  change((state) =>
    answer.ok ? takeView(state, answer.value, nowSeconds()) : { ...state, trouble: phraseFailure(answer.error) },
  );
};

const refreshLog = async (api: Api, { read, change }: Holder): Promise<void> => {
  const state = read();
  const id = findLogged(state);
  if (id === null) return;
  const count = state.mode.kind === "log" ? FOLLOWED_LINES : state.rows;
  const answer = await readJobLog(api, id, count);
  if (answer.ok) change((now) => takeLog(now, answer.value));
};

const findCurved = (state: TopState): string | null => {
  const id = findLogged(state);
  const job = state.view.running.find((one) => one.id === id);
  return job !== undefined && job.num_gpus > 0 ? job.id : null;
};

const refreshCurve = async (api: Api, { read, change }: Holder): Promise<void> => {
  const id = findCurved(read());
  const text = id === null ? "" : drawCurve(await readPercents(api, id, CURVE_SPANS), isPlainLocale(process.env));
  change((state) => ({ ...state, curve: id === null || text === "" ? null : { id, text } }));
};

type Tools = Readonly<{ terminal: Terminal; ending: Ending; ask: (change: JobChange) => void }>;

const perform = (effect: Effect, { terminal, ending, ask }: Tools): void => {
  if ("id" in effect) ask(effect);
  else if (effect.kind === "quit") ending.end(0);
  else if (effect.kind === "interrupt") ending.end(INTERRUPTED);
  else if (effect.kind === "suspend") terminal.suspend();
  else terminal.forget();
};

const isOtherLog = (before: TopState, after: TopState): boolean =>
  findLogged(before) !== findLogged(after) || before.mode.kind !== after.mode.kind;

const startPolling = (api: Api, holder: Holder, { fail }: Ending): Repeater => {
  const refreshing = repeat(() => refreshView(api, holder), REFRESH_MS, fail);
  const logs = repeat(() => refreshLog(api, holder), REFRESH_MS, fail);
  const curves = repeat(() => refreshCurve(api, holder), CURVE_MS, fail);
  const clock = setInterval(() => holder.change((state) => ({ ...state, now: nowSeconds() })), REFRESH_MS);
  holder.subscribe((before, after) => {
    if (!isOtherLog(before, after)) return;
    logs.wake();
    curves.wake();
  });
  const stop = (): void => {
    clearInterval(clock);
    refreshing.stop();
    logs.stop();
    curves.stop();
  };
  return { wake: refreshing.wake, stop };
};

const startScreen = (holder: Holder, hasColors: boolean, tools: Omit<Tools, "terminal">): Terminal => {
  const { end, fail } = tools.ending;
  const onKey = (key: Key): void => {
    const { state, effect } = reactToKey(holder.read(), key);
    if (effect !== null) perform(effect, { ...tools, terminal });
    holder.change(() => state);
  };
  const onResize = (): void => holder.change((state) => ({ ...state, ...readTerminalSize() }));
  const terminal = openTerminal({ onKey, onResize, onSignal: end, onThrow: fail });
  const show = (state: TopState): void => terminal.draw(renderScreen(state).map((line) => paintLine(line, hasColors)));
  holder.subscribe((_before, after) => show(after));
  show(holder.read());
  return terminal;
};

const startView = ({ api, hasColors, first }: Scene, ending: Ending): (() => void) => {
  const target = api.target.name;
  const holder = createHolder(createTopState({ target, now: nowSeconds(), view: first, ...readTerminalSize() }));
  const ask = async (change: JobChange): Promise<void> => {
    const notice = await carryOut(api, change);
    holder.change((state) => ({ ...state, notice }));
    polling.wake();
  };
  const terminal = startScreen(holder, hasColors, { ending, ask: (change) => void ask(change).catch(ending.fail) });
  const polling = startPolling(api, holder, ending);
  return () => {
    polling.stop();
    terminal.close();
  };
};

const runView = async (view: Scene): Promise<Outcome> => {
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  const stop = startView(view, { end: (code) => resolve(ok(code)), fail: reject });
  return promise.finally(stop);
};

/** Only the first question starts a local server. At the end no question is waited for any more. */
export const watchServer = async (api: Api, hasColors: boolean): Promise<Outcome> => {
  const first = await readView(api);
  if (!first.ok) return first;
  const ended = new AbortController();
  const limit = (): AbortSignal => AbortSignal.any([ended.signal, AbortSignal.timeout(PATIENCE_MS)]);
  const patient = createApi(standBack(api.target), limit);
  return runView({ api: patient, hasColors, first: first.value }).finally(() => ended.abort());
};
