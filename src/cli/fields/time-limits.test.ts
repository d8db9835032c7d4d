import { expect, test } from "bun:test";
import { TIME_LIMITS } from "./time-limits.ts";

const convert = (option: string, value: string) =>
  TIME_LIMITS.find(({ sbatch }) => sbatch?.option === option)?.sbatch?.convert(value) ?? null;

test("a time of Slurm is read as Slurm does: a number alone is minutes", () => {
  const times = {
    "90": "1h30m",
    "1:30": "1m30s",
    "02:00:00": "2h",
    "1-0": "1d",
    "1-12": "1d12h",
    "2-03:04": "2d3h4m",
    "2-03:04:05": "2d3h4m5s",
  };
  for (const [value, text] of Object.entries(times)) expect([value, convert("time", value)]).toEqual([value, text]);
  for (const value of ["0", "UNLIMITED", "1:2:3:4", "", "99999-0", "99999999"])
    expect([value, convert("time", value)]).toEqual([value, null]);
});

test("a signal of Slurm is a warning where it is USR1", () => {
  for (const value of ["USR1@300", "B:USR1@300", "SIGUSR1@300"]) expect(convert("signal", value)).toBe("5m");
  for (const value of ["USR2@300", "USR1", "TERM@60"]) expect(convert("signal", value)).toBeNull();
});
