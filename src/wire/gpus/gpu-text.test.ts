import { expect, test } from "bun:test";
import { makeGpu } from "../../../tests/support/top-samples.ts";
import type { WireGpu } from "../gpu.ts";
import { formatGpuMemory, listGpuUses } from "./gpu-text.ts";

const RESERVED: Partial<WireGpu> = {
  is_reserved: true,
  reservations: [
    { id: "r3f9ab", gpu_idxs: [0], from: 1_795_968_000, until: 1_795_975_200, why: "a demo", user: "ann" },
    { id: "later", gpu_idxs: [0], from: 1_796_000_000, until: 1_797_000_000, why: null, user: "bob" },
  ],
};

test.each<[string, Partial<WireGpu>, readonly string[]]>([
  ["nothing", {}, ["good available"]],
  ["a job", { running_job_id: "k3f9ab", process_count: 1 }, ["taken job k3f9ab"]],
  [
    "jobs that share it",
    { running_job_id: "k3f9ab", job_ids: ["k3f9ab", "m2x4cd"], vram_booked_mib: 14_336, memory_total: 24_576 },
    ["taken jobs k3f9ab, m2x4cd (14 GiB of 24 GiB booked)"],
  ],
  [
    "a job that shares it",
    { job_ids: ["k3f9ab"], vram_booked_mib: 512, memory_total: 24_576 },
    ["taken job k3f9ab (512 MiB of 24 GiB booked)"],
  ],
  ["processes", { process_count: 2 }, ["bad in use by others"]],
  ["use without a process", { unseen_use: "it is 98 % busy" }, ["bad in use by others (process not visible)"]],
  ["a fault", { fault: "GPU is lost" }, ["bad out of order: GPU is lost"]],
  [
    "a fault while a job runs",
    { running_job_id: "k3f9ab", fault: "ERR!" },
    ["taken job k3f9ab", "bad out of order: ERR!"],
  ],
  ["a fault and the blacklist", { fault: "ERR!", is_blacklisted: true }, ["bad out of order: ERR!", "bad blacklisted"]],
  ["a doubt", { doubt: "it is 40 % busy" }, ["taken last choice: it is 40 % busy"]],
  ["a reservation", RESERVED, ["taken reserved for ann until 2026-11-29T18:00:00Z: a demo"]],
  [
    "a reservation, and a job",
    { ...RESERVED, running_job_id: "k3f9ab" },
    ["taken job k3f9ab", "taken reserved for ann until 2026-11-29T18:00:00Z: a demo"],
  ],
  [
    "a reservation that is to come",
    { ...RESERVED, is_reserved: false },
    ["good available", "taken reserved for ann from 2026-11-29T16:00:00Z until 2026-11-29T18:00:00Z: a demo"],
  ],
  ["text that could control a terminal", { fault: "\u001b[2J" }, ["bad out of order: \\x1b[2J"]],
])("of a GPU with %s it is said", (_what, fields, said) => {
  expect(listGpuUses(makeGpu(0, fields)).map(({ tone, text }) => `${tone} ${text}`)).toEqual([...said]);
});

test("of a GPU of an earlier server nothing is said of reservations", () => {
  const { is_reserved, reservations, ...earlier } = makeGpu(0, RESERVED);
  expect([is_reserved, reservations.length]).toEqual([true, 2]);
  expect(listGpuUses(earlier as WireGpu).map(({ text }) => text)).toEqual(["available"]);
});

test.each([
  [1, 2, "1/2"],
  [null, null, "-"],
  [null, 2, "-/2"],
] as const)("memory %p of %p is shown as %s", (memory_used, memory_total, shown) => {
  expect(formatGpuMemory(makeGpu(0, { memory_used, memory_total }))).toBe(shown);
});
