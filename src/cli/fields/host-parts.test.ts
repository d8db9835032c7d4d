import { expect, test } from "bun:test";
import { HOST_PARTS } from "./host-parts.ts";
import { describeWrongValue, readFields } from "./job-field.ts";

const [cpus, mem] = HOST_PARTS;

const convert = (option: string, value: string) =>
  HOST_PARTS.find(({ sbatch }) => sbatch?.option === option)?.sbatch?.convert(value) ?? null;

test("CPUs are a whole number, memory a size; a number alone is no size", () => {
  expect(readFields(HOST_PARTS, { cpus: "4", mem: "1.5G" })).toEqual({ cpus: 4, memory_mib: 1536 });
  expect(readFields(HOST_PARTS, { cpus: "none", mem: "none" })).toEqual({ cpus: null, memory_mib: null });
  for (const wrong of ["0", "-1", "1.5", "4x", "", "65537"])
    expect([wrong, cpus && describeWrongValue(cpus, wrong)]).toEqual([wrong, "is a whole number of CPUs, 1 or more"]);
  for (const wrong of ["16", "0G", "16Q", "", 16])
    expect([wrong, mem && describeWrongValue(mem, wrong)]).toEqual([wrong, "is a size such as 512M or 10G"]);
  expect(cpus && describeWrongValue(cpus, 4)).toBeNull();
});

test("memory of Slurm is in MiB where it has no unit, and rounded up to these", () => {
  const sizes = { "4G": "4G", "16000": "16000M", "1T": "1024G", "512M": "512M", "1K": "1M", "2048": "2G" };
  for (const [value, text] of Object.entries(sizes)) expect([value, convert("mem", value)]).toEqual([value, text]);
  for (const value of ["0", "4Q", "", "all"]) expect([value, convert("mem", value)]).toEqual([value, null]);
  expect(["8", "08", "0", "8x"].map((value) => convert("cpus-per-task", value))).toEqual(["8", "8", null, null]);
});
