import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { describeDocuments, findDocument, listRowFields } from "../../src/cli/documents/describe-documents.ts";
import { NX } from "../../src/cli/program.ts";
import { VERBS } from "../../src/cli/verb-table.ts";
import type { ProgramDescription } from "../../src/command-line/describe-program.ts";
import { loadVerbs } from "../../src/command-line/help.ts";
import type { ArtifactUpload } from "../../src/wire/artifact.ts";
import { batchSchema } from "../../src/wire/batches/batch.ts";
import { deliverySchema } from "../../src/wire/delivery.ts";
import { filesSchema } from "../../src/wire/files.ts";
import { blacklistChangeSchema, faultChangeSchema, wireGpuSchema } from "../../src/wire/gpu.ts";
import { explainedJobSchema, jobRequestSchema, wireJobSchema } from "../../src/wire/job.ts";
import { healthSchema, logsSchema, serverStatusSchema } from "../../src/wire/node.ts";
import { notificationTestResultSchema } from "../../src/wire/notification-test.ts";
import { reservationSchema } from "../../src/wire/reservations/reservation.ts";
import { heldEstimatesSchema } from "../../src/wire/usage/estimates.ts";
import { usageSchema } from "../../src/wire/usage/usage.ts";
import { waitSchema } from "../../src/wire/wait.ts";
import { ROOT } from "../support/programs.ts";
import { createTar } from "../support/tar-archive.ts";
import { createWorld, type World } from "../support/world.ts";

type Ids = Readonly<{ ended: string; holder: string; waiting: string }>;
type Row = Readonly<{ words: string; schema: z.ZodType; shape: string }>;

const GUIDE = readFileSync(join(ROOT, "docs", "cli.md"), "utf8");
const JSON_SECTION = (GUIDE.split("\n## JSON\n")[1]?.split("\n## ")[0] ?? "")
  .split("\n")
  .map((line) => line.split("|").slice(1, -1));
const text = z.string();
const job = wireJobSchema.strict();
const jobs = z.array(job).min(1);
const overview = z.strictObject({
  status: serverStatusSchema.strict(),
  health: healthSchema.strict(),
  gpus: z.array(wireGpuSchema.strict()),
  running: jobs,
  queued: jobs,
  target: text,
});
const settings = z.strictObject({
  user: text,
  default_target: text,
  default_integrations: z.array(text),
  default_notifications: z.array(text),
  enable_git_tag_push: z.boolean(),
  autostart: z.boolean(),
  carry_environment: z.enum(["activated", "all", "none"]),
  ...{
    default_no_passing: text,
    default_time_limit_s: text,
    default_warn_s: text,
    default_max_idle_s: text,
    default_max_silence_s: text,
    default_retry: text,
  },
  ...{
    default_vram_mib: text,
    default_min_vram_mib: text,
    default_gpu_type: text,
    default_cpus: text,
    default_memory_mib: text,
    default_batch_max: text,
  },
});
const request = jobRequestSchema
  .omit({ env: true })
  .extend({ env: z.array(text) })
  .strict();
const told = job.extend({ deliveries: z.array(deliverySchema.strict()) });
const amount = z.strictObject({ files: z.int(), bytes: z.number() });
const pulled = z.strictObject({
  ...{ folder: text, fetched: amount, there: amount, differing: z.array(text) },
  failed: z.array(z.strictObject({ path: text, why: text })),
});
const targets = z.array(z.strictObject({ name: text, url: text, is_default: z.boolean() }));

const said = z.strictObject({ kind: text, name: text, a: text.nullable(), b: text.nullable() });
const difference = z.strictObject({ a: text, b: text, differences: z.array(said).min(1), patch: text.nullable() });

