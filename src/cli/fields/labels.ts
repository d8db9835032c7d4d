import { describeNoteMistake, isJobName } from "../../wire/job-fields/label-rules.ts";
import type { JobField } from "./job-field.ts";

export const LABELS: readonly JobField[] = [
  {
    flag: { long: "name", value: "NAME", help: "what to call it in lists; selects it" },
    field: "name",
    isUsual: false,
    waits: false,
    what: "1 to 64 of A-Z, a-z, 0-9, ., _ and -, beginning with a letter",
    isRight: isJobName,
    toFields: ([name]) => ({ name }),
    sbatch: { option: "job-name", short: "J", convert: (name) => (isJobName(name) ? name : null) },
  },
  {
    flag: { long: "note", value: "TEXT", help: "what to remember of it" },
    field: "note",
    isUsual: false,
    waits: false,
    what: "a text of at most 4 KiB that is not blank",
    isRight: (text) => describeNoteMistake(text) === null,
    toFields: ([note]) => ({ note }),
    sbatch: { option: "comment", convert: (note) => (describeNoteMistake(note) === null ? note : null) },
  },
];
