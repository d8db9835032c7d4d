import type { Meter } from "../../core/telemetry/meter.ts";
import { type Family, renderFamilies } from "./exposition.ts";
import { createCounter, createHistogram } from "./instruments.ts";
import { createProcessFigures } from "./process-figures.ts";
import { describeServer } from "./server-figures.ts";
import { createUserFigures } from "./user-figures.ts";

type Instrument = Readonly<{ read: () => Family }>;
type Group<Part extends keyof Meter> = Readonly<{ meter: Pick<Meter, Part>; instruments: readonly Instrument[] }>;

const QUICK_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const WAIT_S = [0.05, 0.25, 1, 5, 15, 60, 300, 900, 3600, 14_400, 43_200, 86_400, 259_200];
const START_S = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600, 14_400, 86_400];
const GROUP_SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const ONE = [{}];
const OUTCOMES = { delivered: "delivered", retry: "failed", dead: "given_up" } as const;
const ENDINGS = ["completed", "failed", "killed"].map((status) => ({ status }));

const histogram = (name: string, help: string, bounds: readonly number[], first = ONE) =>
  createHistogram({ name, help }, bounds, first);

const createJobMeter = (
  users: ReturnType<typeof createUserFigures>,
): Group<"countStretch" | "countSubmitted" | "countEnded" | "observeQueueWait" | "observeLaunch" | "observeStart"> => {
  const submitted = createCounter({ name: "nexus_jobs_submitted_total", help: "Jobs that were queued" }, ONE);
  const ended = createCounter({ name: "nexus_jobs_ended_total", help: "Jobs that ended, by how" }, ENDINGS);
  const wait = histogram("nexus_job_queue_wait_seconds", "From a job's submission until it is given its GPUs", WAIT_S);
  const launch = histogram("nexus_job_launch_seconds", "From being given its GPUs until the job runs", QUICK_S);
  const start = histogram("nexus_job_submit_to_start_seconds", "From a job's submission until it runs", START_S);
  return {
    meter: {
      countSubmitted: submitted.add,
      countEnded: (status) => ended.add(1, { status }),
      countStretch: users.countStretch,
      observeQueueWait: (seconds, user) => {
        wait.observe(seconds);
        users.countWait(user, seconds);
      },
      observeLaunch: launch.observe,
      observeStart: start.observe,
    },
    instruments: [submitted, ended, wait, launch, start],
  };
};

const createTaskMeter = (): Group<"observeTask"> => {
  const duration = histogram("nexus_task_duration_seconds", "One run of a task of the scheduler", QUICK_S, []);
  const failures = createCounter({ name: "nexus_task_failures_total", help: "Runs of a task that failed" });
  return {
    meter: {
      observeTask: (task, seconds, isFailed) => {
        duration.observe(seconds, { task });
        failures.add(Number(isFailed), { task });
      },
    },
    instruments: [duration, failures],
  };
};

const createStoreMeter = (): Group<"observeCommit" | "countFailedCommit"> => {
  const total = histogram("nexus_store_transaction_seconds", "One transaction, its commit included", QUICK_S);
  const sync = histogram("nexus_store_commit_seconds", "The commit of a transaction, with its fsync", QUICK_S);
  const changes = histogram("nexus_store_transaction_changes", "Changes that shared a transaction", GROUP_SIZES);
  const failures = createCounter({ name: "nexus_store_failures_total", help: "Transactions that failed" }, ONE);
  return {
    meter: {
      observeCommit: (sample) => {
        total.observe(sample.totalS);
        sync.observe(sample.syncS);
        changes.observe(sample.changes);
      },
      countFailedCommit: () => failures.add(1),
    },
    instruments: [total, sync, changes, failures],
  };
};

const createOutboxMeter = (channels: readonly string[]): Group<"countDelivery"> => {
  const first = channels.flatMap((channel) => Object.values(OUTCOMES).map((outcome) => ({ channel, outcome })));
  const attempts = createCounter(
    { name: "nexus_notifications_total", help: "Attempts to deliver a notification, by what came of them" },
    first,
  );
  return {
    meter: { countDelivery: (channel, kind) => attempts.add(1, { channel, outcome: OUTCOMES[kind] }) },
    instruments: [attempts],
  };
};

const createHttpMeter = (): Group<"observeRequest" | "addFollower"> => {
  const requests = createCounter({ name: "nexus_http_requests_total", help: "Requests by route and status" });
  const duration = histogram("nexus_http_request_duration_seconds", "From a request to its answer", QUICK_S, []);
  const followers = createCounter(
    { name: "nexus_followers", help: "Clients that hold an answer open" },
    [{ kind: "logs" }, { kind: "events" }, { kind: "terminals" }],
    "gauge",
  );
  return {
    meter: {
      observeRequest: ({ method, route, status, seconds }) => {
        requests.add(1, { method, route, status: String(status) });
        duration.observe(seconds, { method, route });
      },
      addFollower: (kind) => {
        let count = 1;
        followers.add(count, { kind });
        return () => {
          followers.add(-count, { kind });
          count = 0;
        };
      },
    },
    instruments: [requests, duration, followers],
  };
};

/** Counts in memory from `since` (Unix seconds) on: a restart begins anew, as Prometheus expects. `channels` are those that notifications leave by. */
export const createMeter = (channels: readonly string[] = [], since = 0): Meter => {
  const users = createUserFigures(since);
  const [jobs, tasks, store, http] = [createJobMeter(users), createTaskMeter(), createStoreMeter(), createHttpMeter()];
  const outbox = createOutboxMeter(channels);
  const lag = histogram("nexus_event_loop_lag_seconds", "How late the event loop is", QUICK_S);
  const readProcess = createProcessFigures();
  const instruments = [jobs, tasks, store, outbox, http].flatMap((group) => group.instruments);
  return {
    ...jobs.meter,
    ...tasks.meter,
    ...store.meter,
    ...outbox.meter,
    ...http.meter,
    observeLag: lag.observe,
    render: (figures) =>
      renderFamilies([
        ...describeServer(figures),
        ...users.read(figures.running ?? []),
        ...[...instruments, lag].map(({ read }) => read()),
        ...readProcess(),
      ]),
  };
};
