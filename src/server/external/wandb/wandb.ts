import { quoteWord } from "../../../base/quote-word.ts";
import type { WandbFinder, WandbPage } from "../../core/running/executor.ts";
import type { Environment } from "../../core/store.ts";
import { confirmRun, findProjectOfRun, type WandbAccount } from "./wandb-api.ts";
import { findWandbRun, type WandbRun } from "./wandb-run-folder.ts";

type Confirmed = Readonly<{ project: string; isConfirmed: boolean }>;

const TIMEOUT_MS = 10_000;
const DEFAULT_BASE_URL = "https://api.wandb.ai";
const OF_THE_CLOUD = /^api\.(?=wandb\.)/;
const OF_OTHERS = /^api\./;
const NOT_CONFIRMED = "not confirmed by W&B";

const listKnownProjects = ({ projects }: WandbRun, env: Environment): readonly string[] =>
  [...projects, env["WANDB_PROJECT"] ?? ""].filter((project) => project !== "");

const believe = (known: readonly string[]): Confirmed | null =>
  known[0] === undefined ? null : { project: known[0], isConfirmed: false };

const confirmProject = async (
  account: WandbAccount,
  known: readonly string[],
  run: WandbRun,
): Promise<Confirmed | null> => {
  try {
    for (const project of known) if (await confirmRun(account, project, run.id)) return { project, isConfirmed: true };
  } catch {
    return believe(known);
  }
  const project = await findProjectOfRun(account, run.id).catch(() => null);
  return project === null ? null : { project, isConfirmed: true };
};

const findSite = (baseUrl: string, appUrl: string): string | null => {
  const url = URL.parse(appUrl === "" ? baseUrl : appUrl);
  if (url === null || !/^https?:$/.test(url.protocol)) return null;
  const host = appUrl === "" ? url.host.replace(OF_THE_CLOUD, "").replace(OF_OTHERS, "app.") : url.host;
  return `${url.protocol}//${host}${url.pathname.replace(/\/+$/, "")}`;
};

type Found = Readonly<{ entity: string; run: WandbRun; confirmed: Confirmed; site: string | null }>;

const describePage = ({ entity, run, confirmed: { project, isConfirmed }, site }: Found): WandbPage => {
  const [owner, name, id] = [entity, project, run.id].map(encodeURIComponent);
  if (site === null) return { wandbUrl: null, wandbNote: `run ${run.id} of ${entity}/${project}, ${NOT_CONFIRMED}` };
  const wandbUrl = `${site}/${owner}/${name}/runs/${id}`;
  return isConfirmed ? { wandbUrl } : { wandbUrl, wandbNote: NOT_CONFIRMED };
};

const describeOffline = ({ id, path }: WandbRun): WandbPage => ({
  wandbUrl: null,
  wandbNote: `offline run ${id} (sync it with wandb sync ${quoteWord(path)})`,
});

const findPage = async (run: WandbRun, env: Environment, timeoutMs: number): Promise<WandbPage | null> => {
  const { WANDB_ENTITY: entity = "", WANDB_API_KEY: key = "", WANDB_APP_URL: appUrl = "" } = env;
  const baseUrl = env["WANDB_BASE_URL"] || DEFAULT_BASE_URL;
  const known = listKnownProjects(run, env);
  const account = { baseUrl, key, entity, signal: AbortSignal.timeout(timeoutMs) };
  const confirmed = key === "" ? believe(known) : await confirmProject(account, known, run);
  return confirmed === null ? null : describePage({ entity, run, confirmed, site: findSite(baseUrl, appUrl) });
};

/**
 * Looks under the job's `repo/` and in its `WANDB_DIR`. The project is the one that W&B's API confirms within `timeoutMs` in
 * all, or else the one that the run's files or `WANDB_PROJECT` name. The page is one of the server that the job logs to, found
 * from `WANDB_BASE_URL` as W&B's package does. Only what belongs to `uid` is read, the server's user unless given.
 */
export const createWandbFinder = (
  timeoutMs: number = TIMEOUT_MS,
  uid: number = process.getuid?.() ?? 0,
): WandbFinder => ({
  find: async (job, env) => {
    const isAsked = (env["WANDB_ENTITY"] ?? "") !== "";
    const run = isAsked ? await findWandbRun(job, { wandbDir: env["WANDB_DIR"] ?? "", uid }) : null;
    if (run === null) return null;
    return run.isOffline ? describeOffline(run) : findPage(run, env, timeoutMs);
  },
});
