import type { Program } from "../command-line/command.ts";

export const SERVER_VERBS: Program["verbs"] = {
  install: () => import("./verbs/install.ts"),
  uninstall: () => import("./verbs/uninstall.ts"),
  upgrade: () => import("./verbs/upgrade.ts"),
  config: () => import("./verbs/config.ts"),
  status: () => import("./verbs/status.ts"),
  logs: () => import("./verbs/logs.ts"),
  start: () => import("./verbs/start.ts"),
  stop: () => import("./verbs/stop.ts"),
  drain: () => import("./verbs/drain.ts"),
  resume: () => import("./verbs/resume.ts"),
  restart: () => import("./verbs/restart.ts"),
  token: () => import("./verbs/token.ts"),
  backup: () => import("./verbs/backup.ts"),
  restore: () => import("./verbs/restore.ts"),
  import: () => import("./verbs/import.ts"),
  clean: () => import("./verbs/clean.ts"),
  "attach-session": () => import("./verbs/attach-session.ts"),
  version: () => import("./verbs/version.ts"),
};
