import { expect, test } from "bun:test";
import { describeWandbRun } from "./wandb-text.ts";

test("a run is told as its page, with what is to be said of it, or as that alone", () => {
  const page = "https://wandb.ai/lab/vision/runs/abc123";
  expect(describeWandbRun(page, null)).toBe(page);
  expect(describeWandbRun(page, "not confirmed by W&B")).toBe(`${page} (not confirmed by W&B)`);
  expect(describeWandbRun(null, "offline run abc123")).toBe("offline run abc123");
  expect(describeWandbRun(null, null)).toBeNull();
});
