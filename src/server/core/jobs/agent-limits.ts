/** What jobs of an agent may have: GPUs at once, jobs in the queue, GPU hours in the last 24 hours. */
export type AgentLimits = Readonly<{ gpus: number; queued: number; gpuHours: number }>;

export const USUAL_LIMITS: AgentLimits = { gpus: 1, queued: 20, gpuHours: 24 };
