import { expect, test } from "bun:test";
import { makeJob } from "../../../tests/support/top-samples.ts";
import { describeJob } from "./job-text.ts";

const readRun = (fields: Parameters<typeof makeJob>[0]): string | undefined =>
  describeJob(makeJob(fields)).find(([name]) => name === "w&b")?.[1];

test("a W&B run is shown as its page with what is to be said of it, or as that alone", () => {
  const page = "https://wandb.lab.example/lab/vision/runs/abc123";
  expect(readRun({ wandb_url: page })).toBe(page);
  expect(readRun({ wandb_url: page, wandb_note: "not confirmed by W&B" })).toBe(`${page} (not confirmed by W&B)`);
  expect(readRun({ wandb_note: "offline run abc123 (sync it with wandb sync /a)" })).toMatch(/^offline run abc123 /);
  expect(readRun({})).toBeUndefined();
});
