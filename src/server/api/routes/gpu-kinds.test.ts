import { describe, expect, test } from "bun:test";
import { createHarness } from "../../../../tests/support/api.ts";
import { createGpu } from "../../../../tests/support/samples.ts";
import type { WireGpu } from "../../../wire/gpu.ts";
import type { SubmittedJob } from "../../../wire/job.ts";
import type { JobId } from "../../core/jobs/job.ts";

const GIB = 1024;
const NONE = { vram_mib: null, min_vram_mib: null, gpu_type: null };

const createMachine = () =>
  createHarness([
    createGpu(0, [], { name: "NVIDIA A100-SXM4-40GB", memoryTotal: 40 * GIB, users: [] }),
    createGpu(1, [], { name: "RTX 4090", memoryTotal: 24 * GIB, users: [] }),
  ]);

type Harness = ReturnType<typeof createMachine>;

const refuse = async ({ call }: Harness, fields: object): Promise<readonly [number, string]> => {
  const response = await call("POST", "/v1/jobs", { json: { command: "true", user: "ann", ...fields } });
  return [response.status, JSON.stringify(await response.json())];
};

describe("what is asked of GPUs", () => {
  test("is taken with a submission and told in each answer, as null where nothing is", async () => {
    const machine = createMachine();
    const kind = { vram_mib: 10 * GIB, min_vram_mib: null, gpu_type: "a100" };
    const { id } = await machine.submit({ ...kind, num_gpus: 1 });
    expect(await (await machine.call("GET", `/v1/jobs/${id}`)).json()).toMatchObject(kind);
    expect(await machine.submit()).toMatchObject(NONE);
    expect(await machine.submit({ num_gpus: 1, min_vram_mib: 24 * GIB })).toMatchObject({ min_vram_mib: 24 * GIB });
  });

  test.each([
    ["vram_mib", { vram_mib: 0 }],
    ["vram_mib", { vram_mib: 1.5 }],
    ["vram_mib", { vram_mib: "10G" }],
    ["min_vram_mib", { min_vram_mib: -1 }],
    ["gpu_type", { gpu_type: " " }],
    ["gpu_type", { gpu_type: "a".repeat(65) }],
    ["vram_mib", { vram_mib: GIB, num_gpus: 0 }],
    ["vram_mib", { vram_mib: GIB, min_vram_mib: GIB }],
    ["vram_mib", { vram_mib: 40 * GIB - 511 }],
    ["vram_mib", { vram_mib: 30 * GIB, num_gpus: 2 }],
    ["vram_mib", { vram_mib: 30 * GIB, gpu_idxs: [1] }],
    ["vram_mib", { vram_mib: 41 * GIB, run_immediately: true }],
    ["min_vram_mib", { min_vram_mib: 41 * GIB }],
    ["gpu_type", { gpu_type: "H100" }],
    ["gpu_type", { gpu_type: "A100", gpu_idxs: [1] }],
  ])("is 422 that names %s where it can't be: %p", async (field, fields) => {
    expect(await refuse(createMachine(), fields)).toEqual([422, expect.stringContaining(`"${field}"`)]);
  });

  test("says what there is instead", async () => {
    expect(await refuse(createMachine(), { min_vram_mib: 41 * GIB })).toEqual([
      422,
      expect.stringContaining(
        "The job asks for a GPU with 41 GiB, and none is such a one (this machine has: NVIDIA A100-SXM4-40GB with 40 GiB, RTX 4090 with 24 GiB)",
      ),
    ]);
  });

  test("is changed and taken away by an edit, with the checks of a submission", async () => {
    const machine = createMachine();
    const { id } = await machine.submit({ num_gpus: 1, vram_mib: GIB });
    const patch = async (json: object) => {
      const response = await machine.call("PATCH", `/v1/jobs/${id}`, { json });
      return [response.status, await response.json()];
    };
    expect(await patch({ vram_mib: 2 * GIB })).toEqual([200, expect.objectContaining({ vram_mib: 2 * GIB })]);
    for (const wrong of [{ vram_mib: 40 * GIB }, { min_vram_mib: GIB }, { num_gpus: 0 }, { gpu_type: "H100" }])
      expect((await patch(wrong))[0]).toBe(422);
    expect(await patch({ vram_mib: null, min_vram_mib: GIB })).toEqual([
      200,
      expect.objectContaining({ ...NONE, min_vram_mib: GIB }),
    ]);
  });

  test("is not asked of GPUs by a job without any", async () => {
    expect(await createMachine().submit({ num_gpus: 0, gpu_type: "H100" })).toMatchObject({ gpu_type: "H100" });
  });
});

test("what a command had of a GPU's memory is proposed at its next submission, with a margin, where that may help", async () => {
  const machine = createMachine();
  const first = await machine.submit({ command: "python a.py", num_gpus: 1 });
  await machine.startJob(first.id, [1]);
  await machine.store.write((transaction) => {
    const job = transaction.findJob(first.id as JobId);
    if (job !== null) transaction.saveJob({ ...job, vramPeakMib: 7270 });
  });
  await machine.endJob(first.id);
  const propose = async (fields: object) => {
    const response = await machine.call("POST", "/v1/jobs", {
      json: { command: "python a.py", user: first.user, num_gpus: 1, ...fields },
    });
    return ((await response.json()) as SubmittedJob).vram_proposal;
  };
  const proposal = { peak_mib: 7270, vram_mib: 8 * GIB };
  expect((await (await machine.call("GET", `/v1/jobs/${first.id}`)).json()) as object).toMatchObject({
    vram_peak_mib: 7270,
  });
  expect(await propose({})).toEqual(proposal);
  expect(await propose({ num_gpus: 2 })).toEqual(proposal);
  for (const other of [
    { command: "python b.py" },
    { user: "bob" },
    { num_gpus: 0 },
    { vram_mib: GIB },
    { min_vram_mib: GIB },
  ])
    expect(await propose(other)).toBeUndefined();
});

test("a GPU tells the jobs on it, the oldest first, and what they have booked", async () => {
  const machine = createMachine();
  const first = await machine.submit({ num_gpus: 1, gpu_idxs: [1], vram_mib: 10 * GIB });
  const second = await machine.submit({ num_gpus: 1, gpu_idxs: [1], vram_mib: 4 * GIB });
  await machine.startJob(first.id, [1]);
  await machine.startJob(second.id, [1]);
  const [alone, shared] = (await (await machine.call("GET", "/v1/gpus")).json()) as readonly WireGpu[];
  expect(alone).toMatchObject({ job_ids: [], vram_booked_mib: 0, running_job_id: null });
  expect(shared).toMatchObject({
    job_ids: [first.id, second.id],
    vram_booked_mib: 14 * GIB,
    running_job_id: first.id,
  });
});
