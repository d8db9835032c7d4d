import { z } from "zod";
import { askedFields } from "../../wire/job-fields/job-fields.ts";
import { confirmation, gpuCount, priority, shellLine, variables } from "../arguments.ts";
import { offerPlan } from "../describe-plan.ts";
import { defineTool, type Tool } from "../tool.ts";

const MAX_JOBS = 100;

export const submit: Tool = defineTool(
  {
    name: "submit",
    title: "Submit",
    description:
      "Queue jobs. First call: a preview (what would run, where, when) and its confirm. Second call, same arguments and confirm: they are queued.",
    kind: "adds",
    input: z.strictObject({
      commands: z.array(shellLine).min(1).max(MAX_JOBS).describe("one shell line for each job, taken literally"),
      gpus: gpuCount.optional().describe("for each job, default 1, 0 for none"),
      gpu_idxs: z.array(z.int().min(0)).optional().describe("exactly these instead"),
      priority: priority.optional(),
      env: variables.optional(),
      outputs: z.array(z.string()).optional().describe("globs of the files to keep; default: all new ones"),
      code: z.boolean().optional().describe("false: don't send the git tree of the folder"),
      ...askedFields,
      confirm: confirmation,
    }),
  },
  async (context, { confirm, ...wanted }) => {
    const plan = await context.planner.planNew(wanted);
    return plan.ok ? offerPlan(context, plan.value, confirm) : plan;
  },
);
