import type { Context } from "hono";
import type { Result } from "../../base/result.ts";
import type { Wakes } from "../changes/context.ts";
import type { AccessDenial, AccessFacts, Identity, LocalRules, LocalUser } from "../core/access/access.ts";
import type { AuthorizedKeys } from "../core/access/ssh-key.ts";
import type { Clock } from "../core/clock.ts";
import type { JobId } from "../core/jobs/job.ts";
import type { ReadDiskRoom } from "../core/machine/disk-room.ts";
import type { FindProcessOwner, HostStats } from "../core/machine/host.ts";
import type { LaunchTrouble } from "../core/machine/launch-trouble.ts";
import type { Couriers } from "../core/notices/courier.ts";
import type { Channel } from "../core/notices/plan-notices.ts";
import type { GpuProbe } from "../core/queue/gpu.ts";
import type { QueueLimits } from "../core/queue/queue-limits.ts";
import type { Refusal } from "../core/refusal.ts";
import type { Executor, JobDirectory, LogFile } from "../core/running/executor.ts";
import type { JobTerminals, SocketHandler } from "../core/running/job-terminal.ts";
import type { JobOutputs } from "../core/running/outputs.ts";
import type { UseCourses } from "../core/running/use-course.ts";
import type { Store } from "../core/store.ts";
import type { Log } from "../core/telemetry/log.ts";
import type { Meter } from "../core/telemetry/meter.ts";
import type { Limits } from "./access/seats.ts";
import type { EventFeed } from "./live/event-feed.ts";

/** `allowedHosts` are the names and addresses of the server; loopback and `localhost` need not be among them. `maxPassedOver` in seconds. */
export type ApiSettings = Readonly<{
  nodeName: string;
  serverUser: string;
  version: string;
  allowedHosts: readonly string[];
  local: LocalRules;
  maxCpuJobs: number;
  maxPassedOver: number;
  maxWaitingGib: number;
  limits: Limits;
}> &
  QueueLimits;

/**
 * `tokenDigest` is the SHA-256 of the bearer token in lower-case hexadecimal. `newJobId` proposes an id that may be
 * taken. `wakes` tell the scheduler what changed. `ownChannels` are those of the couriers that the server's owner named.
 */
export type ApiContext = Readonly<{
  store: Store;
  gpus: GpuProbe;
  logs: LogFile;
  useCourses: Pick<UseCourses, "read">;
  health: HostStats;
  readDiskRoom: ReadDiskRoom;
  trouble: Pick<LaunchTrouble, "read">;
  clock: Clock;
  log: Log;
  meter: Meter;
  jobDir: JobDirectory;
  outputs: JobOutputs;
  findProcessOwner: FindProcessOwner;
  feed: EventFeed;
  executor: Pick<Executor, "attachCommand" | "fitCommand">;
  terminals: JobTerminals;
  settings: ApiSettings;
  tokenDigest: () => string | null;
  newJobId: () => JobId;
  wakes: Wakes;
  isStopping: () => boolean;
  channels: readonly Channel[];
  couriers: Couriers;
  authorizedKeys: AuthorizedKeys;
  certificateExpiresAt: () => number | null;
  ownChannels: readonly string[];
}>;

/**
 * `localUser` is who came by the socket, `holder` who made the other end of a loopback connection, null where that is nobody.
 * `pendingRequests` counts those that are not answered to their last byte. `holdOpen` lets the connection be quiet for
 * long, or no more. `upgrade` makes a WebSocket of the request; false if it can't be one. No response is sent then.
 */
export type Peer = Readonly<{
  address: string;
  localUser?: LocalUser;
  holder?: LocalUser | null;
  pendingRequests?: number;
  holdOpen?: (isHeld: boolean) => void;
  upgrade?: (handler: SocketHandler) => boolean;
}>;

/**
 * `log` is that of the request: its lines carry the request's id. `facts`, `identity` and `isStillLetIn` are there once the
 * request was let in, `refusal` once something was refused to who asks.
 */
export type AppVariables = {
  log: Log;
  facts: Omit<AccessFacts, "asked">;
  identity: Identity | undefined;
  isStillLetIn: () => boolean;
  refusal: AccessDenial["code"] | undefined;
};

export type AppEnv = Readonly<{ Bindings: Readonly<{ peer: Peer }>; Variables: AppVariables }>;

export type AppRequest = Context<AppEnv>;

/** What a route answers; a refusal becomes a response in one place, where routes are mounted. */
export type RouteAnswer = Result<Response, Refusal>;
