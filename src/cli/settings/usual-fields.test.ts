import { expect, test } from "bun:test";
import type { JobField } from "../fields/job-field.ts";
import { listUsual } from "./settings.ts";
import { applyUsual } from "./usual-fields.ts";

const SPAN: JobField = {
  flag: { long: "span", value: "TIME", help: "a sample" },
  field: "note",
  isUsual: true,
  waits: true,
  what: "a time such as 2h",
  isRight: (text) => text.endsWith("h"),
  toFields: ([note]) => ({ note }),
};

const STILL: JobField = { ...SPAN, flag: { long: "still", help: "a sample" }, field: "name" };

const SETTINGS = listUsual([SPAN, STILL, { ...SPAN, isUsual: false }]);

test("each usual field has a setting of the field's name", () => {
  expect(SETTINGS.map(({ name }) => name)).toEqual(["default_note", "default_name"]);
});

test("what is usual fills in where no flag says anything", () => {
  expect(applyUsual({}, { default_note: "2h", default_name: true }, SETTINGS)).toEqual({ span: "2h", still: true });
  expect(applyUsual({ span: "3h" }, { default_note: "2h" }, SETTINGS)).toEqual({ span: "3h" });
  expect(applyUsual({}, { default_note: "", default_name: false }, SETTINGS)).toEqual({});
});

test("a variable wins over the file", () => {
  process.env["NEXUS_DEFAULT_NOTE"] = "4h";
  try {
    expect(applyUsual({}, { default_note: "2h" }, SETTINGS)).toEqual({ span: "4h" });
  } finally {
    delete process.env["NEXUS_DEFAULT_NOTE"];
  }
});
