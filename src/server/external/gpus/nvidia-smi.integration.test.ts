import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { FIXTURES } from "../../../../tests/support/programs.ts";
import { createNvidiaSmi } from "./nvidia-smi.ts";

const BIN = join(FIXTURES, "bin");
const GPUS = [
  "1, GPU-bbbb, NVIDIA L4, 23034, 1000, 97, 60, 70.10",
  "0, GPU-aaaa, NVIDIA L4, 23034, 1, 0, 30, 16.20",
].join("\n");
const PATH = process.env["PATH"] ?? "";

let folder = "";

const put = (name: string, text: string): void => writeFileSync(join(folder, name), `${text}\n`);
const countCalls = (): number => readFileSync(join(folder, "calls"), "utf8").trim().split("\n").length;

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

describe("createNvidiaSmi", () => {
  test("reads the GPUs by index, with the processes on them", async () => {
    expect(await createNvidiaSmi().read()).toMatchObject({
      ok: true,
      value: [
        { index: 0, uuid: "GPU-aaaa", name: "NVIDIA L4", memoryTotal: 23_034, processes: [] },
        { index: 1, utilization: 97, temperature: 60, powerDraw: 70.1, processes: [4242] },
      ],
    });
  });

  test("readers at the same time share one call, and later ones its answer while it is young", async () => {
    let now = 0;
    const gpus = createNvidiaSmi({ clock: () => now });
    await Promise.all([gpus.read(0), gpus.read(0), gpus.read()]);
    expect(countCalls()).toBe(2);
    now = 1.9;
    await gpus.read();
    expect(countCalls()).toBe(2);
    now = 2;
    await gpus.read();
    expect(countCalls()).toBe(4);
    await gpus.read(0);
    expect(countCalls()).toBe(6);
  });

  test("a failure is young from when it came, however long that took", async () => {
    put("mode", "fail");
    let now = 0;
    const gpus = createNvidiaSmi({ clock: () => now });
    const failing = gpus.read();
    now = 5;
    await failing;
    now = 6.9;
    await gpus.read();
    expect(countCalls()).toBe(2);
    now = 7;
    await gpus.read();
    expect(countCalls()).toBe(4);
  });

  test("finds the GPU of a MIG device", async () => {
    put("apps.csv", "MIG-cccc, 7");
    put("list", "GPU 0: NVIDIA A30 (UUID: GPU-aaaa)\n  MIG 1g.6gb Device 0: (UUID: MIG-cccc)");
    expect(await createNvidiaSmi().read()).toMatchObject({ ok: true, value: [{ processes: [7] }, { processes: [] }] });
  });

  test("a warning of the driver does not hide the GPUs", async () => {
    put("mode", "warn");
    expect(await createNvidiaSmi().read()).toMatchObject({ ok: true, value: [{ index: 0 }, { index: 1 }] });
  });

  test.each([
    ["fail", "nvidia-smi failed with exit code 18: Failed to initialize NVML: Driver/library version mismatch"],
    ["garbage", "nvidia-smi names no GPU: not, a table"],
  ])("a driver in mode %s is an error, until it works again", async (mode, message) => {
    put("mode", mode);
    const gpus = createNvidiaSmi();
    expect(await gpus.read(0)).toEqual({ ok: false, error: { message } });
    put("mode", "ok");
    expect(await gpus.read(0)).toMatchObject({ ok: true });
  });

  test("a driver that hangs is an error", async () => {
    put("mode", "hang");
    const reading = await createNvidiaSmi().read();
    expect(reading.ok ? "" : reading.error.message).toContain("did not answer within");
  }, 10_000);

  test("a program that is not there is an error", async () => {
    const reading = await createNvidiaSmi({ command: "no-such-nvidia-smi" }).read();
    expect(reading.ok ? "" : reading.error.message).toStartWith(
      "The GPUs can't be read: no-such-nvidia-smi could not be run",
    );
  });
});