const SHOWN: readonly Row[] = [
  { words: "status", schema: overview, shape: "{status, health, gpus, running, queued, target}" },
  { words: "running", schema: jobs, shape: "[Job]" },
  { words: "queue", schema: z.array(explainedJobSchema.strict()).min(1), shape: "[ExplainedJob]" },
  { words: "history", schema: jobs, shape: "[Job]" },
  { words: "get {ended}", schema: told, shape: "Job and `deliveries`" },
  { words: "redo {ended}", schema: jobs, shape: "[Job]" },
  { words: "redo --dry-run {ended}", schema: z.array(request), shape: "[JobRequest]" },
  { words: "diff {ended} {waiting}", schema: difference, shape: "{a, b, differences: [{kind, name, a, b}], patch}" },
  { words: "code {ended}", schema: z.strictObject({ id: text, folder: text }), shape: "{id, folder}" },
  { words: "why {waiting}", schema: waitSchema.strict(), shape: "Wait" },
  { words: "logs {ended}", schema: logsSchema.strict(), shape: "Logs" },
  { words: "logs --error {ended}", schema: logsSchema.strict(), shape: "Logs" },
  { words: "files {ended}", schema: filesSchema.strict(), shape: "Files" },
  { words: "pull {ended}", schema: pulled, shape: "{folder, fetched, there, differing, failed}" },
  { words: "health", schema: healthSchema.strict(), shape: "Health" },
  { words: "blacklist list", schema: z.array(z.int()), shape: "[GPU's number]" },
  { words: "blacklist add 1", schema: z.array(blacklistChangeSchema.strict()), shape: "[BlacklistChange]" },
  { words: "blacklist remove 1", schema: z.array(blacklistChangeSchema.strict()), shape: "[BlacklistChange]" },
  { words: "blacklist clear 1", schema: z.array(faultChangeSchema.strict()), shape: "[FaultChange]" },
  { words: "reserve", schema: z.array(reservationSchema.strict()).min(1), shape: "[Reservation]" },
  { words: "unreserve 1", schema: z.array(reservationSchema.strict()).min(1), shape: "[Reservation]" },
  { words: "target list", schema: targets, shape: "[{name, url, is_default}]" },
  { words: "notify test", schema: z.array(notificationTestResultSchema.strict()), shape: "[NotificationTestResult]" },
  { words: "config", schema: settings, shape: "{setting: value}" },
  { words: "env", schema: z.record(text, text), shape: "{name: value}" },
  { words: "jobrc", schema: z.strictObject({ jobrc: text.nullable() }), shape: "{jobrc}" },
  { words: "version", schema: z.strictObject({ version: text }), shape: "{version}" },
  { words: "add --dry-run --no-git true", schema: z.array(request), shape: "[JobRequest]" },
  { words: "run --dry-run --no-git true", schema: request, shape: "JobRequest" },
  { words: "add --no-git -c true", schema: jobs, shape: "[Job]" },
  { words: "run -d --no-git -c true", schema: job, shape: "Job" },
  { words: "edit {waiting} -p 3", schema: job, shape: "Job" },
  { words: "batch", schema: z.array(batchSchema.strict()), shape: "[Batch]" },
  { words: "usage --estimates", schema: heldEstimatesSchema.strict(), shape: "HeldEstimates" },
  { words: "usage", schema: usageSchema.strict(), shape: "Usage" },
  { words: "cancel -y {spare}", schema: z.strictObject({ cancelled: z.array(text) }), shape: "{cancelled: [id]}" },
  { words: "hold {waiting}", schema: z.strictObject({ held: z.array(text) }), shape: "{held: [id]}" },
  { words: "release {waiting}", schema: z.strictObject({ released: z.array(text) }), shape: "{released: [id]}" },
  { words: "note {waiting} true", schema: job, shape: "Job" },
  { words: "remove -y {waiting}", schema: z.strictObject({ removed: z.array(text) }), shape: "{removed: [id]}" },
  { words: "wait {ended}", schema: jobs, shape: "[Job]" },
  { words: "kill -y {holder}", schema: z.strictObject({ killed: z.array(text) }), shape: "{killed: [id]}" },
];

const DESCRIBED = describeDocuments();

let world: World;
let ids: Ids;

const startJobs = async (): Promise<Ids> => {
  const body = createTar([{ name: "main.sh", body: "true" }]);
  const uploaded = await fetch(`${world.url}/v1/artifacts`, { method: "POST", body });
  const { data: artifact_id } = (await uploaded.json()) as ArtifactUpload;
  const { id: ended } = await world.submit({ command: "echo 1 > made", num_gpus: 0, artifact_id });
  await world.waitFor(ended);
  const { id: holder } = await world.submit({ command: "sleep 300", num_gpus: 2 });
  await world.waitFor(holder, ["running"]);
  const { id: waiting } = await world.submit({ command: "true", num_gpus: 2 });
  await world.nx(["reserve", "0", "--for", "4h", "--from", "+1d"]);
  return { ended, holder, waiting };
};

beforeAll(async () => {
  world = await createWorld();
  await world.startServer();
  ids = await startJobs();
});

afterAll(() => world.dispose());

const reserveFor = async (words: string): Promise<void> => {
  if (words.startsWith("unreserve")) await world.nx(["reserve", "1", "--for", "4h"]);
};

