import type { JobLog, Snapshot, TopState } from "./top-state.ts";
import { findLogged, listShown } from "./top-state.ts";

const keepSelection = ({ snapshot, selected }: TopState, next: Snapshot): string | null => {
  const jobs = listShown(next);
  if (jobs.some(({ id }) => id === selected)) return selected;
  const place = listShown(snapshot).findIndex(({ id }) => id === selected);
  return jobs[Math.min(Math.max(0, place), jobs.length - 1)]?.id ?? null;
};

/** The selection stays with its job, and with its place once the job is gone. */
export const takeSnapshot = (state: TopState, snapshot: Snapshot, now: number): TopState => ({
  ...state,
  now,
  answeredAt: now,
  trouble: null,
  snapshot,
  selected: keepSelection(state, snapshot),
});

/** What comes for another job than the shown one is left out; while one looks back, the followed log stands still. */
export const takeLog = (state: TopState, log: JobLog): TopState => {
  const isStill = state.mode.kind === "log" && state.mode.back > 0 && state.log?.job.id === log.job.id;
  return findLogged(state) !== log.job.id || isStill ? state : { ...state, log };
};
