import { describe, expect, test } from "bun:test";
import { createHarness } from "../../../../tests/support/api.ts";
import { createGpu } from "../../../../tests/support/samples.ts";
import type { WireWait } from "../../../wire/wait.ts";

const GIB = 1024;
const NONE = { cpus: null, memory_mib: null };
const HOST = { whole: { cpus: 8, memoryMib: 16 * GIB }, bookCpus: false };

const createMachine = () => createHarness([createGpu(0), createGpu(1)], null, { host: HOST });

type Harness = ReturnType<typeof createMachine>;

const ask = async ({ call }: Harness, fields: object): Promise<readonly [number, string]> => {
  const response = await call("POST", "/v1/jobs", { json: { command: "true", user: "ann", num_gpus: 0, ...fields } });
  return [response.status, JSON.stringify(await response.json())];
};

const readBooking = async ({ call }: Harness): Promise<unknown> =>
  ((await (await call("GET", "/v1/server/status")).json()) as { booking?: unknown }).booking;

describe("what is asked of the machine's CPUs and memory", () => {
  test("is taken with a submission and told in each answer, as null where nothing is", async () => {
    const machine = createMachine();
    const asked = { cpus: 8, memory_mib: 16 * GIB };
    const submitted = await machine.submit(asked);
    expect(submitted).toMatchObject({ ...asked, booked_only: true });
    expect(await (await machine.call("GET", `/v1/jobs/${submitted.id}`)).json()).toMatchObject(asked);
    const modest = await machine.submit({ cpus: null, memory_mib: null });
    expect(modest).toMatchObject(NONE);
    expect(modest).not.toHaveProperty("booked_only");
  });

  test.each([
    ["cpus", { cpus: 0 }],
    ["cpus", { cpus: 1.5 }],
    ["cpus", { cpus: "4" }],
    ["cpus", { cpus: 9 }],
    ["cpus", { cpus: 9, num_gpus: 1 }],
    ["cpus", { cpus: 9, run_immediately: true }],
    ["memory_mib", { memory_mib: -1 }],
    ["memory_mib", { memory_mib: "16G" }],
    ["memory_mib", { memory_mib: 16 * GIB + 1 }],
  ])("is 422 that names %s where it can't be: %p", async (field, fields) => {
    expect(await ask(createMachine(), fields)).toEqual([422, expect.stringContaining(`"${field}"`)]);
  });

  test("says what there is instead, and leaves an earlier, equal request alone", async () => {
    const machine = createMachine();
    expect((await ask(machine, { cpus: 9 }))[1]).toContain("The job needs 9 CPUs, and the machine has 8 to book");
    expect((await ask(machine, { memory_mib: 17 * GIB }))[1]).toContain(
      "The job needs 17 GiB of memory, and the machine has 16 GiB to book",
    );
    expect((await ask(machine, { memory_mib: 16 * 1024 + 1 }))[1]).toContain(
      "The job needs 16385 MiB of memory, and the machine has 16384 MiB to book",
    );
    expect((await ask(machine, { cpus: 8, job_id: "same" }))[0]).toBe(201);
    expect((await ask(machine, { cpus: 8, job_id: "same" }))[0]).toBe(200);
  });

  test("is changed and taken away by an edit, with the checks of a submission", async () => {
    const machine = createMachine();
    const { id } = await machine.submit({ cpus: 2 });
    const patch = async (json: object) => {
      const response = await machine.call("PATCH", `/v1/jobs/${id}`, { json });
      return [response.status, await response.json()];
    };
    expect(await patch({ cpus: 4, memory_mib: GIB })).toEqual([
      200,
      expect.objectContaining({ cpus: 4, memory_mib: GIB }),
    ]);
    for (const wrong of [{ cpus: 9 }, { memory_mib: 17 * GIB }]) expect((await patch(wrong))[0]).toBe(422);
    expect(await patch({ cpus: null, priority: 3 })).toEqual([
      200,
      expect.objectContaining({ cpus: null, memory_mib: GIB, priority: 3 }),
    ]);
    await machine.startJob(id, []);
    expect((await patch({ cpus: 1 }))[0]).toBe(400);
  });
});

test("a job that is to run at once is refused while its CPUs or its memory are booked, as where no GPU is free", async () => {
  const machine = createMachine();
  const first = await machine.submit({ cpus: 6, memory_mib: 10 * GIB });
  await machine.startJob(first.id, []);
  const now = { run_immediately: true };
  const [status, told] = await ask(machine, { ...now, cpus: 3 });
  expect([status, told]).toEqual([500, expect.stringContaining('"GPU_ERROR"')]);
  expect(told).toContain("The job cannot run immediately: it needs 3 CPUs, and 2 of 8 are free now");
  expect((await ask(machine, { ...now, memory_mib: 7 * GIB, num_gpus: 1 }))[1]).toContain(
    "it needs 7 GiB of memory, and 6 GiB of 16 GiB is free now",
  );
  expect((await ask(machine, { ...now, cpus: 2 }))[0]).toBe(201);
  expect((await ask(machine, { ...now, cpus: 1 }))[0]).toBe(500);
  expect((await ask(machine, now))[0]).toBe(201);
  await machine.endJob(first.id);
  expect((await ask(machine, { ...now, cpus: 5 }))[0]).toBe(201);
});

test("why a job waits has its reason, and from when what comes free is kept for it", async () => {
  const machine = createMachine();
  const first = await machine.submit({ cpus: 6, memory_mib: 10 * GIB });
  await machine.startJob(first.id, []);
  const explain = async (id: string): Promise<WireWait> =>
    (await (await machine.call("GET", `/v1/jobs/${id}/why`)).json()) as WireWait;
  const wide = await explain((await machine.submit({ cpus: 3 })).id);
  expect(wide).toMatchObject({
    reason: "cpus",
    text: `It needs 3 CPUs, and 2 of 8 are free: job ${first.id} of ann has 6`,
    gpus: [],
  });
  expect(wide.keeps_from).toBeGreaterThan(0);
  expect(await explain((await machine.submit({ memory_mib: 7 * GIB })).id)).toMatchObject({ reason: "memory" });
});

test("the status says what there is to book, and what jobs that run have booked", async () => {
  const machine = createMachine();
  const nothing = { cpus: 8, cpus_booked: 0, memory_mib: 16 * GIB, memory_booked_mib: 0, enforced: false };
  expect(await readBooking(machine)).toEqual(nothing);
  const { id } = await machine.submit({ cpus: 6, memory_mib: 10 * GIB });
  expect(await readBooking(machine)).toEqual(nothing);
  await machine.startJob(id, []);
  await machine.startJob((await machine.submit()).id, []);
  await machine.startJob((await machine.submit({ num_gpus: 1 })).id, [0]);
  expect(await readBooking(machine)).toEqual({ ...nothing, cpus_booked: 7, memory_booked_mib: 10 * GIB });
  await machine.endJob(id);
  expect(await readBooking(machine)).toEqual({ ...nothing, cpus_booked: 1 });
});
