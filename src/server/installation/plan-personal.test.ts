import { describe, expect, test } from "bun:test";
import type { OwnTraces } from "../core/machine/own-traces.ts";
import { describeStep } from "./apply.ts";
import { isTraceless, planPersonal } from "./plan-personal.ts";

const TRACES: OwnTraces = {
  pid: 7,
  state: { folder: "/state", names: ["config.toml", "jobs", "jobs.db"] },
  settings: { folder: "/home/.nexus", names: [".env", "config.toml"] },
  completion: [{ folder: "/home/.nexus", names: ["completion.zsh"] }],
  lines: [{ path: "/home/.zshrc", lines: ["read it"] }],
  foreign: [],
  programs: ["/clone", "/home/.local/bin/nx"],
};

const NOTHING: OwnTraces = {
  ...TRACES,
  pid: null,
  state: { folder: "/state", names: [] },
  settings: { folder: "/home/.nexus", names: [] },
  completion: [],
  lines: [],
};

const describePlan = (traces: Partial<OwnTraces>, deleteData = false, keepConfig = false): readonly string[] => {
  const { stop, rest } = planPersonal({ ...TRACES, ...traces }, { deleteData, keepConfig });
  return [...stop, ...rest].map(describeStep);
};

describe("the plan of taking a server of one's own away", () => {
  test("stops it and names all that stays", () => {
    expect(describePlan({ foreign: ["/state/mine"] })).toEqual([
      "stop the server (pid 7) on /state",
      "What stays:",
      "  /state, with the server's jobs, logs and settings",
      "  in /home/.nexus, what is yours in nx, tokens and variables too: .env, config.toml",
      "  in /home/.nexus, for completion: completion.zsh",
      "  in /home/.zshrc, a line",
      "nexus-server uninstall --delete-data deletes all of that.",
      "The programs stay: /clone, /home/.local/bin/nx.",
      "nx starts a server again when it needs one, unless ~/.nexus/config.toml says autostart = false.",
    ]);
  });

  test("deletes by name, so that what else lies there stays", () => {
    expect(describePlan({ foreign: ["/state/mine"] }, true)).toEqual([
      "stop the server (pid 7) on /state",
      "take a line out of /home/.zshrc",
      "remove from /state: config.toml, jobs, jobs.db",
      "remove from /home/.nexus: .env, config.toml",
      "remove from /home/.nexus: completion.zsh",
      "remove /state if nothing is left in it",
      "remove /home/.nexus if nothing is left in it",
      "Not of Nexus, so it stays: /state/mine",
      "The programs stay: /clone, /home/.local/bin/nx.",
    ]);
  });

  test("keeps both settings where they are to be kept", () => {
    expect(describePlan({ pid: null, completion: [] }, true, true)).toEqual([
      "No server runs on /state",
      "take a line out of /home/.zshrc",
      "remove from /state: jobs, jobs.db",
      "remove /state if nothing is left in it",
      "The programs stay: /clone, /home/.local/bin/nx.",
    ]);
  });

  test("is for who has anything of it", () => {
    expect([isTraceless(NOTHING), isTraceless(TRACES)]).toEqual([true, false]);
    for (const key of ["state", "settings", "completion", "lines"] as const)
      expect(isTraceless({ ...NOTHING, [key]: TRACES[key] })).toBe(false);
  });
});
