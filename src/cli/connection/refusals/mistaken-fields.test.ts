import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { loadVerbs } from "../../../command-line/help.ts";
import { jobPatchSchema, jobSubmissionSchema } from "../../../wire/job.ts";
import { NX } from "../../program.ts";
import { phraseMistakes } from "./mistaken-fields.ts";
import { describeRefusal } from "./refusal.ts";

const FIELDS = [...new Set([...Object.keys(jobSubmissionSchema.shape), ...Object.keys(jobPatchSchema.shape)])];
const mistake = (...loc: readonly (string | number)[]) => ({
  loc: ["body", ...loc],
  msg: "It is wrong",
  type: "custom",
});

describe("a mistake that the server finds", () => {
  test.each(FIELDS)("in %s is told in a user's words", async (field) => {
    const flags = (await loadVerbs(NX)).flatMap((verb) => verb.flags.map(({ long }) => `--${long}`));
    for (const loc of [[field], [0, field], [3, field, 1, "path"]]) {
      const told = phraseMistakes([mistake(...loc)]) ?? "";
      const [source = ""] = told.split(":");
      expect(told).toMatch(/^[^:]+: It is wrong$/);
      expect(
        source.startsWith("--") ? flags.includes(source.split(" ")[0] ?? "") : source !== field || field === "user",
      ).toBe(true);
      expect(told).not.toMatch(/\d\.|\bnum_gpus\b|\w\.\w/);
    }
  });

  test("says the flag, the same for many jobs once, and which variable", () => {
    const gpus = [0, 1, 2].map((job) => mistake(job, "num_gpus"));
    expect(phraseMistakes(gpus)).toBe("--gpus: It is wrong");
    expect(phraseMistakes([...gpus, mistake(1, "env", "A B")])).toBe("--gpus: It is wrong (and 1 more)");
    expect(phraseMistakes([mistake("env", "A\u001bB")])).toBe("--env A\\x1bB: It is wrong");
    expect(phraseMistakes([mistake()])).toBe("It is wrong");
    expect(phraseMistakes([])).toBeNull();
  });

  test("in a field of a later server has no path either", () => {
    const part = fc.oneof(fc.nat(20), fc.stringMatching(/^[a-z]{1,8}(_[a-z]{1,8}){0,3}$/));
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), (loc) => {
        expect(phraseMistakes([mistake(...loc)])).not.toMatch(/\w\.\w/);
      }),
    );
    expect(phraseMistakes([mistake(0, "new_field", "__proto__")])).toBe("new field: It is wrong");
    expect(phraseMistakes([mistake("constructor")])).toBe("constructor: It is wrong");
  });

  test("is told so of an answer", async () => {
    const body = { error: "VALIDATION_ERROR", message: "0.num_gpus: It is wrong", detail: [mistake(0, "num_gpus")] };
    const answer = Response.json({ ...body, status_code: 422 }, { status: 422 });
    expect(await describeRefusal(answer)).toEqual({
      exitCode: 2,
      code: "VALIDATION_ERROR",
      message: "--gpus: It is wrong",
    });
  });
});
