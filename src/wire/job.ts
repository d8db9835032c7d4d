import { z } from "zod";
import { outputGlobsSchema, outputsSchema } from "./files.ts";
import { gpuUseSchema } from "./gpus/gpu-use.ts";
import { askedFields, toldFields } from "./job-fields/job-fields.ts";
import { attemptsSchema } from "./job-fields/retries.ts";
import { INTEGRATION_NAMES, NOTIFICATION_NAMES } from "./job-names.ts";
import { PRIORITY } from "./limits.ts";
import { linksSchema } from "./links/link-schema.ts";
import { estimateSchema } from "./wait.ts";

export const JOB_STATUSES = ["queued", "running", "completed", "failed", "killed"] as const;
export const RUN_NOW_PRIORITY = 9999;

const MAX_COMMAND_BYTES = 128 * 1024;
const unixSeconds = z.number().meta({ description: "Unix time in seconds" });

const WITHOUT_NUL = "^[^\\u0000]*$";
const NOT_BLANK = "^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$";
const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const isVariableName = (name: string): boolean => VARIABLE_NAME.test(name);

const commandSchema = z
  .string()
  .refine((command) => command.trim() !== "", "The command is blank")
  .refine((command) => Buffer.byteLength(command) <= MAX_COMMAND_BYTES, "The command is longer than 128 KiB")
  .refine((command) => !command.includes("\0"), "The command contains a NUL byte")
  .meta({ pattern: NOT_BLANK, maxLength: MAX_COMMAND_BYTES, description: "At most 128 KiB in UTF-8" });

const prioritySchema = z.int().min(PRIORITY.min).max(PRIORITY.max);

const gpuIdxsSchema = z
  .array(z.int().min(0))
  .refine((idxs) => new Set(idxs).size === idxs.length, "The same GPU is named twice")
  .meta({ uniqueItems: true });

const envSchema = z
  .record(z.string(), z.string())
  .refine(
    (env) => Object.keys(env).every(isVariableName),
    "An environment variable's name must match [A-Za-z_][A-Za-z0-9_]*",
  )
  .refine(
    (env) => Object.values(env).every((value) => !value.includes("\0")),
    "An environment variable's value contains a NUL byte",
  )
  .meta({
    propertyNames: { pattern: VARIABLE_NAME.source },
    additionalProperties: { type: "string", pattern: WITHOUT_NUL },
  });

const isText = (value: string | null): boolean => value === null || !value.includes("\0");

const envPatchSchema = z
  .record(z.string(), z.string().nullable())
  .refine(
    (env) => Object.keys(env).every(isVariableName),
    "An environment variable's name must match [A-Za-z_][A-Za-z0-9_]*",
  )
  .refine((env) => Object.values(env).every(isText), "An environment variable's value contains a NUL byte")
  .meta({
    propertyNames: { pattern: VARIABLE_NAME.source },
    additionalProperties: { type: ["string", "null"], pattern: WITHOUT_NUL },
    description: "Merged with what the job has; null takes a variable out",
  });

const plainText = z
  .string()
  .refine((text) => !text.includes("\0"), "The text contains a NUL byte")
  .meta({ pattern: WITHOUT_NUL });

const GIT_OBJECT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const gitObject = z.string().regex(GIT_OBJECT, "The name of a git object is 40 or 64 hexadecimal digits");

const isBelowTop = (folder: string): boolean =>
  folder.split("/").every((part) => part !== "" && part !== "." && part !== "..");

const workdirSchema = plainText
  .refine(isBelowTop, "The folder is not one below the top of the code, such as src/train")
  .meta({ description: "The folder below the top of the code in which the job runs" });

const codeRootSchema = plainText
  .refine((folder) => folder.startsWith("/"), "The folder is not an absolute one, such as /home/ada/project")
  .meta({
    pattern: "^/[^\\u0000]*$",
    description: "The folder of the user, on the server's machine, that the code was taken from",
  });

const carriedNamesSchema = z
  .array(z.string())
  .meta({ description: "Names of those of its variables that came from the user's shell" });

export const jobIdSchema = z.string().regex(/^[a-z0-9-]{1,64}$/, "A job id is 1 to 64 of a-z, 0-9 and -");

const umaskSchema = z
  .string()
  .regex(/^0?[0-7]{3}$/, "A umask is three octal digits such as 022")
  .meta({ description: "Octal, as `umask` prints it; 022 where none is sent" });

const inputSchema = z
  .string()
  .meta({ description: "The artifact (`POST /v1/artifacts`) that is the job's standard input, as it is" });

export const userSchema = plainText
  .refine((user) => user.trim() !== "", "The user is blank")
  .meta({ pattern: NOT_BLANK });

export const jobRequestSchema = z.object({
  job_id: jobIdSchema.nullish(),
  command: commandSchema,
  user: userSchema,
  artifact_id: z.string().nullish(),
  num_gpus: z.int().min(0).default(1),
  gpu_idxs: gpuIdxsSchema.nullish(),
  priority: prioritySchema.default(0),
  integrations: z.array(z.enum(INTEGRATION_NAMES)).default([]),
  notifications: z.array(z.enum(NOTIFICATION_NAMES)).default([]),
  env: envSchema.default({}),
  jobrc: plainText.nullish(),
  run_immediately: z.boolean().default(false),
  ignore_blacklist: z.boolean().default(false),
  git_repo_url: plainText.nullish(),
  git_branch: plainText.nullish(),
  git_tag: plainText.nullish(),
  git_commit: gitObject.nullish(),
  git_tree: gitObject.nullish(),
  git_dirty: z.boolean().nullish(),
  workdir: workdirSchema.nullish(),
  code_root: codeRootSchema.nullish(),
  carried_names: carriedNamesSchema.nullish(),
  output_globs: outputGlobsSchema.nullish(),
  links: linksSchema.nullish(),
  umask: umaskSchema.nullish(),
  input_artifact_id: inputSchema.nullish(),
  ...askedFields,
});

