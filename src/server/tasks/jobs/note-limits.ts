import { seeGpus } from "../../changes/read-reserves.ts";
import type { GpuState } from "../../core/queue/gpu-selection.ts";
import type { SharedNeed } from "../../core/queue/needs/need-name.ts";
import { type LimitLook, nameLimited, noteLimited } from "../../core/queue/patience/limit-spells.ts";
import { createIsOverLimit, isMeasured } from "../../core/queue/patience/over-limit.ts";
import { forgetSpells } from "../../core/queue/patience/passed-over.ts";
import { NO_LIMITS } from "../../core/queue/user-limits.ts";
import type { Store } from "../../core/store.ts";
import type { TaskContext, TaskMemory } from "../context.ts";

type Kind = "cpu" | "gpu";
type ReadyNeed = Readonly<{ need: SharedNeed; user: string }>;

export const KNOWN_FOR_S = 60;

/** Of the jobs that wait for nothing but their turn, what those of each user ask for. */
export const listReadyNeeds = (store: Pick<Store, "loadDecidingJobs">): readonly ReadyNeed[] => {
  const ready: ReadyNeed[] = [];
  store.loadDecidingJobs(
    (need, user) => {
      ready.push({ need, user });
      return null;
    },
    () => 0,
  );
  return ready;
};

const readStates = async (context: TaskContext, now: number): Promise<readonly GpuState[] | null> => {
  const { store, settings, gpus } = context;
  const { limitsOf = NO_LIMITS } = settings;
  if (!listReadyNeeds(store).some(({ need, user }) => isMeasured(need, limitsOf(user)))) return null;
  const known = await gpus.read(KNOWN_FOR_S);
  return known.ok ? seeGpus(context, { gpus: known.value, active: store.loadActiveJobs(), now }) : null;
};

const look = (
  { store, settings: { limitsOf = NO_LIMITS } }: TaskContext,
  states: readonly GpuState[] | null,
  kind: Kind,
): readonly LimitLook[] => {
  const isOver = createIsOverLimit({ active: store.loadActiveJobs(), limitsOf }, states);
  return listReadyNeeds(store).map(({ need, user }) => {
    const isOwn = need.numGpus > 0 === (kind === "gpu");
    const found = isOver(need, user);
    return { name: nameLimited(need, user), isOver: isOwn || found === true ? found : null };
  });
};

/** Once all jobs of a kind have started that can: writes down which wait for a limit from now on, and which of that kind don't any more. */
export const noteLimits = async (context: TaskContext, { looked }: TaskMemory, kind: Kind): Promise<void> => {
  const { store, clock, settings } = context;
  if (looked.get(kind) === store.readVersion()) return;
  const now = clock();
  const states = await readStates(context, now);
  const version = store.readVersion();
  const looks = look(context, states, kind);
  const known = store.readLimited();
  if (noteLimited(known, looks, now) === known) return void looked.set(kind, version);
  await store.write((transaction) => {
    const limited = noteLimited(transaction.readLimited(), looks, now);
    const facts = { limited, drains: transaction.readDrains(), maxPassedOverS: settings.maxPassedOver };
    transaction.saveLimited(forgetSpells(facts, now));
  });
};