const fillIn = (line: string): readonly string[] =>
  line.split(" ").map((word) => word.replace(/^\{(ended|holder|waiting)\}$/, (_all, name: keyof Ids) => ids[name]));

test.each([
  ["queue -q", "{waiting}\n"],
  ["history -q", "{ended}\n"],
  ["get -q {ended}", "{ended}\n"],
  ["wait -q {ended}", "{ended}\n"],
  ["edit -q {waiting} -p 2", "{waiting}\n"],
  ["note -q {waiting} text", "{waiting}\n"],
  ["target list -q", "local\n"],
  ["env -q", ""],
])("%s prints nothing but %j", async (line, expected) => {
  const { exitCode, stdout } = await world.nx(fillIn(line));
  const wanted = expected.replace(/\{(\w+)\}/, (_all, name: keyof Ids) => ids[name]);
  expect([exitCode, stdout]).toEqual([0, wanted]);
});

const nameDocument = (words: string): string => words.replace(/ (\{\w+\}|--no-git|--error|-\w|true|\d+)/g, "");

const expectDescribed = (words: string, shown: unknown): void => {
  const described = DESCRIBED.find((document) => document.words === nameDocument(words));
  expect(described?.is_list).toBe(Array.isArray(shown));
  const fields = described?.fields ?? [];
  if (fields.length === 0) return;
  for (const row of [shown].flat()) {
    const names = Object.keys(row as object);
    expect(names.filter((name) => !fields.some((field) => field.name === name))).toEqual([]);
    expect(fields.filter(({ name, always }) => always && !names.includes(name))).toEqual([]);
  }
};

test.each(SHOWN)("$words --json is one document with the wire's names", async ({ words, schema }) => {
  const spare = words.includes("{spare}") ? (await world.submit({ command: "true", held: true })).id : "";
  await reserveFor(words);
  const { exitCode, stdout } = await world.nx(["--json", ...fillIn(words.replace("{spare}", spare))]);
  expect(exitCode).toBe(0);
  expect(schema.safeParse(JSON.parse(stdout)).error?.issues ?? []).toEqual([]);
  expectDescribed(words, JSON.parse(stdout));
});

test.each(["add --no-git -c -q true", "run -d --no-git -c -q true"])("%s prints the new id alone", async (line) => {
  const { stdout } = await world.nx(line.split(" "));
  expect((await world.job(stdout.trim())).command).toBe("true");
});

test("kill -q and remove -q print the ids of the jobs that they ended", async () => {
  const running = await world.submit({ command: "sleep 300", num_gpus: 0 });
  await world.waitFor(running.id, ["running"]);
  expect((await world.nx(["kill", "-y", "-q", running.id])).stdout).toBe(`${running.id}\n`);
  await world.submit({ command: "sleep 300", num_gpus: 2 });
  const waiting = await world.submit({ command: "true", num_gpus: 2 });
  expect((await world.nx(["remove", "-y", "-q", waiting.id])).stdout).toBe(`${waiting.id}\n`);
});

test.each(SHOWN)("docs/cli.md says what $words --json shows", ({ words, shape }) => {
  const said = nameDocument(words);
  expect(JSON_SECTION.map((row) => row.map((cell) => cell.trim()))).toContainEqual([`\`${said}\``, shape]);
});

test("every verb with --json is among them", async () => {
  const verbs = await Promise.all(Object.values(VERBS).map(async (load) => (await load()).verb));
  const shown = new Set(SHOWN.map(({ words }) => words.split(" ")[0]));
  const known = verbs.filter(({ flags }) => flags.some(({ long }) => long === "json")).map(({ name }) => name);
  expect(known.filter((name) => !shown.has(name))).toEqual([]);
});

