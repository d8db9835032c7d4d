import { z } from "zod";
import { describeFirstMistake, describeGlobMistake } from "./output-globs.ts";

export const OUTPUT_STATES = ["none", "moving", "kept", "failed"] as const;
export const FILE_TYPES = ["file", "link"] as const;

const MAX_GLOBS = 1000;
const MAX_GLOB_LENGTH = 4096;

/** A check for `superRefine` by what describes a mistake, null where there is none. */
export const refineBy =
  <Value>(describeMistake: (value: Value) => string | null): ((value: Value, context: z.RefinementCtx) => void) =>
  (value, context) => {
    const message = describeMistake(value);
    if (message !== null) context.addIssue({ code: "custom", message });
  };

const globSchema = z
  .string()
  .max(MAX_GLOB_LENGTH)
  .superRefine(refineBy(describeGlobMistake))
  .meta({ pattern: "^!?[^\\u0000!][^\\u0000]*$" });

export const globsSchema = z.array(globSchema).max(MAX_GLOBS).superRefine(refineBy(describeFirstMistake));

export const outputGlobsSchema = globsSchema.meta({
  description:
    "Which files of the job's folder are kept, by patterns from its top: `**` crosses folders, `!` takes out again, the last that fits counts. None: no file of it. Null: all that are new or changed, but for caches",
});

const amountSchema = z.object({ files: z.int(), bytes: z.number() });

export const outputsSchema = amountSchema
  .extend({
    state: z.enum(OUTPUT_STATES).meta({ description: "`moving`: reading files waits; `failed`: `notes` say why" }),
    left_out: amountSchema.meta({ description: "What was new or changed and not kept" }),
    kept_until: z.number().nullable().meta({ description: "Unix time in seconds: they are removed no earlier" }),
    pulled: z.boolean().meta({ description: "Whether somebody has fetched all of them" }),
  })
  .meta({ id: "Outputs" });

const fileSchema = z
  .object({
    path: z.string(),
    size: z.number(),
    mtime: z.number().meta({ description: "Unix time in seconds" }),
    type: z.enum(FILE_TYPES),
    target: z.string().nullable().meta({ description: "Where a link leads" }),
    raw: z.string().nullable().meta({ description: "The path in base64, where it is no UTF-8" }),
    raw_target: z.string().nullable().optional().meta({ description: "`target` in base64, where it is no UTF-8" }),
    mode: z.int().optional().meta({ description: "Of a file: who may read, write and run it, at most 0o777" }),
    stored: z.number().optional().meta({ description: "Of a file: bytes on the disk, less than `size` with holes" }),
  })
  .meta({ id: "File" });

export const filesSchema = z
  .object({ files: z.array(fileSchema), total_files: z.int(), total_bytes: z.number() })
  .meta({ id: "Files" });

export const filesPatchSchema = z
  .object({ pulled: z.boolean().meta({ description: "Whether somebody has fetched all of the files" }) })
  .meta({ id: "FilesPatch" });

export type OutputState = (typeof OUTPUT_STATES)[number];
export type WireOutputs = Readonly<z.output<typeof outputsSchema>>;
export type WireFile = Readonly<z.output<typeof fileSchema>>;
export type WireFiles = Readonly<z.output<typeof filesSchema>>;
