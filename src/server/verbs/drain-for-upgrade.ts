import { setTimeout as pause } from "node:timers/promises";
import { err, ok, type Problem, type Result } from "../../base/result.ts";
import { VERSION } from "../../base/version.ts";
import type { DrainChange, WireDrain } from "../../wire/drain/drain.ts";
import type { WireJob } from "../../wire/job.ts";
import type { ServerStatus } from "../../wire/node.ts";
import type { UpgradeDrain } from "../installation/apply.ts";

type Done = Promise<Result<void, Problem>>;

type Surroundings = Readonly<{
  ask: (path: string, init?: RequestInit) => Promise<Response>;
  say: (line: string) => void;
  signal: AbortSignal;
  endOnDisk: (drain: WireDrain) => Result<void, Problem>;
  pollMs?: number;
}>;

const POLL_MS = 1000;
const NAMED = 4;
const PATH = "/v1/server/drain";
const STATUS = "/v1/server/status";
const AWAY = "the server does not answer, so it is not known what runs: start it, or leave out --wait";

const explain = async (response: Response): Promise<Problem> => ({
  message: `the server refused it: ${await response.text()}`,
});

const readJson = async <Value>(
  ask: Surroundings["ask"],
  path: string,
  init?: RequestInit,
): Promise<Result<Value, Problem>> => {
  try {
    const response = await ask(path, init);
    return response.ok ? ok((await response.json()) as Value) : err(await explain(response));
  } catch {
    return err({ message: AWAY });
  }
};

const isSame = (a: WireDrain | null | undefined, b: WireDrain | null): boolean =>
  (a ?? null) !== null && a?.since === b?.since && a?.why === b?.why;

const nameJobs = (jobs: readonly WireJob[], count: number): string => {
  const named = jobs.map(({ id, user }) => `${id} of ${user}`).join(", ");
  return `Waiting for ${count === 1 ? "1 job" : `${count} jobs`}: ${named}${count > jobs.length ? " and others" : ""}`;
};

const sleep = async ({ signal, pollMs = POLL_MS }: Surroundings): Promise<void> => {
  try {
    await pause(pollMs, undefined, { signal });
  } catch {}
};

const TAKEN_BACK = "jobs were let start again meanwhile: nothing was upgraded";
const INTERRUPTED = "interrupted: nothing was upgraded";

const createBegin =
  ({ ask }: Surroundings, keep: (drain: WireDrain | null) => void) =>
  async (): Done => {
    const status = await readJson<ServerStatus>(ask, STATUS);
    if (!status.ok) return status;
    if ((status.value.drain ?? null) !== null) return ok(undefined);
    const body = JSON.stringify({ why: `upgrade to ${VERSION}` });
    const headers = { "content-type": "application/json" };
    const begun = await readJson<DrainChange>(ask, PATH, { method: "PUT", headers, body });
    if (!begun.ok) return begun;
    keep(begun.value.drain);
    return ok(undefined);
  };

type Watch = Surroundings & Readonly<{ readOwn: () => WireDrain | null; begin: () => Done }>;

const judge = ({ drain, running_jobs: running }: ServerStatus, { signal, readOwn }: Watch): Result<number, Problem> => {
  if (signal.aborted) return err({ message: INTERRUPTED });
  if ((drain ?? null) !== null) return ok(running);
  return readOwn() === null ? ok(Math.max(1, running)) : err({ message: TAKEN_BACK });
};

const countLeft = async (watch: Watch): Promise<Result<number, Problem>> => {
  const begun = watch.readOwn() === null ? await watch.begin() : ok(undefined);
  if (!begun.ok) return begun;
  const status = await readJson<ServerStatus>(watch.ask, STATUS);
  return status.ok ? judge(status.value, watch) : status;
};

const tellLeft = async ({ ask, say }: Watch, count: number, before: string): Promise<string> => {
  const jobs = await readJson<readonly WireJob[]>(ask, `/v1/jobs?status=running&limit=${NAMED}`);
  const text = jobs.ok ? nameJobs(jobs.value, count) : before;
  if (text !== before) say(text);
  return text;
};

const awaitIdle = async (watch: Watch): Done => {
  let left = await countLeft(watch);
  for (let said = ""; left.ok && left.value > 0; left = await countLeft(watch)) {
    said = await tellLeft(watch, left.value, said);
    await sleep(watch);
  }
  return left.ok ? ok(undefined) : left;
};

export const createUpgradeDrain = (surroundings: Surroundings): UpgradeDrain => {
  const { ask, endOnDisk } = surroundings;
  let own: WireDrain | null = null;
  const begin = createBegin(surroundings, (drain) => {
    own = drain;
  });
  const end = async (): Done => {
    const begun = own;
    own = null;
    if (begun === null) return ok(undefined);
    const status = await readJson<ServerStatus>(ask, STATUS);
    if (!status.ok) return endOnDisk(begun);
    if (!isSame(status.value.drain, begun)) return ok(undefined);
    const ended = await readJson<DrainChange>(ask, PATH, { method: "DELETE" });
    return ended.ok ? ok(undefined) : endOnDisk(begun);
  };
  return { begin, awaitIdle: () => awaitIdle({ ...surroundings, readOwn: () => own, begin }), end };
};