test("nx help --json describes every verb, each of its flags, and what it shows", async () => {
  const { stdout } = await world.nx(["help", "--json"]);
  const help = JSON.parse(stdout) as ProgramDescription;
  const verbs = await loadVerbs(NX);
  expect(help.verbs.map(({ name }) => name)).toEqual(verbs.map(({ name }) => name));
  for (const [index, { flags, name }] of verbs.entries()) {
    const described = help.verbs[index];
    expect(described?.flags.map((flag) => flag.name)).toEqual(flags.map(({ long }) => `--${long}`));
    const isShowing = flags.some(({ long }) => long === "json");
    expect([name, described?.documents.length !== 0]).toEqual([name, isShowing]);
  }
  expect(help.exit_codes).toContainEqual({ exit_code: 3, error: "UNREACHABLE", means: "the server can't be reached" });
  expect(help.failure.fields.map(({ name }) => name)).toEqual(["error", "message", "hint", "exit_code"]);
  const add = help.verbs.find(({ name }) => name === "add");
  expect(add?.flags.find(({ name }) => name === "--priority")).toMatchObject({
    type: "integer",
    default: 0,
    short: "-p",
  });
  const one = await world.nx(["help", "add", "--json"]);
  expect((JSON.parse(one.stdout) as ProgramDescription).verbs).toEqual(add === undefined ? [] : [add]);
  expect((await world.nx(["add", "--help", "--json"])).stdout).toBe(one.stdout);
});

test("--fields and --jsonl show of a list what is asked for, and a field that there is not is named", async () => {
  const { id } = await world.submit({ command: "true", num_gpus: 0, user: "fields" });
  await world.waitFor(id);
  const { stdout } = await world.nx(["history", "-u", "fields", "--fields", "id,status"]);
  const rows = JSON.parse(stdout) as readonly object[];
  expect(rows.length).toBeGreaterThan(0);
  for (const row of rows) expect(Object.keys(row)).toEqual(["id", "status"]);
  const lines = await world.nx(["history", "-u", "fields", "--jsonl", "--fields", "id,status"]);
  expect(lines.stdout).toBe(rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const whole = await world.nx(["history", "-u", "fields", "--jsonl"]);
  expect(
    whole.stdout
      .trimEnd()
      .split("\n")
      .map((line) => job.safeParse(JSON.parse(line)).success),
  ).toEqual(rows.map(() => true));
  const wrong = await world.nx(["queue", "--fields", "id,statsu"]);
  expect([wrong.exitCode, wrong.stdout]).toEqual([2, ""]);
  expect(JSON.parse(wrong.stderr)).toMatchObject({
    message: '"statsu" is no field of what nx queue shows',
    hint: "did you mean status?",
  });
});

const listFieldsOf = ({ words }: Row): readonly string[] => {
  const document = findDocument([nameDocument(words)]);
  return (document && listRowFields(document)) ?? [];
};

const LISTS = SHOWN.filter((row) => listFieldsOf(row).length > 0);

test("every list is among them", () => {
  const lists = DESCRIBED.filter((document) => listRowFields(document) !== null).map(({ words }) => words);
  expect(new Set(LISTS.map(({ words }) => nameDocument(words)))).toEqual(new Set(lists));
});

describe("a list shows of each row the fields that are asked for, in a list or one a line", () => {
  beforeAll(async () => {
    for (const num_gpus of [2, 2]) await world.submit({ command: "sleep 300", num_gpus });
    const { id } = await world.submit({ command: "sleep 300", num_gpus: 0 });
    await world.waitFor(id, ["running"]);
    const batch = await world.nx(["add", "-c", "--no-git", "-q", "--repeat", "2", "true"]);
    for (const one of batch.stdout.trim().split("\n")) await world.waitFor(one);
    await world.nx(["blacklist", "add", "1"]);
  });

  const show = async (row: Row, ...flags: readonly string[]): Promise<string> => {
    const [verb = "", ...rest] = fillIn(row.words === "notify test" ? "notify test discord" : row.words);
    await reserveFor(row.words);
    return (await world.nx([verb, "--fields", listFieldsOf(row).slice(0, 2).join(","), ...flags, ...rest])).stdout;
  };

  test.each(LISTS)("$words", async (row) => {
    const shown = JSON.parse(await show(row)) as readonly object[];
    const wanted = shown.map(() => listFieldsOf(row).slice(0, 2));
    expect(wanted).not.toEqual([]);
    expect(shown.map((one) => Object.keys(one))).toEqual(wanted);
    const lines = (await show(row, "--jsonl")).trimEnd().split("\n");
    expect(lines.map((line) => Object.keys(JSON.parse(line) as object))).toEqual(wanted);
  });
});

test("running -q prints the ids of the running jobs", async () => {
  const { id } = await world.submit({ command: "sleep 300", num_gpus: 0, user: "ann" });
  await world.waitFor(id, ["running"]);
  expect((await world.nx(["running", "-q", "-u", "ann"])).stdout).toBe(`${id}\n`);
  expect((await world.nx(["running", "-q"])).stdout.split("\n")).toContain(id);
  await world.nx(["kill", "-y", id]);
});
