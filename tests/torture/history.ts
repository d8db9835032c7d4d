import { appendFileSync, readFileSync } from "node:fs";
import type { JobPlan } from "./jobs.ts";
import type { Patch, UploadPlan } from "./stories.ts";

/** No answer: the connection ended without one, so the request may or may not have been carried out. */
export type Answer = Readonly<{ status: number; body: unknown }> | null;

/** It goes on until the server died `kills` times and `leastJobs` were accepted. */
export type RunOptions = Readonly<{
  seed: number;
  kills: number;
  leastJobs: number;
  minutes: number;
  clients: number;
  gpus: number;
  killsBetweenDrains: number;
}>;

/** Times in Unix seconds. */
export type Event =
  | Readonly<{ kind: "run"; options: RunOptions }>
  | Readonly<{
      kind: "submit";
      jobs: readonly JobPlan[];
      batchMax?: number | null;
      ids: readonly string[] | null;
      answer: Answer;
    }>
  | Readonly<{ kind: "edit"; mark: string; patch: Patch; answer: Answer }>
  | Readonly<{ kind: "removing"; mark: string }>
  | Readonly<{ kind: "remove"; mark: string; answer: Answer }>
  | Readonly<{ kind: "kill"; mark: string; answer: Answer }>
  | Readonly<{ kind: "upload"; upload: UploadPlan; answer: Answer }>
  | Readonly<{ kind: "release"; mark: string; askedAt: number; answer: Answer }>
  | Readonly<{ kind: "drain"; isDrained: boolean; askedAt: number; answeredAt: number; answer: Answer }>
  | Readonly<{ kind: "blacklist"; gpu: number; isListed: boolean; answer: Answer }>
  | Readonly<{ kind: "server"; what: string }>
  | Readonly<{ kind: "finding"; what: string }>;

/** What happened so far, in the order in which it was heard of; written to a file, one JSON document a line. */
export type History = Readonly<{ path: string; events: readonly Event[]; add: (event: Event) => void }>;

export const createHistory = (path: string): History => {
  const events: Event[] = [];
  const startedAt = performance.now();
  const add = (event: Event): void => {
    events.push(event);
    const ms = Math.round(performance.now() - startedAt);
    appendFileSync(path, `${JSON.stringify({ ms, ...event })}\n`);
  };
  return { path, events, add };
};

/** The options that a kept history was made with: its plan is made of them alone. */
export const readRunOptions = (path: string): RunOptions => {
  const first = JSON.parse(readFileSync(path, "utf8").split("\n")[0] ?? "") as Event;
  if (first.kind !== "run") throw new Error(`${path} does not begin with a run`);
  return first.options;
};

export const isAccepted = (answer: Answer): answer is NonNullable<Answer> =>
  answer !== null && answer.status >= 200 && answer.status < 300;
