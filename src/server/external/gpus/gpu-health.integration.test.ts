import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createTestDriver } from "../../../../tests/support/driver.ts";
import { FIXTURES } from "../../../../tests/support/programs.ts";
import { createGpuHealth } from "./gpu-health.ts";
import { createMockGpus } from "./mock-gpus.ts";

const BIN = join(FIXTURES, "bin");
const PATH = process.env["PATH"] ?? "";

let folder = "";

const put = (name: string, text: string): void => writeFileSync(join(folder, name), `${text}\n`);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nexus-smi-"));
  process.env["NEXUS_FAKE_SMI_DIR"] = folder;
  process.env["PATH"] = `${BIN}${delimiter}${PATH}`;
  put("gpus.csv", "1, GPU-b, NVIDIA H100, 81559, 0, 0, 71, 70.1\n0, GPU-a, NVIDIA L4, 23034, 0, 0, [N/A], 16.2");
});

afterEach(() => {
  rmSync(folder, { recursive: true });
  delete process.env["NEXUS_FAKE_SMI_DIR"];
  process.env["PATH"] = PATH;
});

test("temperature, uncorrected ECC errors and what the driver asks for after an Xid are told for each GPU", async () => {
  put("ecc.csv", "0, [N/A]\n1, 3");
  put("recovery.csv", "0, None\n1, Drain and Reset");
  expect(await createGpuHealth(createTestDriver())()).toEqual([
    { index: 0, temperature: null, ecc_errors: null, recovery_action: "None", fault: null },
    {
      index: 1,
      temperature: 71,
      ecc_errors: 3,
      recovery_action: "Drain and Reset",
      fault: "recovery action: Drain and Reset",
    },
  ]);
});

test("a driver that does not know these fields leaves them unknown", async () => {
  expect(await createGpuHealth(createTestDriver())()).toEqual([
    { index: 0, temperature: null, ecc_errors: null, recovery_action: null, fault: null },
    { index: 1, temperature: 71, ecc_errors: null, recovery_action: null, fault: null },
  ]);
});

test("GPUs that can't be read have no figures; pretended ones are not asked for", async () => {
  put("mode", "fail");
  expect(createGpuHealth(createTestDriver())()).rejects.toThrow("Driver/library version mismatch");
  expect(await createGpuHealth(createMockGpus(1))()).toEqual([
    { index: 0, temperature: null, ecc_errors: null, recovery_action: null, fault: null },
  ]);
});
