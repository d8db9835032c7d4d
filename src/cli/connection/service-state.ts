import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { err, ok, type Result } from "../../base/result.ts";
import { UNREACHABLE } from "../../command-line/usage.ts";
import { runCommand } from "../../tools/run-command.ts";
import { acceptsConnections } from "../../tools/sockets/accepts-connections.ts";
import { LOCAL_SOCKET, SERVICE_UNIT } from "../../wire/local-socket.ts";
import { hint } from "../terminal/output.ts";
import { type ApiFailure, NOT_LISTENING } from "./api-failure.ts";

type ServiceState = "changing" | "fresh" | "deaf" | "failed" | "stopped";

const PATIENCE_MS = 60_000;
const QUIET_MS = 1000;
const POLL_MS = 100;
const LIMITS = { timeoutMs: 5000, maxOutputBytes: 65_536 };
const PROPERTIES = "--property=ActiveState,Job,ActiveEnterTimestampMonotonic";
const CHANGING = ["activating", "deactivating", "reloading"];
const START = "start it with: sudo nexus-server start";

const WORDS: Readonly<Partial<Record<ServiceState, string>>> = {
  deaf: `the server of this machine runs, but not at ${LOCAL_SOCKET}: give it that socket (sudo nexus-server config --edit), or restart it`,
  failed: `the server of this machine has failed (sudo nexus-server logs says why); ${START}`,
  stopped: `the server of this machine is stopped; ${START}`,
};

const fail = (message: string): Result<never, ApiFailure> =>
  err({ exitCode: UNREACHABLE, code: NOT_LISTENING, message });

const readUptimeMs = (): number => Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]) * 1000;

const judgeActive = (sinceUs: string | undefined): ServiceState =>
  readUptimeMs() - Number(sinceUs) / 1000 < PATIENCE_MS ? "fresh" : "deaf";

const readState = async (): Promise<ServiceState> => {
  const asked = await runCommand(["systemctl", "show", PROPERTIES, basename(SERVICE_UNIT)], LIMITS);
  const lines = asked.ok && asked.value.exitCode === 0 ? asked.value.stdout.split("\n") : [];
  const properties = Object.fromEntries(lines.map((line) => line.split("=")));
  const { ActiveState: state, Job: job, ActiveEnterTimestampMonotonic: since } = properties;
  if (Number(job) > 0 || CHANGING.includes(state)) return "changing";
  if (state === "active") return judgeActive(since);
  return state === "failed" ? "failed" : "stopped";
};

const say = (waitedMs: number, isTold: boolean): boolean => {
  const isLate = waitedMs > QUIET_MS;
  if (isLate && !isTold) hint("The server of this machine is restarting; waiting for it (a minute at most) …");
  return isLate;
};

/** Waits while systemd starts, stops or restarts the installed server; one that is stopped or has failed is told at once. */
export const awaitService = async (): Promise<Result<void, ApiFailure>> => {
  const begin = performance.now();
  for (let isTold = false; ; ) {
    const state = await readState();
    if (state !== "changing" && (await acceptsConnections(LOCAL_SOCKET))) return ok(undefined);
    const final = WORDS[state];
    if (final !== undefined) return fail(final);
    const waitedMs = performance.now() - begin;
    if (waitedMs > PATIENCE_MS) return fail("the server of this machine has not come back within a minute");
    isTold = say(waitedMs, isTold);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
};

/** Waits for the server that is being restarted, or has just been; false where it is not. */
export const outlastRestart = async (): Promise<boolean> =>
  ["changing", "fresh"].includes(await readState()) && (await awaitService()).ok;
