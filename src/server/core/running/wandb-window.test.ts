import { expect, test } from "bun:test";
import { awaitsWandbRun } from "./wandb-window.ts";

const job = { integrations: ["wandb"], wandbUrl: null, startedAt: 1000 } as const;

test.each([
  [1029.9, false],
  [1030, true],
  [1720, true],
  [1720.1, false],
])("at %p a job that started at 1000 is looked for: %p", (now, expected) => {
  expect(awaitsWandbRun(job, now)).toBe(expected);
});

test("a job without the integration, or with its run found, is not looked for", () => {
  expect(awaitsWandbRun({ ...job, integrations: ["nullpointer"] }, 1100)).toBe(false);
  expect(awaitsWandbRun({ ...job, wandbUrl: "https://wandb.ai/a/b/runs/c" }, 1100)).toBe(false);
});
