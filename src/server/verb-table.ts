import { ok } from "../base/result.ts";
import { VERSION } from "../base/version.ts";
import { listSettingFlags } from "./external/settings/setting-list.ts";
import type { ServerFlag, ServerVerb } from "./server-verb.ts";

export const SETTING_FLAGS: readonly ServerFlag[] = listSettingFlags();

const DRY_RUN: ServerFlag = { name: "dry-run", help: "say what would be done, and do nothing" };
const YES: ServerFlag = { name: "yes", short: "y", help: "don't ask" };
const LINES: ServerFlag = { name: "lines", short: "n", value: "N", help: "how many (default: 100)" };

const createServiceVerb = (verb: "status" | "start" | "stop" | "restart", summary: string): ServerVerb => ({
  usage: `nexus-server ${verb}`,
  summary,
  flags: [],
  run: async (call) => (await import("./verbs/service.ts")).runService(verb, call),
});

const INSTALLATION: Readonly<Record<string, ServerVerb>> = {
  install: {
    usage: "nexus-server install [flags]",
    summary: "make it a service of this machine",
    flags: [
      { name: "config", value: "FILE", help: "use this configuration" },
      { name: "non-interactive", help: "never ask (it doesn't)" },
      { name: "force", help: "write a new configuration over the old one" },
      { name: "no-start", help: "don't start it" },
      DRY_RUN,
    ],
    run: async (call) => (await import("./verbs/install.ts")).runInstall(call),
  },
  uninstall: {
    usage: "nexus-server uninstall [flags]",
    summary: "take the service away, not its jobs",
    flags: [
      { name: "keep-config", help: "leave /etc/nexus_server" },
      { name: "delete-data", help: "delete its jobs, logs and user, too" },
      { name: "force", help: "also while jobs are running" },
      YES,
      DRY_RUN,
    ],
    run: async (call) => (await import("./verbs/install.ts")).runUninstall(call),
  },
  upgrade: {
    usage: "nexus-server upgrade",
    summary: "put this program in its place; jobs go on",
    flags: [DRY_RUN],
    run: async (call) => (await import("./verbs/install.ts")).runUpgrade(call),
  },
};

const OPERATION: Readonly<Record<string, ServerVerb>> = {
  config: {
    usage: "nexus-server config [--edit]",
    summary: "show the settings, or edit their file",
    flags: [{ name: "edit", help: "in $EDITOR; a file with a mistake is not taken" }],
    run: async (call) => (await import("./verbs/config.ts")).runConfig(call),
  },
  status: createServiceVerb("status", "whether it runs"),
  logs: {
    usage: "nexus-server logs [-n N] [-f]",
    summary: "its log",
    flags: [LINES, { name: "follow", short: "f", help: "and what is written from now on" }],
    run: async (call) => (await import("./verbs/service.ts")).runService("logs", call),
  },
  start: createServiceVerb("start", "start the service"),
  stop: createServiceVerb("stop", "stop the server; jobs go on"),
  restart: createServiceVerb("restart", "restart the service; jobs go on"),
  token: {
    usage: "nexus-server token add|list|revoke",
    summary: "who may use this server from elsewhere",
    flags: [
      { name: "role", value: "ROLE", help: "add NAME: viewer (looks), user (the default) or admin" },
      { name: "expires", value: "WHEN", help: "add NAME: 30d, 12h or 2027-01-31 (default: never)" },
      { name: "json", help: "list: as JSON" },
      { name: "rotate", help: "a new token that names nobody; the old one is refused" },
    ],
    maxWords: 2,
    run: async (call) => (await import("./verbs/token.ts")).runToken(call),
  },
};

const CLEAN: ServerVerb = {
  usage: "nexus-server clean [--dry-run]",
  summary: "remove old jobs' folders now",
  flags: [DRY_RUN],
  run: async (call) => (await import("./verbs/clean.ts")).runClean(call),
};

const STATE: Readonly<Record<string, ServerVerb>> = {
  backup: {
    usage: "nexus-server backup [--output FILE]",
    summary: "copy its state, also while it runs",
    flags: [{ name: "output", value: "FILE", help: "default: a new one in backups in the server folder" }],
    run: async (call) => (await import("./verbs/backup.ts")).runBackup(call),
  },
  restore: {
    usage: "nexus-server restore [FILE]",
    summary: "put a backup (the latest) in its place",
    flags: [],
    maxWords: 1,
    run: async (call) => (await import("./verbs/restore.ts")).runRestore(call),
  },
  clean: CLEAN,
};

const ATTACH_SESSION: ServerVerb = {
  usage: "nexus-server attach-session",
  summary: "all that a registered SSH key may do",
  flags: [{ name: "user", value: "NAME", help: "only to jobs of this name" }],
  run: async (call) => (await import("./verbs/attach-session.ts")).runAttachSession(call),
};

export const SERVER_VERBS: Readonly<Record<string, ServerVerb>> = {
  ...INSTALLATION,
  ...OPERATION,
  ...STATE,
  "attach-session": ATTACH_SESSION,
  version: {
    usage: "nexus-server version",
    summary: "print the version",
    flags: [],
    run: async () => {
      process.stdout.write(`${VERSION}\n`);
      return ok(0);
    },
  },
};
