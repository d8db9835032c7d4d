import type { Flag } from "../../command-line/command.ts";
import { NOTIFICATION_NAMES } from "../../wire/job-names.ts";
import { RUN_FIELDS } from "../fields/field-table.ts";
import { toFlag } from "../fields/job-field.ts";
import { CARRY_MODES } from "../settings/settings.ts";

export const SUBMISSION_FLAGS: readonly Flag[] = [
  { long: "gpu-idxs", short: "i", value: "0,1", help: "run on exactly these GPUs" },
  { long: "gpus", short: "g", value: "N", default: 1, help: "how many GPUs" },
  { long: "cpu", short: "c", help: "a job without a GPU" },
  {
    long: "notify",
    short: "n",
    value: "TYPE",
    many: true,
    choices: NOTIFICATION_NAMES,
    help: "tell me when it ends: discord, phone",
  },
  { long: "silent", short: "s", help: "no notifications, not even the default ones" },
  { long: "force", short: "f", help: "also use GPUs that are blacklisted" },
  { long: "yes", short: "y", help: "don't ask" },
  { long: "local", short: "l", help: "no git tag" },
  { long: "env", short: "e", value: "K=V", many: true, help: "a variable for the job" },
  { long: "env-file", value: "FILE", help: "variables for the job, one K=V a line" },
  {
    long: "carry",
    value: "WHAT",
    choices: CARRY_MODES,
    check: (value) => (CARRY_MODES.some((mode) => mode === value) ? null : `be one of ${CARRY_MODES.join(", ")}`),
    help: "what of this shell the job gets: activated, all or none",
  },
  { long: "no-git", help: "send no code" },
  {
    long: "outputs",
    value: "GLOB",
    many: true,
    help: "keep what matches of its files, ** crosses folders, ! takes out",
  },
  { long: "no-outputs", help: "keep no file of its folder" },
  { long: "link", value: "PATH[=ABS]", many: true, help: "a link in its folder to what is here, or to ABS" },
  { long: "no-link", help: "no other links than those of --link" },
  ...RUN_FIELDS.map(toFlag),
  { long: "dry-run", help: "print what would be submitted" },
  { long: "json", help: "print the jobs as JSON" },
  { long: "quiet", short: "q", help: "print ids only" },
];
