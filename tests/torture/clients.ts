import { request } from "node:http";
import { createTar } from "../support/tar-archive.ts";
import { type Arena, ask, sleep } from "./arena.ts";
import { type Answer, isAccepted } from "./history.ts";
import { commandOf, type JobPlan } from "./jobs.ts";
import type { Patch, Story, UploadPlan } from "./stories.ts";

type Wire = Readonly<{ id: string; status: string }>;

const TRIES = 60;
const CROWD = 40;
const CROWD_PAUSE_MS = 60;
const POLL_MS = 15;
const START_POLLS = 400;
const UNAVAILABLE = 503;

const toRequest = (arena: Arena, plan: JobPlan, artifactId: string | null): object => ({
  command: commandOf(plan, 0),
  user: "tester",
  num_gpus: plan.numGpus,
  priority: plan.priority,
  run_immediately: plan.runNow,
  ...(plan.behaviour.kind === "limited"
    ? { time_limit_s: plan.behaviour.limitS, warn_s: plan.behaviour.warnS ?? null }
    : {}),
  ...(plan.behaviour.kind === "tried" ? { retry: { count: 1, causes: ["exit"] } } : {}),
  ...{ vram_mib: plan.vramMib, held: plan.isHeld, after: plan.after, after_any: plan.afterAny },
  env: {
    WITNESS: arena.witnessPath,
    TORTURE: arena.helpersPath,
    ...(plan.vramMib === undefined ? {} : { SHARES: "1" }),
  },
  ...(plan.jobId === null ? {} : { job_id: plan.jobId }),
  ...(plan.gpuIdxs.length === 0 ? {} : { gpu_idxs: plan.gpuIdxs }),
  ...(artifactId === null ? {} : { artifact_id: artifactId }),
});

const shorten = (answer: Answer): Answer => (isAccepted(answer) ? { status: answer.status, body: null } : answer);

const listIds = (answer: Answer): readonly string[] | null =>
  isAccepted(answer) ? [answer.body as Wire | readonly Wire[]].flat().map(({ id }) => id) : null;

type Given = Readonly<{ artifactId?: string | null; batchMax?: number | null }>;

const trySubmit = async (
  arena: Arena,
  jobs: readonly JobPlan[],
  { artifactId = null, batchMax = null }: Given,
): Promise<Readonly<{ ids: readonly string[] | null; answer: Answer }>> => {
  const requests = jobs.map((job) => ({ ...toRequest(arena, job, artifactId), batch_max: batchMax }));
  const [path, body] = jobs.length === 1 ? ["/v1/jobs", requests[0]] : ["/v1/jobs/batch", requests];
  const answer = await ask(arena, { method: "POST", path, body: JSON.stringify(body) });
  const ids = listIds(answer);
  arena.history.add({ kind: "submit", jobs, batchMax, ids, answer: shorten(answer) });
  return { ids, answer };
};

const submit = async (arena: Arena, jobs: readonly JobPlan[], given: Given = {}): Promise<readonly string[] | null> => {
  const isSafe = jobs.every(({ jobId }) => jobId !== null);
  for (let tries = 0; tries < TRIES; tries += 1) {
    const { ids, answer } = await trySubmit(arena, jobs, given);
    if (answer !== null || !isSafe) return ids;
  }
  return null;
};

const edit = async (arena: Arena, job: JobPlan, id: string, patch: Patch): Promise<void> => {
  const body = JSON.stringify({
    ...(patch.variant === undefined ? {} : { command: commandOf(job, patch.variant) }),
    ...(patch.priority === undefined ? {} : { priority: patch.priority }),
    ...(patch.numGpus === undefined ? {} : { num_gpus: patch.numGpus }),
  });
  const answer = await ask(arena, { method: "PATCH", path: `/v1/jobs/${id}`, body });
  arena.history.add({ kind: "edit", mark: job.mark, patch, answer: shorten(answer) });
};