/** A request as it comes in: who is known by name need not say it. */
export const jobSubmissionSchema = jobRequestSchema
  .extend({ user: userSchema.optional().meta({ description: "May be left out by who is known by name" }) })
  .meta({ id: "JobRequest" });

export const jobPatchSchema = z
  .object({
    command: commandSchema.nullish(),
    priority: prioritySchema.nullish(),
    num_gpus: z.int().min(0).nullish(),
    git_tag: plainText.nullish(),
    gpu_idxs: gpuIdxsSchema.nullish(),
    env: envPatchSchema.nullish(),
    ...askedFields,
  })
  .meta({ id: "JobPatch" });

export const wireJobSchema = z
  .object({
    id: z.string(),
    command: z.string(),
    artifact_id: z.string().nullable(),
    git_repo_url: z.string().nullable(),
    git_branch: z.string().nullable(),
    git_tag: z.string().nullable(),
    git_commit: z.string().nullable().meta({ description: "HEAD where the code was taken; null without a commit" }),
    git_tree: z.string().nullable().meta({ description: "The tree that was sent" }),
    git_dirty: z.boolean().nullable().meta({ description: "Whether the code had changes that are in no commit" }),
    workdir: z.string().nullable(),
    code_root: z.string().nullable(),
    status: z.enum(JOB_STATUSES),
    created_at: unixSeconds,
    priority: z.int(),
    num_gpus: z.int(),
    env: z.record(z.string(), z.string()),
    env_names: z.array(z.string()).meta({ description: "Names of its variables, also once their values are wiped" }),
    carried_names: carriedNamesSchema,
    node_name: z.string().nullable(),
    jobrc: z.string().nullable(),
    integrations: z.array(z.enum(INTEGRATION_NAMES)),
    notifications: z.array(z.enum(NOTIFICATION_NAMES)),
    notification_messages: z.record(z.string(), z.string()),
    pid: z.int().nullable(),
    dir: z.string().nullable(),
    started_at: unixSeconds.nullable(),
    gpu_idxs: z.array(z.int()),
    requested_gpu_idxs: z.array(z.int()).meta({ description: "Those asked for by index; none where any would do" }),
    wandb_url: z.string().nullable(),
    wandb_note: z
      .string()
      .nullable()
      .meta({ description: "Of a run that is offline, or whose page W&B did not confirm: which, and what to do" }),
    waits_for_input_since: unixSeconds.nullable().meta({
      description:
        "Since when the program in the foreground of its terminal has waited for input; told after five minutes",
    }),
    vram_peak_mib: z
      .int()
      .nullable()
      .meta({ description: "The most that its processes were seen to have of a GPU's memory, in MiB" }),
    gpu_use: gpuUseSchema,
    marked_for_kill: z.boolean(),
    completed_at: unixSeconds.nullable(),
    exit_code: z.int().nullable(),
    error_message: z.string().nullable(),
    user: z.string(),
    ignore_blacklist: z.boolean(),
    screen_session_name: z.string().nullable(),
    output_globs: outputGlobsSchema.nullable(),
    links: linksSchema,
    umask: umaskSchema,
    input_artifact_id: inputSchema.nullable(),
    outputs: outputsSchema,
    notes: z.array(z.string()).meta({ description: "What else there is to say of the job, a line each" }),
    ...toldFields,
    attempts: attemptsSchema,
  })
  .meta({ id: "Job" });

export const submittedJobSchema = wireJobSchema
  .extend({
    vram_proposal: z
      .object({ peak_mib: z.int(), vram_mib: z.int() })
      .optional()
      .meta({ description: "What its command had of a GPU's memory last time, and what it might book therefore" }),
    booked_only: z.literal(true).optional().meta({
      description: "There where CPUs or memory of the machine are booked for it, and nothing keeps it to them",
    }),
    estimate: estimateSchema.optional().meta({
      description:
        "As `GET /v1/jobs/{id}/why` has it at that moment. Left out where that is null, where the job starts at once, and where more than 10 jobs were submitted at once or more than 50 wait",
    }),
  })
  .meta({ id: "SubmittedJob" });

export const explainedJobSchema = wireJobSchema
  .extend({ why: z.string().optional().meta({ description: "With `explain`: what keeps a queued job waiting" }) })
  .meta({ id: "ExplainedJob" });

export type WireStatus = (typeof JOB_STATUSES)[number];
export type Integration = (typeof INTEGRATION_NAMES)[number];
export type Notification = (typeof NOTIFICATION_NAMES)[number];
export type JobSubmission = Readonly<z.output<typeof jobSubmissionSchema>>;
export type JobRequest = Readonly<z.output<typeof jobRequestSchema>>;
export type JobPatch = Readonly<z.output<typeof jobPatchSchema>>;
export type ExplainedJob = Readonly<z.output<typeof explainedJobSchema>>;
export type SubmittedJob = Readonly<z.output<typeof submittedJobSchema>>;
export type WireJob = Readonly<z.output<typeof wireJobSchema>>;

export type JobRequestInput = Readonly<z.input<typeof jobRequestSchema>>;
