import type { WireJob } from "../../wire/job.ts";
import type { Key } from "./keys.ts";
import { countBodyRows, countLogRows } from "./layout.ts";
import { findSelected, listShown, type Mode, type TopState } from "./top-state.ts";

/** What is to be done outside. */
export type Effect =
  | Readonly<{ kind: "quit" | "interrupt" | "suspend" | "redraw" }>
  | Readonly<{ kind: "kill" | "remove"; id: string }>
  | Readonly<{ kind: "prioritise"; id: string; priority: number }>;

export type Reaction = Readonly<{ state: TopState; effect: Effect | null }>;

const LONGEST_PRIORITY = 5;
const LOWEST = -9999;
const HIGHEST = 9998;

const stay = (state: TopState): Reaction => ({ state, effect: null });
const enter = (state: TopState, mode: Mode): Reaction => stay({ ...state, mode });
const leave = (state: TopState): TopState => ({ ...state, mode: { kind: "list" } });
const tell = (state: TopState, notice: string): Reaction => stay({ ...leave(state), notice });

const limit = (value: number, min: number, max: number): number => Math.max(min, Math.min(max, value));

const measureStep = (key: Key, page: number): number | null => {
  switch (key) {
    case "up":
    case "k":
      return -1;
    case "down":
    case "j":
      return 1;
    case "page up":
      return -page;
    case "page down":
    case " ":
      return page;
    case "home":
    case "g":
      return Number.NEGATIVE_INFINITY;
    case "end":
    case "G":
      return Number.POSITIVE_INFINITY;
    default:
      return null;
  }
};

const move = (state: TopState, step: number): TopState => {
  const ids = listShown(state.view).map(({ id }) => id);
  const at = ids.indexOf(state.selected ?? "");
  return { ...state, selected: ids[limit(at + step, 0, ids.length - 1)] ?? null };
};

const askToEnd = (state: TopState, job: WireJob): Reaction =>
  job.marked_for_kill ? tell(state, `Job ${job.id} is being killed.`) : enter(state, { kind: "confirm", job });

const askPriority = (state: TopState, job: WireJob): Reaction =>
  job.status === "queued"
    ? enter(state, { kind: "priority", job, text: "" })
    : tell(state, `Job ${job.id} runs already: only a queued job's priority can be changed.`);

const actOnJob = (state: TopState, key: Key, job: WireJob): Reaction => {
  switch (key) {
    case "enter":
    case "l":
      return enter(state, { kind: "log", id: job.id, back: 0 });
    case "x":
      return askToEnd(state, job);
    case "p":
      return askPriority(state, job);
    default:
      return stay(state);
  }
};

const reactInList = (state: TopState, key: Key): Reaction => {
  const step = measureStep(key, countBodyRows(state));
  if (step !== null) return stay(move(state, step));
  if (key === "q") return { state, effect: { kind: "quit" } };
  if (key === "?" || key === "h") return enter(state, { kind: "help" });
  const job = findSelected(state);
  return job === null ? stay(state) : actOnJob(state, key, job);
};

const reactInLog = (state: TopState, mode: Extract<Mode, { kind: "log" }>, key: Key): Reaction => {
  const page = countBodyRows(state);
  const step = measureStep(key, page);
  if (step === null) return key === "q" || key === "escape" || key === "l" ? stay(leave(state)) : stay(state);
  const most = Math.max(0, countLogRows(state) - page);
  return enter(state, { ...mode, back: limit(mode.back - step, 0, most) });
};

const reactToAnswer = (state: TopState, job: WireJob, key: Key): Reaction => {
  if (key !== "y" && key !== "Y") return tell(state, "Nothing was done.");
  return { state: leave(state), effect: { kind: job.status === "queued" ? "remove" : "kill", id: job.id } };
};

const acceptPriority = (state: TopState, job: WireJob, text: string): Reaction => {
  const priority = Number(text);
  if (!/^-?\d+$/.test(text) || priority < LOWEST || priority > HIGHEST)
    return tell(state, `A priority is a whole number from ${LOWEST} to ${HIGHEST}.`);
  return { state: leave(state), effect: { kind: "prioritise", id: job.id, priority } };
};

const reactInPriority = (state: TopState, mode: Extract<Mode, { kind: "priority" }>, key: Key): Reaction => {
  if (key === "escape") return tell(state, "Nothing was done.");
  if (key === "enter") return acceptPriority(state, mode.job, mode.text);
  if (key === "backspace") return enter(state, { ...mode, text: mode.text.slice(0, -1) });
  const text = mode.text + key;
  return /^-?\d*$/.test(text) && text.length <= LONGEST_PRIORITY ? enter(state, { ...mode, text }) : stay(state);
};

const reactInMode = (state: TopState, key: Key): Reaction => {
  const { mode } = state;
  switch (mode.kind) {
    case "list":
      return reactInList(state, key);
    case "help":
      return stay(leave(state));
    case "log":
      return reactInLog(state, mode, key);
    case "confirm":
      return reactToAnswer(state, mode.job, key);
    case "priority":
      return reactInPriority(state, mode, key);
  }
};

/** A key first takes away what was last told. */
export const reactToKey = (state: TopState, key: Key): Reaction => {
  if (key === "interrupt" || key === "suspend" || key === "redraw") return { state, effect: { kind: key } };
  return reactInMode({ ...state, notice: null }, key);
};
