import { z } from "zod";
import { confirmation, gpuCount, jobId, priority, shellLine, variables } from "../arguments.ts";
import { offerPlan } from "../describe-plan.ts";
import { defineTool, type Tool } from "../tool.ts";

export const redo: Tool = defineTool(
  {
    name: "redo",
    title: "Run again",
    description: "Queue a job again with the code that it ran, changed where said. Preview and confirm as with submit.",
    kind: "adds",
    input: z.strictObject({
      id: jobId,
      command: shellLine.optional(),
      gpus: gpuCount.optional(),
      priority: priority.optional(),
      env: variables.optional(),
      without: z.array(z.string()).optional().describe("variables to leave out"),
      confirm: confirmation,
    }),
  },
  async (context, { confirm, ...again }) => {
    const plan = await context.planner.planAgain(again);
    return plan.ok ? offerPlan(context, plan.value, confirm) : plan;
  },
);
