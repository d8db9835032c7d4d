import type { Verb } from "../command-line/command.ts";

type VerbModule = Readonly<{ verb: Verb }>;

/** A verb's file is loaded only when it is called. */
export const VERBS: Readonly<Record<string, () => Promise<VerbModule>>> = {
  status: () => import("./verbs/status.ts"),
  top: () => import("./verbs/top.ts"),
  run: () => import("./verbs/run.ts"),
  add: () => import("./verbs/add.ts"),
  queue: () => import("./verbs/queue.ts"),
  history: () => import("./verbs/history.ts"),
  get: () => import("./verbs/get.ts"),
  logs: () => import("./verbs/logs.ts"),
  attach: () => import("./verbs/attach.ts"),
  kill: () => import("./verbs/kill.ts"),
  remove: () => import("./verbs/remove.ts"),
  edit: () => import("./verbs/edit.ts"),
  why: () => import("./verbs/why.ts"),
  wait: () => import("./verbs/wait.ts"),
  health: () => import("./verbs/health.ts"),
  notify: () => import("./verbs/notify.ts"),
  blacklist: () => import("./verbs/blacklist.ts"),
  target: () => import("./verbs/target.ts"),
  config: () => import("./verbs/config.ts"),
  env: () => import("./verbs/env.ts"),
  jobrc: () => import("./verbs/jobrc.ts"),
  setup: () => import("./verbs/setup.ts"),
  completion: () => import("./verbs/completion.ts"),
  version: () => import("./verbs/version.ts"),
};
