import type { WandbFinder } from "../../core/running/executor.ts";
import type { Environment } from "../../core/store.ts";
import { confirmRun, findProjectOfRun, type WandbAccount } from "./wandb-api.ts";
import { findWandbRun, type WandbRun } from "./wandb-run-folder.ts";

const TIMEOUT_MS = 10_000;
const DEFAULT_BASE_URL = "https://api.wandb.ai";

const listKnownProjects = ({ projects }: WandbRun, env: Environment): readonly string[] =>
  [...projects, env["WANDB_PROJECT"] ?? ""].filter((project) => project !== "");

const confirmProject = async (
  account: WandbAccount,
  known: readonly string[],
  run: WandbRun,
): Promise<string | null> => {
  try {
    for (const project of known) if (await confirmRun(account, project, run.id)) return project;
  } catch {
    return known[0] ?? null;
  }
  return findProjectOfRun(account, run.id).catch(() => null);
};

const toUrl = (...[entity, project, run]: readonly [string, string, string]): string =>
  `https://wandb.ai/${encodeURIComponent(entity)}/${encodeURIComponent(project)}/runs/${encodeURIComponent(run)}`;

/**
 * Looks under the job's `repo/`. The project is the one that W&B's API confirms within `timeoutMs` in all, or else the
 * one that the run's files or `WANDB_PROJECT` name.
 */
export const createWandbFinder = (timeoutMs: number = TIMEOUT_MS): WandbFinder => ({
  find: async (job, env) => {
    const { WANDB_ENTITY: entity = "", WANDB_API_KEY: key = "", WANDB_BASE_URL: baseUrl = DEFAULT_BASE_URL } = env;
    const run = entity === "" ? null : await findWandbRun(job);
    if (run === null) return null;
    const known = listKnownProjects(run, env);
    const account = { baseUrl, key, entity, signal: AbortSignal.timeout(timeoutMs) };
    const project = key === "" ? (known[0] ?? null) : await confirmProject(account, known, run);
    return project === null ? null : toUrl(entity, project, run.id);
  },
});
