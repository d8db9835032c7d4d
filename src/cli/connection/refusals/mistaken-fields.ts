import { escapeText } from "../../../base/escape-text.ts";
import type { ErrorDetail } from "../../../wire/error.ts";
import { JOB_FIELDS } from "../../fields/field-table.ts";

const SOURCES: Readonly<Record<string, string>> = {
  job_id: "the job's id",
  command: "the command",
  user: "user (nx config)",
  artifact_id: "the code",
  num_gpus: "--gpus",
  gpu_idxs: "--gpu-idxs",
  priority: "--priority",
  integrations: "default_integrations (nx config)",
  notifications: "--notify",
  env: "--env",
  jobrc: "the jobrc (nx jobrc)",
  run_immediately: "nx run",
  ignore_blacklist: "--force",
  git_repo_url: "the address of origin",
  git_branch: "the git branch",
  git_tag: "the git tag",
  git_commit: "the git commit",
  git_tree: "the git tree",
  git_dirty: "the changes in git",
  workdir: "the folder that you stand in",
  code_root: "the top of the repository",
  carried_names: "--carry",
  output_globs: "--outputs",
  links: "--link",
  umask: "the umask",
  input_artifact_id: "standard input",
  command_regex: "the regular expression",
  gpu_index: "the GPU",
  batch_id: "the batch",
  ended_since: "--since",
  ended_until: "--until",
  exit_code: "--exit",
  limit: "--count",
  since: "--since",
  last_n_lines: "--lines",
  path: "the path",
  glob: "the glob",
  columns: "the terminal's width",
  rows: "the terminal's height",
  term: "TERM",
  public_key: "--ssh-key",
  channel: "the channel",
  ...Object.fromEntries(JOB_FIELDS.map(({ field, flag }) => [field, `--${flag.long}`])),
};

const isName = (part: string | number): part is string => typeof part === "string";

const nameSource = ({ loc }: ErrorDetail): string => {
  const [field, inner] = loc.slice(1).filter(isName);
  if (field === undefined) return "";
  const source = Object.hasOwn(SOURCES, field) ? SOURCES[field] : field.replaceAll("_", " ");
  return field === "env" && inner !== undefined ? `${source} ${inner}` : String(source);
};

const phraseMistake = (detail: ErrorDetail): string => {
  const source = nameSource(detail);
  return escapeText(source === "" ? detail.msg : `${source}: ${detail.msg}`);
};

/** What is wrong with a request in the words of who typed it; the same for many jobs is said once. Null where no mistake is named. */
export const phraseMistakes = (details: readonly ErrorDetail[]): string | null => {
  const [first, ...others] = new Set(details.map(phraseMistake));
  if (first === undefined) return null;
  return others.length === 0 ? first : `${first} (and ${others.length} more)`;
};
