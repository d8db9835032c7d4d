import { z } from "zod";
import { batchSchema } from "../../wire/batches/batch.ts";
import { deliverySchema } from "../../wire/delivery.ts";
import { filesSchema } from "../../wire/files.ts";
import { blacklistChangeSchema, faultChangeSchema, wireGpuSchema } from "../../wire/gpu.ts";
import { explainedJobSchema, jobRequestSchema, wireJobSchema } from "../../wire/job.ts";
import { healthSchema, logsSchema, serverStatusSchema } from "../../wire/node.ts";
import { notificationTestResultSchema } from "../../wire/notification-test.ts";
import { reservationSchema } from "../../wire/reservations/reservation.ts";
import { heldEstimatesSchema } from "../../wire/usage/estimates.ts";
import { usageGroupSchema, usageSchema } from "../../wire/usage/usage.ts";
import { waitSchema } from "../../wire/wait.ts";

const text = z.string();
const texts = z.array(text);
const amount = z.object({ files: z.int(), bytes: z.number() });
const job = wireJobSchema;
const jobs = z.array(job);
const request = jobRequestSchema.extend({ env: texts.meta({ description: "Names of its variables" }) });
const target = z.object({ name: text, url: text });
const difference = z.object({ kind: text, name: text, a: text.nullable(), b: text.nullable() });

/** What each verb shows with `--json`, by the words that ask for it. A test compares it with what is shown. */
export const DOCUMENTS: Readonly<Record<string, z.ZodType>> = {
  status: z.object({
    status: serverStatusSchema,
    health: healthSchema,
    gpus: z.array(wireGpuSchema),
    running: jobs,
    queued: jobs,
    target: text,
  }),
  run: job,
  "run --dry-run": request,
  add: jobs,
  "add --dry-run": z.array(request),
  running: jobs,
  queue: z.array(explainedJobSchema),
  history: jobs,
  get: job.extend({ deliveries: z.array(deliverySchema) }),
  redo: jobs,
  "redo --dry-run": z.array(request),
  diff: z.object({ a: text, b: text, differences: z.array(difference), patch: text.nullable() }),
  code: z.object({ id: text, folder: text }),
  logs: logsSchema,
  files: filesSchema,
  pull: z.object({
    ...{ folder: text, fetched: amount, there: amount, differing: texts },
    failed: z.array(z.object({ path: text, why: text })),
  }),
  kill: z.object({ killed: texts }),
  remove: z.object({ removed: texts }),
  edit: job,
  note: job,
  batch: z.array(batchSchema),
  usage: usageSchema,
  "usage --estimates": heldEstimatesSchema,
  cancel: z.object({ cancelled: texts }),
  hold: z.object({ held: texts }),
  release: z.object({ released: texts }),
  why: waitSchema,
  wait: jobs,
  health: healthSchema,
  "notify test": z.array(notificationTestResultSchema),
  "blacklist list": z.array(z.int()),
  "blacklist add": z.array(blacklistChangeSchema),
  "blacklist remove": z.array(blacklistChangeSchema),
  "blacklist clear": z.array(faultChangeSchema),
  reserve: z.array(reservationSchema),
  unreserve: z.array(reservationSchema),
  "target list": z.array(target.extend({ is_default: z.boolean() })),
  "target add": target.extend({ certificate_fingerprint: text.nullable() }),
  config: z.record(text, z.unknown()),
  env: z.record(text, text),
  jobrc: z.object({ jobrc: text.nullable() }),
  version: z.object({ version: text }),
};

/** What `--jsonl` and `--fields` show where the document itself is no list, or one of numbers. */
export const ROWS: Readonly<Record<string, z.ZodType>> = {
  files: filesSchema.shape.files.element,
  usage: usageGroupSchema,
  "blacklist list": wireGpuSchema,
};
