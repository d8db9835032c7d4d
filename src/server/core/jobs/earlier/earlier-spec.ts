import { INTEGRATION_NAMES, NOTIFICATION_NAMES } from "../../../../wire/job-names.ts";
import { type ArtifactId, type JobId, type JobSpec, UNKNOWN_CODE } from "../job.ts";
import {
  type EarlierRow,
  isRowSwitch,
  readRowIndexes,
  readRowNames,
  readRowNumber,
  readRowText,
  readRowTexts,
  readRowWhole,
  type Texts,
} from "./earlier-row.ts";

/** `createdAt` is when it came, where its row does not say so. `findArtifact` names the code here; null where the database has none of that id. */
export type SpecFacts = Readonly<{ createdAt: number; findArtifact: (id: string) => ArtifactId | null }>;

/** `trouble` is what keeps the job from running as it was meant. */
export type EarlierSpec = Readonly<{ spec: JobSpec; env: Texts; trouble: string | null }>;

const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const USUAL_GPUS = 1;
const NO_DIGEST = "taken over";

const isVariable = ([name, value]: readonly [string, string]): boolean =>
  VARIABLE_NAME.test(name) && !value.includes("\0");

const selectKnown = <Name extends string>(known: readonly Name[], names: readonly string[]): readonly Name[] =>
  known.filter((name) => names.includes(name));

const findTrouble = (row: EarlierRow, { findArtifact }: SpecFacts): string | null => {
  const artifact = readRowText(row, "artifact_id");
  if ((readRowText(row, "command") ?? "").trim() === "") return "it has no command that can be read";
  if (readRowTexts(row, "env") === null) return "its environment can't be read";
  if (readRowIndexes(row, "gpu_idxs") === null) return "the GPUs that it asks for can't be read";
  return artifact && findArtifact(artifact) === null ? `its code (artifact ${artifact}) is not in the database` : null;
};

const listNotes = (row: EarlierRow, env: Texts): readonly string[] => {
  const dropped = Object.entries(env).filter((entry) => !isVariable(entry));
  const services = [...readRowNames(row, "integrations"), ...readRowNames(row, "notifications")];
  const known: readonly string[] = [...INTEGRATION_NAMES, ...NOTIFICATION_NAMES];
  return [
    ...dropped.map(([name]) => `Its variable ${name} was left out: no program can be given it`),
    ...services.filter((name) => !known.includes(name)).map((name) => `${name}, which it asks for, is not known here`),
  ];
};

const describeCode = (row: EarlierRow) => ({
  jobrc: readRowText(row, "jobrc"),
  gitRepoUrl: readRowText(row, "git_repo_url"),
  gitBranch: readRowText(row, "git_branch"),
  gitTag: readRowText(row, "git_tag"),
  nodeName: readRowText(row, "node_name") ?? "",
  code: UNKNOWN_CODE,
});

const describeServices = (row: EarlierRow) => ({
  integrations: selectKnown(INTEGRATION_NAMES, readRowNames(row, "integrations")),
  notifications: selectKnown(NOTIFICATION_NAMES, readRowNames(row, "notifications")),
});

const describeNeed = (row: EarlierRow, isQueued: boolean) => {
  const gpuIdxs = readRowIndexes(row, "gpu_idxs") ?? [];
  const asked = Math.max(0, readRowWhole(row, "num_gpus") ?? USUAL_GPUS);
  return {
    numGpus: gpuIdxs.length > 0 ? gpuIdxs.length : asked,
    requestedGpuIdxs: isQueued ? gpuIdxs : [],
    priority: readRowWhole(row, "priority") ?? 0,
    ignoreBlacklist: isRowSwitch(row, "ignore_blacklist"),
  };
};

const findCode = (row: EarlierRow, { findArtifact }: SpecFacts): ArtifactId | null => {
  const artifact = readRowText(row, "artifact_id");
  return artifact ? (findArtifact(artifact) ?? (artifact as ArtifactId)) : null;
};

/** What was asked for with the job, as far as its row tells; of an ended one no environment is kept. */
export const readEarlierSpec = (row: EarlierRow, id: JobId, facts: SpecFacts): EarlierSpec => {
  const all = readRowTexts(row, "env") ?? {};
  const env = Object.fromEntries(Object.entries(all).filter(isVariable));
  const spec: JobSpec = {
    id,
    command: readRowText(row, "command") ?? "",
    user: readRowText(row, "user")?.trim() || "unknown",
    artifactId: findCode(row, facts),
    ...describeNeed(row, row["status"] === "queued"),
    ...describeServices(row),
    ...describeCode(row),
    envNames: Object.keys(env).toSorted(),
    createdAt: readRowNumber(row, "created_at") ?? facts.createdAt,
    requestDigest: NO_DIGEST,
    outputGlobs: null,
    links: [],
    notes: listNotes(row, all),
  };
  return { spec, env, trouble: findTrouble(row, facts) };
};
