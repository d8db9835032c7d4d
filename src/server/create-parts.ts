import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { IS_SINGLE_FILE } from "../base/single-file.ts";
import { createEventFeed, type EventFeed } from "./api/live/event-feed.ts";
import type { Clock } from "./core/clock.ts";
import { describeClockJump } from "./core/machine/clock-jump.ts";
import type { ReadDiskRoom } from "./core/machine/disk-room.ts";
import type { HostStats } from "./core/machine/host.ts";
import type { LaunchTrouble } from "./core/machine/launch-trouble.ts";
import { createServerChannels, JOB_CHANNELS } from "./core/notices/channels.ts";
import type { Couriers } from "./core/notices/courier.ts";
import type { Channel } from "./core/notices/plan-notices.ts";
import { describeStuckMessages } from "./core/notices/stuck-messages.ts";
import type { GpuProbe } from "./core/queue/gpu.ts";
import type { Executor, JobDirectory } from "./core/running/executor.ts";
import type { JobTerminals } from "./core/running/job-terminal.ts";
import type { JobOutputs } from "./core/running/outputs.ts";
import type { UseCourses } from "./core/running/use-course.ts";
import type { Settings } from "./core/settings/settings.ts";
import type { Store } from "./core/store.ts";
import type { Log } from "./core/telemetry/log.ts";
import type { Meter } from "./core/telemetry/meter.ts";
import type { OnStep } from "./core/telemetry/steps.ts";
import type { CertificateKeeper } from "./external/certificate/certificate-keeper.ts";
import { createCouriers } from "./external/couriers/server-couriers.ts";
import { createGpus } from "./external/gpus/create-gpus.ts";
import { createGpuHealth } from "./external/gpus/gpu-health.ts";
import { createJobDirectory } from "./external/job-folder/job-directory.ts";
import { createJobOutputs } from "./external/job-folder/outputs/job-outputs.ts";
import { createUseFiles } from "./external/job-folder/use/use-files.ts";
import { createClockWatch } from "./external/machine/clock-watch.ts";
import { createDiskRoom } from "./external/machine/disk-room.ts";
import { createHostStats } from "./external/machine/host-stats.ts";
import { createNetworkTest } from "./external/machine/network-test.ts";
import { createJobTerminals } from "./external/screen/job-terminals.ts";
import { findJobOf } from "./external/screen/processes/find-job-of.ts";
import { createScreenExecutor } from "./external/screen/screen-executor.ts";
import { announceChanges } from "./external/sqlite/announce-changes.ts";

/** What hears of the server's doings. */
export type Listeners = Readonly<{ log: Log; onStep?: OnStep | undefined }>;

export type Reporting = Listeners & Readonly<{ meter: Meter }>;

/** What the server is made of, but for what answers requests and what runs by itself. */
export type Parts = Reporting &
  Readonly<{
    store: Store;
    feed: EventFeed;
    clock: Clock;
    terminals: JobTerminals;
    channels: readonly Channel[];
    couriers: Couriers;
    executor: Executor;
    gpus: GpuProbe;
    jobDirectory: JobDirectory;
    useCourses: UseCourses;
    outputs: JobOutputs;
    health: HostStats;
    readDiskRoom: ReadDiskRoom;
    trouble: LaunchTrouble;
    certificate: CertificateKeeper | null;
  }>;

const EPOCH_BYTES = 6;

export const locateProgram = (): readonly [string, ...string[]] =>
  IS_SINGLE_FILE ? [process.execPath] : [process.execPath, join(import.meta.dirname, "main.ts")];

export const readClock: Clock = () => Date.now() / 1000;

/** In seconds, on a clock that nobody sets. */
export const readUptime: Clock = () => performance.now() / 1000;

const createHealth = (settings: Settings, gpus: GpuProbe, { outbox }: Store): HostStats => {
  const findJump = createClockWatch(readClock);
  return createHostStats({
    serverDir: settings.serverDir,
    clock: readClock,
    measureNetwork: createNetworkTest(settings),
    readGpus: createGpuHealth(gpus),
    listWarnings: () => {
      const jump = findJump();
      return [
        ...(jump === null ? [] : [describeClockJump(jump)]),
        ...describeStuckMessages(outbox.measure(), readClock()),
      ];
    },
  });
};

export const createParts = (
  settings: Settings,
  opened: Readonly<{ store: Store; certificate: CertificateKeeper | null }>,
  reporting: Reporting,
): Parts => {
  const { serverDir, notify, maxLogGb } = settings;
  const feed = createEventFeed({ epoch: randomBytes(EPOCH_BYTES).toString("hex") });
  const executor = createScreenExecutor({ serverDir, maxLogGb, onStep: reporting.onStep });
  const gpus = createGpus(settings, {
    ...{ store: opened.store, clock: readClock, uptime: readUptime, log: reporting.log },
    findJobOf,
  });
  return {
    ...reporting,
    ...{ store: announceChanges(opened.store, feed.publish), feed, certificate: opened.certificate },
    ...{ clock: readClock, gpus, health: createHealth(settings, gpus, opened.store) },
    readDiskRoom: createDiskRoom(settings, readClock),
    channels: [...JOB_CHANNELS, ...createServerChannels(notify)],
    couriers: createCouriers(settings, readClock),
    ...{ executor, trouble: executor.trouble },
    terminals: createJobTerminals(),
    jobDirectory: createJobDirectory(serverDir),
    useCourses: createUseFiles(serverDir),
    outputs: createJobOutputs(serverDir, reporting.onStep),
  };
};