const removeOnce = async (arena: Arena, mark: string, id: string): Promise<Answer> => {
  arena.history.add({ kind: "removing", mark });
  const answer = await ask(arena, { method: "DELETE", path: `/v1/jobs/${id}` });
  arena.history.add({ kind: "remove", mark, answer: shorten(answer) });
  return answer;
};

const remove = async (arena: Arena, mark: string, id: string): Promise<boolean> => {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const answer = await removeOnce(arena, mark, id);
    if (answer !== null) return answer.status === 404 || isAccepted(answer);
  }
  return false;
};

const readStatus = async (arena: Arena, id: string): Promise<string | null> => {
  const answer = await ask(arena, { method: "GET", path: `/v1/jobs/${id}` });
  return isAccepted(answer) ? (answer.body as Wire).status : null;
};

const waitForStart = async (arena: Arena, id: string): Promise<string | null> => {
  for (let poll = 0; poll < START_POLLS && !arena.isPaused(); poll += 1) {
    const status = await readStatus(arena, id);
    if (status !== null && status !== "queued") return status;
    await sleep(POLL_MS);
  }
  return null;
};

/** One request to kill the job; true if it was answered with yes. */
export const killOnce = async (arena: Arena, mark: string, id: string): Promise<boolean> => {
  const answer = await ask(arena, { method: "POST", path: `/v1/jobs/${id}/kill` });
  arena.history.add({ kind: "kill", mark, answer: shorten(answer) });
  return isAccepted(answer);
};

const killWhenStarted = async (arena: Arena, mark: string, id: string, delayMs: number): Promise<void> => {
  for (let tries = 0; tries < TRIES; tries += 1) {
    if ((await waitForStart(arena, id)) !== "running") return;
    await sleep(delayMs);
    if (await killOnce(arena, mark, id)) return;
  }
};

const buildTar = ({ content, paddingBytes }: UploadPlan): Uint8Array<ArrayBuffer> =>
  new Uint8Array(
    createTar([
      { name: "payload", body: content },
      { name: "padding", body: "x".repeat(paddingBytes) },
    ]),
  );

const sendHalf = async ({ url, whenUp }: Arena, tar: Uint8Array): Promise<void> => {
  await whenUp();
  const { promise, resolve } = Promise.withResolvers<void>();
  const headers = { "content-length": tar.byteLength, "content-type": "application/octet-stream" };
  const sending = request(`${url}/v1/artifacts`, { method: "POST", headers, agent: false });
  sending.on("error", () => resolve()).on("close", () => resolve());
  sending.write(tar.subarray(0, tar.byteLength / 2), () => sending.destroy());
  return promise;
};

const upload = async (arena: Arena, plan: UploadPlan): Promise<string | null> => {
  const tar = buildTar(plan);
  for (let tries = 0; tries < TRIES; tries += 1) {
    const answer = await ask(arena, { method: "POST", path: "/v1/artifacts", body: tar });
    arena.history.add({ kind: "upload", upload: plan, answer });
    if (isAccepted(answer)) return (answer.body as { data: string }).data;
  }
  return null;
};

type Telling<Kind extends Story["kind"]> = (arena: Arena, story: Extract<Story, { kind: Kind }>) => Promise<unknown>;

const tellSubmit: Telling<"submit"> = async (arena, { job, isRepeated }) => {
  await submit(arena, [job]);
  if (isRepeated && job.jobId !== null && !job.runNow) await submit(arena, [job]);
};

const tellEdit: Telling<"edit"> = async (arena, { job, patches, isRemoved }) => {
  const [id] = (await submit(arena, [job])) ?? [];
  if (id === undefined) return;
  for (const patch of patches) await edit(arena, job, id, patch);
  if (isRemoved) await remove(arena, job.mark, id);
};

const tellRemove: Telling<"remove"> = async (arena, { job, successor }) => {
  const [id] = (await submit(arena, [job])) ?? [];
  if (id === undefined || !(await remove(arena, job.mark, id))) return;
  if (successor !== null) await submit(arena, [successor]);
};

