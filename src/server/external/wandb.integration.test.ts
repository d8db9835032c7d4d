import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunningJob } from "../core/job.ts";
import { createWandbFinder } from "./wandb.ts";

type Asked = { query: string; variables: Record<string, string> };

let dir: string;
let api: ReturnType<typeof startApi>;
let asked: Asked[];

const PROJECTS = { data: { models: { edges: [{ node: { name: "other" } }, { node: { name: "vision" } }] } } };

const answerQuestion = ({ query, variables }: Asked): unknown => {
  if (query.startsWith("query Projects")) return PROJECTS;
  const isThere = variables["project"] === "vision" && variables["name"] === "abc123";
  return { data: { project: { run: isThere ? { name: "abc123" } : null } } };
};

const startApi = () =>
  Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const isKnown = request.headers.get("authorization") === `Basic ${btoa("api:key")}`;
      if (!isKnown || new URL(request.url).pathname !== "/graphql") return new Response("", { status: 401 });
      const question = (await request.json()) as Asked;
      asked.push(question);
      return Response.json(answerQuestion(question));
    },
  });

beforeEach(() => {
  asked = [];
  dir = mkdtempSync(join(tmpdir(), "nexus-wandb-"));
  api = startApi();
});

afterEach(async () => {
  await api.stop(true);
  rmSync(dir, { recursive: true, force: true });
});

const writeRun = (folder: string, metadata: unknown): void => {
  const files = join(dir, "repo", folder, "files");
  mkdirSync(files, { recursive: true });
  writeFileSync(join(files, "wandb-metadata.json"), JSON.stringify(metadata));
};

const find = (env: Readonly<Record<string, string>> = {}): Promise<string | null> => {
  const job = { id: "k3f9ab", dir } as RunningJob;
  const base = { WANDB_ENTITY: "lab", WANDB_API_KEY: "key", WANDB_BASE_URL: api.url.origin };
  return createWandbFinder().find(job, { ...base, ...env });
};

const OWN = { root: () => join(dir, "repo") };

test("the run that lies in the job's folder is found, in the project that holds it", async () => {
  writeRun("wandb/run-20261124_101754-zzz999", { root: "/elsewhere" });
  writeRun("deep/er/wandb/run-20261124_101755-abc123", { root: `${OWN.root()}/` });
  expect(await find()).toBe("https://wandb.ai/lab/vision/runs/abc123");
  expect(asked.map(({ variables }) => variables["project"] ?? "all")).toEqual(["all", "other", "vision"]);
});

test("a run is found by the job's id too, and a named project is asked alone", async () => {
  writeRun("wandb/run-20261124_101755-abc123", { env: { NEXUS_JOB_ID: "k3f9ab" } });
  expect(await find({ WANDB_PROJECT: "vision" })).toBe("https://wandb.ai/lab/vision/runs/abc123");
  expect(asked).toHaveLength(1);
});

test("without an API that answers, the job's own project is believed", async () => {
  writeRun("wandb/offline-run-20261124_101755-abc123", { root: `${OWN.root()}/` });
  await api.stop(true);
  expect(await find({ WANDB_PROJECT: "mine" })).toBe("https://wandb.ai/lab/mine/runs/abc123");
  expect(await find()).toBeNull();
});

test("a run of another job, one that no project holds, and no run at all are not found", async () => {
  expect(await find()).toBeNull();
  writeRun("wandb/run-20261124_101754-zzz999", { root: "/elsewhere" });
  expect(await find()).toBeNull();
  expect(asked).toEqual([]);
  writeRun("wandb/run-20261124_101754-unknown", { root: `${OWN.root()}/` });
  expect(await find()).toBeNull();
});
