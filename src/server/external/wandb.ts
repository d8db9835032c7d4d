import type { Dirent } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { RunningJob } from "../core/job.ts";
import type { Environment, WandbFinder } from "../core/ports.ts";

type Run = Readonly<{ id: string; folder: string }>;
type Question = Readonly<{ query: string; variables: Readonly<Record<string, string>> }>;
type Account = Readonly<{ baseUrl: string; key: string; entity: string }>;

const MAX_DEPTH = 6;
const MAX_FOLDERS = 2000;
const MAX_METADATA_BYTES = 1024 * 1024;
const TIMEOUT_MS = 10_000;
const DEFAULT_BASE_URL = "https://api.wandb.ai";
const RUN_FOLDER = /^(?:offline-)?run-\d{8}_\d{6}-([A-Za-z0-9_-]+)$/;
const PROJECTS =
  "query Projects($entity: String) { models(entityName: $entity, first: 50) { edges { node { name } } } }";
const RUN =
  "query Run($project: String!, $entity: String!, $name: String!) { project(name: $project, entityName: $entity) { run(name: $name) { name } } }";

const listFolders = async (folder: string): Promise<readonly Dirent[]> => {
  try {
    return (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  } catch {
    return [];
  }
};

const listLevel = async (folders: readonly string[]): Promise<readonly string[]> => {
  const found: string[] = [];
  for (const folder of folders) found.push(...(await listFolders(folder)).map(({ name }) => join(folder, name)));
  return found;
};

const toRun = (folder: string): readonly Run[] => {
  const id = RUN_FOLDER.exec(basename(folder))?.[1];
  return id === undefined ? [] : [{ id, folder }];
};

const listRuns = async (top: string): Promise<readonly Run[]> => {
  const runs: Run[] = [];
  let level: readonly string[] = [top];
  let left = MAX_FOLDERS;
  for (let depth = 0; depth < MAX_DEPTH && level.length > 0 && left > 0; depth++) {
    const inside = await listLevel(level.slice(0, left));
    runs.push(...inside.flatMap(toRun));
    left -= level.length;
    level = inside.filter((folder) => toRun(folder).length === 0);
  }
  return runs;
};

const namesJob = async ({ folder }: Run, job: RunningJob): Promise<boolean> => {
  const path = join(folder, "files", "wandb-metadata.json");
  try {
    if ((await stat(path)).size > MAX_METADATA_BYTES) return false;
    const text = await readFile(path, "utf8");
    return text.includes(`"${job.id}"`) || text.includes(`${job.dir}/`);
  } catch {
    return false;
  }
};

const findRun = async (job: RunningJob): Promise<string | null> => {
  for (const run of await listRuns(join(job.dir, "repo"))) if (await namesJob(run, job)) return run.id;
  return null;
};

const ask = async ({ baseUrl, key }: Account, question: Question): Promise<unknown> => {
  const response = await fetch(`${baseUrl}/graphql`, {
    method: "POST",
    signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: { "content-type": "application/json", authorization: `Basic ${btoa(`api:${key}`)}` },
    body: JSON.stringify(question),
  });
  if (!response.ok) throw new Error(`W&B answered ${response.status}`);
  return (await response.json()) as unknown;
};

const dig = (value: unknown, ...names: readonly string[]): unknown =>
  names.reduce<unknown>(
    (inner, name) => (typeof inner === "object" && inner !== null ? Reflect.get(inner, name) : undefined),
    value,
  );

const holdsRun = async (account: Account, project: string, name: string): Promise<boolean> => {
  const variables = { project, entity: account.entity, name };
  return typeof dig(await ask(account, { query: RUN, variables }), "data", "project", "run", "name") === "string";
};

const listProjects = async (account: Account): Promise<readonly string[]> => {
  const answer = await ask(account, { query: PROJECTS, variables: { entity: account.entity } });
  const edges = dig(answer, "data", "models", "edges");
  const names = Array.isArray(edges) ? edges.map((edge) => dig(edge, "node", "name")) : [];
  return names.filter((name) => typeof name === "string");
};

const findProject = async (account: Account, env: Environment, run: string): Promise<string | null> => {
  const own = env["WANDB_PROJECT"];
  try {
    for (const project of own === undefined ? await listProjects(account) : [own]) {
      if (await holdsRun(account, project, run)) return project;
    }
    return null;
  } catch {
    return own ?? null;
  }
};

/** Looks under the job's `repo/`; the project is the one that W&B's API confirms or, unreachable, `WANDB_PROJECT`. */
export const createWandbFinder = (): WandbFinder => ({
  find: async (job, env) => {
    const [entity, key] = [env["WANDB_ENTITY"], env["WANDB_API_KEY"]];
    const run = entity === undefined || key === undefined ? null : await findRun(job);
    if (run === null || entity === undefined || key === undefined) return null;
    const baseUrl = (env["WANDB_BASE_URL"] ?? DEFAULT_BASE_URL).replace(/\/+$/, "");
    const project = await findProject({ baseUrl, key, entity }, env, run);
    return project === null ? null : `https://wandb.ai/${entity}/${project}/runs/${run}`;
  },
});
