import { expect, test } from "bun:test";
import { parseDuration } from "../../base/durations.ts";
import type { FlagValues } from "../../command-line/command.ts";
import { JOB_FIELDS } from "./field-table.ts";
import {
  describeWrongValue,
  dropRivals,
  type JobField,
  listUnheeded,
  readFields,
  toFlag,
  toFlagValue,
} from "./job-field.ts";

const SPAN: JobField = {
  flag: { long: "span", value: "TIME", help: "a sample" },
  field: "note",
  isUsual: true,
  waits: true,
  what: "a time such as 2h",
  isRight: (text) => parseDuration(text) !== null,
  toFields: ([text = ""]) => ({ note: String(parseDuration(text)) }),
};

const SWITCH: JobField = { ...SPAN, flag: { long: "still", help: "a sample" }, what: "a switch", isRight: () => true };

const MANY: JobField = {
  ...SPAN,
  flag: { long: "spans", value: "TIME", many: true, help: "a sample" },
  toFields: (texts) => ({ note: texts.map(parseDuration).join() }),
};

test("a flag's value is checked where it is typed, and none takes the field away", () => {
  const check = toFlag(SPAN).check ?? (() => "nothing is checked");
  expect(["2h", "none", "2", ""].map(check)).toEqual([null, null, "be a time such as 2h", "be a time such as 2h"]);
  expect(readFields([SPAN], { span: "none" })).toEqual({ note: null });
});

test("flags that are not given ask for nothing", () => {
  expect(readFields([SPAN, SWITCH, MANY], {})).toEqual({});
  expect(readFields([SPAN, SWITCH], { span: undefined, still: false })).toEqual({});
});

test("a flag that may be given again and again is read with all of its values", () => {
  expect(readFields([MANY], { spans: ["1m", "2m"] })).toEqual({ note: "60,120" });
});

test("a value of a file is of the flag's kind, or it is said what it is", () => {
  const told = (field: JobField, ...values: readonly unknown[]) => values.map((one) => describeWrongValue(field, one));
  expect(told(SPAN, "2h", "none", 2, true, [], ["2h"], {}, null)).toEqual([
    null,
    null,
    ...Array.from({ length: 6 }, () => "is a time such as 2h"),
  ]);
  expect(told(SWITCH, true, false, "true", 1)).toEqual([null, null, "is true or false", "is true or false"]);
  expect(told(MANY, "2h", ["2h", "3m"], [], [2])).toEqual([null, null, "is a time such as 2h", "is a time such as 2h"]);
});

test("a right value of a file is what the flag would have been", () => {
  expect(toFlagValue(SPAN, "2h")).toBe("2h");
  expect(toFlagValue({ ...SPAN, isRight: () => true }, 3)).toBe("3");
  expect([toFlagValue(SWITCH, true), toFlagValue(SWITCH, false)]).toEqual([true, null]);
  expect([toFlagValue(MANY, "2h"), toFlagValue(MANY, ["2h", "3m"])]).toEqual([["2h"], ["2h", "3m"]]);
});

test("no two fields have one flag, and each writes the field that it names", () => {
  const flags = JOB_FIELDS.map(({ flag }) => flag.long);
  expect(new Set(flags).size).toBe(flags.length);
  for (const field of JOB_FIELDS)
    expect(Object.keys(readFields([field], { [field.flag.long]: "none" }))).toEqual([field.field]);
});

test("a name is refused where it is typed, and what it may be is said", () => {
  const [name] = JOB_FIELDS.filter(({ field }) => field === "name").map(toFlag);
  expect(name?.check?.("baseline-2")).toBeNull();
  expect(name?.check?.("2nd")).toBe("be 1 to 64 of A-Z, a-z, 0-9, ., _ and -, beginning with a letter");
});

test("what a server of an earlier version does not tell of what was asked for was left out there", () => {
  const asked = { name: "base", note: null, held: true };
  expect(listUnheeded(JOB_FIELDS, asked, {})).toEqual(["--name", "--hold"]);
  expect(listUnheeded(JOB_FIELDS, asked, { name: "base", note: null, held: true })).toEqual([]);
});

test("a default of a field is passed over where a flag was given that leaves nothing of it, and nothing else is", () => {
  const defaults = { vram: "8G", "gpu-type": "A100", gpus: "2" };
  const fill = (given: FlagValues) => dropRivals(JOB_FIELDS, { ...defaults, ...given }, given);
  expect(fill({})).toEqual(defaults);
  expect(fill({ cpu: true })).toEqual({ cpu: true, gpus: "2" });
  expect(fill({ "min-vram": "40G" })).toEqual({ "gpu-type": "A100", gpus: "2", "min-vram": "40G" });
  expect(fill({ vram: "1G", cpu: true })).toEqual({ vram: "1G", cpu: true, gpus: "2" });
});
