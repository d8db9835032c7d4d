import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import type { GpuProbe, GpuReading } from "../../src/server/core/queue/gpu.ts";
import { describeGpus } from "../../src/server/core/queue/gpu-selection.ts";
import { decideStarts } from "../../src/server/core/queue/queue-turns.ts";
import { wireGpuSchema } from "../../src/wire/gpu.ts";
import { listGpuUses } from "../../src/wire/gpus/gpu-text.ts";
import type { ServerStatus } from "../../src/wire/node.ts";
import { createHarness } from "../support/api.ts";
import { type Answer, createClock, createRun, createTestDriver, readTestPlaces, type Tool } from "../support/driver.ts";
import { createQueued } from "../support/samples.ts";
import { AMD_SMI_CASES, ROCM_SMI_CASES } from "./amd-answers.ts";
import { type Case, NVIDIA_CASES, uuid } from "./nvidia-answers.ts";

const TOOLS = ["nvidia-smi", "amd-smi", "rocm-smi"] as const;
const IDS = "abcdefghijklmnopq";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "nexus-drivers-"));
  for (const name of TOOLS) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, name), "", { mode: 0o755 });
  }
});

afterAll(() => rmSync(folder, { recursive: true }));

type Machine = Readonly<{ gpus: GpuProbe; hands: { now: number }; use: (tool: Tool) => void }>;

const createMachine = (name: (typeof TOOLS)[number], tool: Tool): Machine => {
  const { hands, clock } = createClock();
  let current = tool;
  const run = createRun((args) => current(args), hands);
  const readPlaces = () => ({ ...readTestPlaces(), path: join(folder, name) });
  return {
    hands,
    gpus: createTestDriver({ clock, run, readPlaces, timeoutS: 30 }),
    use: (next) => {
      current = next;
    },
  };
};

const hideFolder = (text: string | null): string | null =>
  text?.replaceAll(new RegExp(`${folder}/[a-z-]+/`, "g"), "/driver/") ?? null;

const queue = (count: number) => Array.from(IDS.slice(0, count), (id, at) => createQueued(id, { createdAt: at }));

const listStarts = (reading: GpuReading): readonly number[] => {
  const gpus = describeGpus(reading.ok ? reading.value : [], [], new Set());
  const facts = { queued: queue(IDS.length), active: [], maxCpuJobs: 1, maxPassedOverS: 1800 };
  return decideStarts(facts, gpus, 0).flatMap(({ gpuIdxs }) => gpuIdxs);
};

const observe = async ({ starts }: Case, gpus: GpuProbe) => {
  const { call, submit } = createHarness([], gpus);
  const ids = Array.from(IDS.slice(0, starts.length + 1));
  for (const id of ids) await submit({ job_id: id, num_gpus: 1 });
  const ask = async <Body>(path: string): Promise<Body> => (await (await call("GET", path)).json()) as Body;
  const { gpu_error } = await ask<ServerStatus>("/v1/server/status");
  const shown = wireGpuSchema
    .strict()
    .array()
    .parse(await ask("/v1/gpus"));
  const { text } = await ask<{ text: string }>(`/v1/jobs/${ids.at(-1)}/why`);
  return {
    error: hideFolder(gpu_error),
    nx: shown.map((gpu) =>
      listGpuUses(gpu)
        .map((use) => use.text)
        .join(", "),
    ),
    why: hideFolder(text),
  };
};

const CASES = [
  ...NVIDIA_CASES.map((one) => ["nvidia-smi", one.name, one] as const),
  ...AMD_SMI_CASES.map((one) => ["amd-smi", one.name, one] as const),
  ...ROCM_SMI_CASES.map((one) => ["rocm-smi", one.name, one] as const),
];

describe("of each answer it is known what nx shows, what starts and what why says", () => {
  test.each(CASES)("%s: %s", async (name, _case, given) => {
    const { gpus } = createMachine(name, given.tool);
    const starts = listStarts(await gpus.readNow());
    const { error = null, nx, why } = given;
    expect({ ...(await observe(given, gpus)), starts }).toEqual({ error, nx: [...nx], why, starts: [...given.starts] });
  });
});

test("the GPUs of AMD are named to a job by the order of their nodes, or by their unique ID", async () => {
  const name = async (tool: "amd-smi" | "rocm-smi", given: Case | undefined) => {
    const reading = await createMachine(tool, given?.tool ?? (() => ({}))).gpus.readNow();
    return reading.ok ? reading.value.map(({ vendor, deviceId }) => `${vendor} ${deviceId}`) : [];
  };
  expect(await name("amd-smi", AMD_SMI_CASES[0])).toEqual(["amd 0", "amd 1"]);
  expect(await name("rocm-smi", ROCM_SMI_CASES[0])).toEqual(["amd GPU-01fe6e3a0b6e3a20", "amd null"]);
});

const WELL: Tool = (args) =>
  args.startsWith("--query-gpu=index,uuid") ? { stdout: `0, ${uuid(0)}, X, 100, 1, 0, 30, 5\n` } : {};

