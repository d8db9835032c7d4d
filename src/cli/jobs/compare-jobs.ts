import type { WireJob } from "../../wire/job.ts";
import { describeCommit, describeLink, listVariables } from "./job-text.ts";

/** What two jobs say of one thing, `kind` being where it belongs; null where one says nothing. */
export type Difference = Readonly<{
  kind: "command" | "variables" | "flags" | "code";
  name: string;
  a: string | null;
  b: string | null;
}>;

type Say = (job: WireJob) => string | null;

const listText = (names: readonly string[]): string | null => (names.length === 0 ? null : names.join(" "));

const sayGpus: Say = ({ num_gpus: count, requested_gpu_idxs: idxs = [] }) =>
  idxs.length === 0 ? String(count) : idxs.join(",");

const sayOutputs: Say = ({ output_globs: globs = null }) => (globs?.length === 0 ? "none" : listText(globs ?? []));

const sayLinks: Say = ({ links = [] }) => listText(links.map(describeLink));

const SAID: readonly (readonly [Difference["kind"], string, Say])[] = [
  ["command", "command", (job) => job.command],
  ["variables", "variables", (job) => listText(listVariables(job))],
  ["flags", "gpus", sayGpus],
  ["flags", "priority", (job) => String(job.priority)],
  ["flags", "force", (job) => (job.ignore_blacklist ? "yes" : null)],
  ["flags", "integrations", (job) => listText(job.integrations)],
  ["flags", "notifications", (job) => listText(job.notifications)],
  ["flags", "outputs", sayOutputs],
  ["flags", "links", sayLinks],
  ["flags", "umask", (job) => job.umask ?? null],
  ["command", "stdin", (job) => job.input_artifact_id ?? null],
  ["flags", "jobrc", (job) => job.jobrc],
  ["code", "repository", (job) => job.git_repo_url],
  ["code", "branch", (job) => job.git_branch],
  ["code", "commit", describeCommit],
  ["code", "tree", (job) => job.git_tree ?? null],
  ["code", "workdir", (job) => job.workdir ?? null],
];

export const compareJobs = (a: WireJob, b: WireJob): readonly Difference[] =>
  SAID.map(([kind, name, say]) => ({ kind, name, a: say(a), b: say(b) })).filter((said) => said.a !== said.b);
