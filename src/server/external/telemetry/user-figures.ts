import type { Stretch } from "../../core/queue/fair-share.ts";
import type { Meter } from "../../core/telemetry/meter.ts";
import type { Family, Sample } from "./exposition.ts";

type Figures = Pick<Meter, "countStretch"> &
  Readonly<{
    countWait: (user: string, seconds: number) => void;
    read: (running: readonly Stretch[]) => readonly Family[];
  }>;

type Name = Readonly<{ name: string; help: string }>;

const MOST_USERS = 100;
const OTHERS = "(others)";

const createNames = (): ((user: string) => string) => {
  const known = new Set<string>();
  return (user) => {
    if (!known.has(user) && known.size >= MOST_USERS) return OTHERS;
    known.add(user);
    return user;
  };
};

const createSums = () => {
  const sums = new Map<string, number>();
  return {
    sums,
    add: (label: string, amount: number): void => void sums.set(label, (sums.get(label) ?? 0) + Math.max(0, amount)),
  };
};

const describeCounter = ({ name, help }: Name, sums: ReadonlyMap<string, number>): Family => ({
  name,
  help,
  kind: "counter",
  samples: [...sums].map(([user, value]): Sample => ({ labels: { user }, value })),
});

const countSeconds = ({ gpus, from, to }: Stretch, since: number): number => gpus * (to - Math.max(from, since));

const createGpuSeconds = (nameUser: (user: string) => string, since: number) => {
  const ended = createSums();
  const shown = new Map<string, number>();
  return {
    add: (one: Stretch): void => ended.add(nameUser(one.user), countSeconds(one, since)),
    read: (running: readonly Stretch[]): ReadonlyMap<string, number> => {
      const all = createSums();
      for (const [label, seconds] of ended.sums) all.add(label, seconds);
      for (const one of running) all.add(nameUser(one.user), countSeconds(one, since));
      for (const [label, seconds] of all.sums) shown.set(label, Math.max(seconds, shown.get(label) ?? 0));
      return shown;
    },
  };
};

/**
 * Of the first hundred users each by name, of all others together. GPU time counts from `since` on, in Unix seconds; what was
 * shown never falls, also when an attempt turns out to have ended a little earlier.
 */
export const createUserFigures = (since = 0): Figures => {
  const nameUser = createNames();
  const [gpuSeconds, waits, starts] = [createGpuSeconds(nameUser, since), createSums(), createSums()];
  return {
    countStretch: gpuSeconds.add,
    countWait: (user, seconds) => {
      waits.add(nameUser(user), seconds);
      starts.add(nameUser(user), 1);
    },
    read: (running) => [
      describeCounter(
        { name: "nexus_user_gpu_seconds_total", help: "GPU time of a user's jobs, shared GPUs by their booked part" },
        gpuSeconds.read(running),
      ),
      describeCounter(
        { name: "nexus_user_queue_wait_seconds_total", help: "How long a user's jobs waited that have started" },
        waits.sums,
      ),
      describeCounter({ name: "nexus_user_jobs_started_total", help: "A user's jobs that have started" }, starts.sums),
    ],
  };
};