const tellKill: Telling<"kill"> = async (arena, { job, delayMs }) => {
  const [id] = (await submit(arena, [job])) ?? [];
  if (id !== undefined) await killWhenStarted(arena, job.mark, id, delayMs);
};

const tellArtifact: Telling<"artifact"> = async (arena, { jobs, upload: plan }) => {
  if (plan.isCut) return sendHalf(arena, buildTar(plan));
  const artifactId = await upload(arena, plan);
  if (artifactId !== null) for (const job of jobs) await submit(arena, [job], { artifactId });
};

const readTime = (): number => Date.now() / 1000;

const releaseOnce = async (arena: Arena, mark: string, id: string): Promise<Answer> => {
  const askedAt = readTime();
  const answer = await ask(arena, { method: "PATCH", path: `/v1/jobs/${id}`, body: JSON.stringify({ held: false }) });
  arena.history.add({ kind: "release", mark, askedAt, answer: shorten(answer) });
  return answer;
};

const tellHeld: Telling<"hold"> = async (arena, { job }) => {
  const [id] = (await submit(arena, [job])) ?? [];
  if (id === undefined) return;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const answer = await releaseOnce(arena, job.mark, id);
    if (answer !== null && answer.status !== UNAVAILABLE) return;
  }
};

const tellChain: Telling<"chain"> = async (arena, { jobs, killsAfterMs }) => {
  const [id] = (await submit(arena, jobs)) ?? [];
  const [first] = jobs;
  if (id !== undefined && first !== undefined && killsAfterMs !== null)
    await killWhenStarted(arena, first.mark, id, killsAfterMs);
};

const setDrained = async (arena: Arena, isDrained: boolean): Promise<Answer> => {
  const askedAt = readTime();
  const method = isDrained ? "PUT" : "DELETE";
  const answer = await ask(arena, { method, path: "/v1/server/drain", ...(isDrained ? { body: "{}" } : {}) });
  arena.history.add({ kind: "drain", isDrained, askedAt, answeredAt: readTime(), answer: shorten(answer) });
  return answer;
};

const tellDrain: Telling<"drain"> = async (arena, { lastsMs }) => {
  await setDrained(arena, true);
  await sleep(lastsMs);
  for (let tries = 0; tries < TRIES && !isAccepted(await setDrained(arena, false)); tries += 1);
};

export const setBlacklisted = async (arena: Arena, gpu: number, isListed: boolean): Promise<void> => {
  const answer = await ask(arena, { method: isListed ? "PUT" : "DELETE", path: `/v1/gpus/${gpu}/blacklist` });
  arena.history.add({ kind: "blacklist", gpu, isListed, answer: shorten(answer) });
};

/** Tells the story to its end. */
export const tell = (arena: Arena, story: Story): Promise<unknown> => {
  switch (story.kind) {
    case "submit":
      return tellSubmit(arena, story);
    case "batch":
      return submit(arena, story.jobs, { batchMax: story.max });
    case "chain":
      return tellChain(arena, story);
    case "hold":
      return tellHeld(arena, story);
    case "drain":
      return tellDrain(arena, story);
    case "edit":
      return tellEdit(arena, story);
    case "remove":
      return tellRemove(arena, story);
    case "kill":
      return tellKill(arena, story);
    case "artifact":
      return tellArtifact(arena, story);
    case "blacklist":
      return setBlacklisted(arena, story.gpu, story.isListed);
  }
};

const isCrowded = async (arena: Arena): Promise<boolean> => {
  const answer = await ask(arena, { method: "GET", path: "/v1/server/status" });
  const { queued_jobs: queued = CROWD } = (answer?.body ?? {}) as { queued_jobs?: number };
  return queued >= CROWD;
};

/** Tells one story after the other until the arena is paused; a story that has begun is told to its end. */
export const runClient = async (arena: Arena, stories: Iterator<Story>): Promise<void> => {
  while (!arena.isPaused()) {
    if (await isCrowded(arena)) {
      await sleep(CROWD_PAUSE_MS);
      continue;
    }
    await tell(arena, stories.next().value);
  }
};