describe("a driver that hangs", () => {
  const countCalls = (tool: Tool) => {
    const calls: number[] = [];
    const machine = createMachine("nvidia-smi", (args) => {
      calls.push(machine.hands.now);
      return tool(args);
    });
    return { ...machine, calls };
  };

  test("is asked again after pauses that grow, up to 5 minutes, and is used at once when it answers", async () => {
    const { gpus, hands, calls, use } = countCalls(() => "hang");
    for (let second = 0; second < 3000; second += 1) {
      await gpus.readNow();
      hands.now += 1;
    }
    const pauses = calls.slice(1).map((at, place) => at - (calls[place] ?? 0) - 30);
    expect(pauses.slice(0, 10).map(Math.round)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
    use(WELL);
    hands.now += 300;
    expect(listStarts(await gpus.readNow())).toEqual([0]);
  });

  test("is not asked at all while a call that was killed has not gone", async () => {
    const { gpus, hands, calls } = countCalls(() => "stay");
    await gpus.readNow();
    hands.now += 86_400;
    const reading = await gpus.readNow();
    expect(calls).toHaveLength(1);
    expect(reading.ok ? "" : reading.error.message).toContain("it was killed and has not gone");
  });

  test("in the middle of an answer is asked nothing more", async () => {
    const { gpus, calls } = countCalls((args) => (args.startsWith("--query-gpu=index,uuid") ? WELL(args) : "stay"));
    const reading = await gpus.readNow();
    expect([reading.ok, calls.length]).toEqual([false, 2]);
  });
});

const FIGURES = ["0", "4", "81559", "31.5", "[N/A]", "[Not Supported]", "N/A"];
const ERRORS = ["[GPU is lost]", "[Unknown Error]", "[GPU requires reset]", "ERR!", "", "?", "0x1"];

const figure = fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...FIGURES) }, fc.constantFrom(...ERRORS), fc.string());

const gpuRow = fc
  .tuple(
    fc.nat(3),
    fc.oneof(fc.nat(3).map(uuid), figure),
    fc.constantFrom("X", "odd, name"),
    fc.array(figure, { minLength: 4, maxLength: 6 }),
  )
  .map(([index, id, model, figures]) => [index, id, model, ...figures].join(", "));

const healthRow = fc
  .tuple(fc.nat(3), fc.constantFrom("None", "GPU Reset", "[N/A]", "3", "0", "Yes", "No", "[Unknown Error]"))
  .map((fields) => fields.join(", "));

const otherRow = fc.oneof(
  fc.nat(3).map((index) => `${uuid(index)}, 17`),
  fc.nat(3).map((index) => `GPU ${index}: X (UUID: ${uuid(index)})`),
  fc.constantFrom(
    "Unable to determine the device handle for GPU 1",
    "No devices were found",
    'Field "ecc" is not a valid field to query.',
  ),
);

const answer = fc.record({
  stdout: fc
    .array(fc.oneof({ weight: 6, arbitrary: gpuRow }, healthRow, otherRow, fc.string()), { maxLength: 6 })
    .map((lines) => lines.join("\n")),
  stderr: fc.string(),
  exitCode: fc.constantFrom(0, 0, 0, 2, 6, 9, 14, 15, 18, 137, 255),
});

const NOT_THERE = String.raw`\[?(?:N/A|Not Supported|Not Available|Insufficient Permissions)\]?`;
const KNOWN = String.raw`(?:-?\d+(?:\.\d+)?(?: ?(?:MiB|%|W|C))?|${NOT_THERE})`;
const SEEN_WELL = new RegExp(
  `^\\s*(\\d+)\\s*,\\s*(?:GPU-[^,]*|${KNOWN})\\s*,.*${`,\\s*${KNOWN}\\s*`.repeat(4)},\\s*(?:${KNOWN}|ERR!)\\s*$`,
  "i",
);

describe("over any text that a driver may print", () => {
  test("no job starts on a GPU that was not seen well, and a driver that works again is used again", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(answer, { minLength: 1, maxLength: 8 }), async (answers) => {
        const said: string[] = [];
        let turn = 0;
        const { gpus, use } = createMachine("nvidia-smi", (args) => {
          const next: Exclude<Answer, string> = answers[turn++ % answers.length] ?? {};
          if (args.startsWith("--query-gpu=index,uuid")) said.push(next.stdout ?? "");
          return next;
        });
        const starts = listStarts(await gpus.readNow());
        const well = said.flatMap((text) => text.split("\n")).flatMap((line) => SEEN_WELL.exec(line)?.[1] ?? []);
        expect(starts.filter((index) => !well.map(Number).includes(index))).toEqual([]);
        use(WELL);
        expect(listStarts(await gpus.readNow())).toEqual([0]);
      }),
      { numRuns: 500 },
    );
  });

  test.each(["amd-smi", "rocm-smi"] as const)("%s: the server goes on", async (name) => {
    const json = fc.oneof(
      fc.json(),
      fc.string(),
      fc.jsonValue().map((value) => JSON.stringify({ card0: value, gpu_data: [value] })),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(json, { minLength: 1, maxLength: 4 }), async (texts) => {
        let turn = 0;
        const { gpus } = createMachine(name, () => ({ stdout: texts[turn++ % texts.length] ?? "" }));
        const reading = await gpus.readNow();
        const seen = reading.ok ? reading.value : [];
        expect(
          listStarts(reading).filter((index) => seen.find((gpu) => gpu.index === index)?.memoryUsed === null),
        ).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
