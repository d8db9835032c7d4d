import type { Action } from "../core/job-ending.ts";
import type { Snapshot } from "../core/schedule.ts";
import type { SchedulerContext, SchedulerMemory } from "./context.ts";

const NOTHING = new Map<never, never>();

const dateKills = ({ clock, uptime }: SchedulerContext, { killedSince }: SchedulerMemory): Snapshot["killedSince"] =>
  new Map([...killedSince].map(([id, since]) => [id, clock() - (uptime() - since)]));

/** The store as it stands, with what was observed. */
export const takeSnapshot = (
  context: SchedulerContext,
  memory: SchedulerMemory,
  seen: Partial<Pick<Snapshot, "observations" | "gpus" | "queued">>,
): Snapshot => ({
  queued: [],
  observations: NOTHING,
  gpus: null,
  active: context.store.loadActiveJobs(),
  killedSince: dateKills(context, memory),
  blacklist: context.store.listBlacklist(),
  maxCpuJobs: context.settings.maxCpuJobs,
  maxPassedOverS: context.settings.maxPassedOver,
  ...seen,
});

export const selectActions = <Kind extends Action["kind"]>(
  actions: readonly Action[],
  kind: Kind,
): readonly Extract<Action, { kind: Kind }>[] =>
  actions.filter((action): action is Extract<Action, { kind: Kind }> => action.kind === kind);
