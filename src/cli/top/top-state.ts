import type { WireJob } from "../../wire/job.ts";
import type { ServerView } from "../../wire/views/server-view.ts";

/** `lines` are the last ones, harmless and without line ends. */
export type JobLog = Readonly<{ job: WireJob; lines: readonly string[] }>;

/** What the GPUs of a job did lately. */
export type Curve = Readonly<{ id: string; text: string }>;

/** `back` counts the rows that lie below what a followed log shows; `text` is what was typed so far. */
export type Mode =
  | Readonly<{ kind: "list" | "help" }>
  | Readonly<{ kind: "log"; id: string; back: number }>
  | Readonly<{ kind: "confirm"; job: WireJob }>
  | Readonly<{ kind: "priority"; job: WireJob; text: string }>;

/** Times are Unix seconds; `answeredAt` is when the server last answered. `selected` is a job's id. */
export type TopState = Readonly<{
  target: string;
  columns: number;
  rows: number;
  now: number;
  answeredAt: number;
  view: ServerView;
  trouble: string | null;
  selected: string | null;
  log: JobLog | null;
  curve: Curve | null;
  mode: Mode;
  notice: string | null;
}>;

export const listShown = ({ running, queued }: ServerView): readonly WireJob[] => [...running, ...queued];

export const findSelected = ({ view, selected }: TopState): WireJob | null =>
  listShown(view).find(({ id }) => id === selected) ?? null;

/** The job whose log is shown, selected or followed. */
export const findLogged = ({ mode, selected }: TopState): string | null => (mode.kind === "log" ? mode.id : selected);

export const createTopState = (facts: Pick<TopState, "target" | "columns" | "rows" | "now" | "view">): TopState => ({
  ...facts,
  answeredAt: facts.now,
  trouble: null,
  selected: listShown(facts.view)[0]?.id ?? null,
  log: null,
  curve: null,
  mode: { kind: "list" },
  notice: null,
});

type Listener = (before: TopState, after: TopState) => void;

/** The one place where the state is kept. */
export type Holder = Readonly<{
  read: () => TopState;
  change: (next: (state: TopState) => TopState) => void;
  subscribe: (listener: Listener) => void;
}>;

export const createHolder = (first: TopState): Holder => {
  const listeners: Listener[] = [];
  let state = first;
  return {
    read: () => state,
    change: (next) => {
      const before = state;
      state = next(before);
      for (const listen of listeners) listen(before, state);
    },
    subscribe: (listener) => void listeners.push(listener),
  };
};

const keepSelection = ({ view, selected }: TopState, next: ServerView): string | null => {
  const jobs = listShown(next);
  if (jobs.some(({ id }) => id === selected)) return selected;
  const place = listShown(view).findIndex(({ id }) => id === selected);
  return jobs[Math.min(Math.max(0, place), jobs.length - 1)]?.id ?? null;
};

/** The selection stays with its job, and with its place once the job is gone. */
export const takeView = (state: TopState, view: ServerView, now: number): TopState => ({
  ...state,
  now,
  answeredAt: now,
  trouble: null,
  view,
  selected: keepSelection(state, view),
});

/** What comes for another job than the shown one is left out; while one looks back, the followed log stands still. */
export const takeLog = (state: TopState, log: JobLog): TopState => {
  const isStill = state.mode.kind === "log" && state.mode.back > 0 && state.log?.job.id === log.job.id;
  return findLogged(state) !== log.job.id || isStill ? state : { ...state, log };
};
