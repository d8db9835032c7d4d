import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createClock, createTestDriver, readTestPlaces } from "../../../../tests/support/driver.ts";
import { FIXTURES } from "../../../../tests/support/programs.ts";
import { runCommand } from "../../../tools/run-command.ts";

const BIN = join(FIXTURES, "bin");
const GPUS = [
  "1, GPU-bbbb, NVIDIA L4, 23034, 1000, 97, 60, 70.10",
  "0, GPU-aaaa, NVIDIA L4, 23034, 1, 0, 30, 16.20",
].join("\n");
const PATH = process.env["PATH"] ?? "";

let folder = "";

const put = (name: string, text: string): void => writeFileSync(join(folder, name), `${text}\n`);
const listCalls = (): readonly string[] => readFileSync(join(folder, "calls"), "utf8").trim().split("\n");
const countLooks = (): number => listCalls().filter((call) => call.startsWith("--query-gpu=index,uuid")).length;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nexus-smi-"));
  process.env["NEXUS_FAKE_SMI_DIR"] = folder;
  process.env["PATH"] = `${BIN}${delimiter}${PATH}`;
  put("gpus.csv", GPUS);
  put("apps.csv", "GPU-bbbb, 4242");
});

afterEach(() => {
  rmSync(folder, { recursive: true });
  delete process.env["NEXUS_FAKE_SMI_DIR"];
  process.env["PATH"] = PATH;
});

describe("nvidia-smi", () => {
  test("tells the GPUs by index, with the processes on them", async () => {
    expect(await createTestDriver().read()).toMatchObject({
      ok: true,
      value: [
        { index: 0, uuid: "GPU-aaaa", deviceId: "GPU-aaaa", name: "NVIDIA L4", memoryTotal: 23_034, processes: [] },
        { index: 1, utilization: 97, temperature: 60, powerDraw: 70.1, processes: [4242] },
      ],
    });
  });

  test("is asked once by readers at the same time, and by later ones once its answer is no longer young", async () => {
    let now = 0;
    const gpus = createTestDriver({ clock: () => now });
    await Promise.all([gpus.readNow(), gpus.readNow(), gpus.read()]);
    expect(countLooks()).toBe(1);
    now = 1.9;
    await gpus.read();
    expect(countLooks()).toBe(1);
    now = 2;
    await gpus.read();
    expect(countLooks()).toBe(2);
    await gpus.readNow();
    expect(countLooks()).toBe(3);
  });

  test("is asked one thing at a time; one that takes over 2 s, health and processes side by side", async () => {
    const { hands, clock } = createClock();
    const most = { fast: 0, slow: 0 };
    let running = 0;
    const run =
      (kind: keyof typeof most, seconds: number): typeof runCommand =>
      async (argv, options) => {
        running += 1;
        most[kind] = Math.max(most[kind], running);
        const output = await runCommand(argv, options);
        running -= 1;
        hands.now += seconds;
        return output;
      };
    await createTestDriver({ clock, run: run("fast", 1) }).readNow();
    await createTestDriver({ clock, run: run("slow", 3) }).readNow();
    expect(most).toEqual({ fast: 1, slow: 3 });
  });

  test("is asked once more a while after a failure, however long that took", async () => {
    put("mode", "fail");
    let now = 0;
    const gpus = createTestDriver({ clock: () => now });
    const failing = gpus.read();
    now = 5;
    await failing;
    now = 6.9;
    await gpus.read();
    expect(countLooks()).toBe(1);
    now = 7;
    await gpus.read();
    expect(countLooks()).toBe(2);
  });

  test("tells the MIG devices of a GPU in its place, after the whole GPUs", async () => {
    put("apps.csv", "MIG-cccc, 7, 900\nGPU-bbbb, 8, [N/A]");
    put("list", "GPU 0: NVIDIA L4 (UUID: GPU-aaaa)\n  MIG 1g.6gb Device 0: (UUID: MIG-cccc)");
    expect(await createTestDriver().read()).toMatchObject({
      ok: true,
      value: [
        { index: 1, uuid: "GPU-bbbb", users: [{ pid: 8, memoryMib: null, jobId: null }] },
        {
          index: 2,
          uuid: "MIG-cccc",
          deviceId: "MIG-cccc",
          name: "NVIDIA L4 MIG 1g.6gb",
          memoryTotal: null,
          processes: [7],
        },
      ],
    });
  });

  test("with a warning of the driver tells the GPUs all the same", async () => {
    put("mode", "warn");
    expect(await createTestDriver().read()).toMatchObject({ ok: true, value: [{ index: 0 }, { index: 1 }] });
  });

  test.each([
    ["fail", "nvidia-smi failed with exit code 18: Failed to initialize NVML: Driver/library version mismatch"],
    ["garbage", "nvidia-smi names no GPU: not, a table"],
  ])("in mode %s is an error, until it works again", async (mode, message) => {
    put("mode", mode);
    const gpus = createTestDriver();
    expect(await gpus.readNow()).toEqual({ ok: false, error: { message } });
    put("mode", "ok");
    expect(await gpus.readNow()).toMatchObject({ ok: true });
  });

  test("that hangs is an error, and is ended when the server stops", async () => {
    put("mode", "hang");
    const reading = await createTestDriver({ timeoutS: 0.3 }).readNow();
    expect(reading.ok ? "" : reading.error.message).toContain("did not answer within");
    const gpus = createTestDriver({ timeoutS: 60 });
    const asked = gpus.readNow();
    gpus.stop();
    expect((await asked).ok).toBe(false);
  });

  test("that is slow keeps nobody who only looks waiting, and says what to do, once in the log", async () => {
    const warned: unknown[] = [];
    const log = { info: () => undefined, warn: (event: string) => void warned.push(event) };
    const { hands, clock } = createClock();
    const gate = { opens: Promise.resolve() };
    const run: typeof runCommand = async (argv, options) => {
      await gate.opens;
      return runCommand(argv, options);
    };
    const gpus = createTestDriver({ log, clock, run });
    await gpus.readNow();
    expect(gpus.readHint()).toBeNull();
    const slow = Promise.withResolvers<void>();
    gate.opens = slow.promise;
    const answer = gpus.readNow();
    hands.now = 6;
    put("gpus.csv", "0, GPU-aaaa, NVIDIA L4, 23034, 1, 0, 30, 16.20");
    expect(await gpus.read()).toMatchObject({ ok: true, value: [{ index: 0 }, { index: 1 }] });
    const advice = "turn on persistence mode (sudo nvidia-smi -pm 1)";
    expect(gpus.readHint()).toBe(`nvidia-smi has not answered for 6.0 s: ${advice}`);
    slow.resolve();
    expect(await answer).toMatchObject({ ok: true, value: [{ index: 0 }] });
    expect(gpus.readHint()).toBe(`nvidia-smi takes 6.0 s to answer: ${advice}`);
    await gpus.readNow();
    expect([gpus.readHint(), warned]).toEqual([null, ["the driver is slow"]]);
  });

  test("that is not there is an error", async () => {
    const gpus = createTestDriver({ readPlaces: () => ({ ...readTestPlaces(), path: "/nowhere" }) });
    expect(await gpus.read()).toEqual({
      ok: false,
      error: { message: "The GPUs can't be read: there is no nvidia-smi, and neither amd-smi nor rocm-smi" },
    });
  });
});
