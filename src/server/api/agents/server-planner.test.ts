import { expect, test } from "bun:test";
import { ok } from "../../../base/result.ts";
import type { Ask } from "../../../mcp/ask.ts";
import type { WireJob } from "../../../wire/job.ts";
import { createServerPlanner } from "./server-planner.ts";

const JOB: Partial<WireJob> = {
  id: "abc123",
  command: "python3 -",
  artifact_id: "code-1",
  input_artifact_id: "input-1",
  umask: "0077",
  jobrc: "module load cuda",
  integrations: ["wandb"],
  notifications: [],
  env_names: [],
  requested_gpu_idxs: [],
  num_gpus: 1,
  priority: 0,
  links: [],
};

const ask: Ask = {
  get: async <Value>() => ok(JOB as Value),
  send: async () => ok(null as never),
  stream: async () => ok(new ReadableStream<Uint8Array>()),
};

test("a job is run again with the code, standard input, umask, jobrc and integrations that it had", async () => {
  const again = await createServerPlanner(ask, "ann").planAgain({ id: "abc123" });
  expect(again.ok && again.value.requests).toMatchObject([
    {
      user: "ann",
      command: "python3 -",
      artifact_id: "code-1",
      input_artifact_id: "input-1",
      umask: "0077",
      jobrc: "module load cuda",
      integrations: ["wandb"],
    },
  ]);
});

test("each command becomes a job with what is wanted for all, and of files nothing is said where nothing was", async () => {
  const planner = createServerPlanner(ask, "ann");
  const wanted = { commands: ["a", "b"], gpus: 2, priority: 3, env: { A: "1" } };
  const common = { user: "ann", num_gpus: 2, priority: 3, env: { A: "1" } };
  const kept = await planner.planNew({ ...wanted, outputs: ["*.pt"] });
  expect(kept.ok && kept.value.requests).toEqual([
    { ...common, output_globs: ["*.pt"], command: "a" },
    { ...common, output_globs: ["*.pt"], command: "b" },
  ]);
  const usual = await planner.planNew(wanted);
  expect(usual.ok && usual.value.requests).toEqual([
    { ...common, command: "a" },
    { ...common, command: "b" },
  ]);
});
