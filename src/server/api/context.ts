import type { Context } from "hono";
import type { AccessDenial, AccessFacts, Identity, LocalUser } from "../core/access.ts";
import type { Couriers } from "../core/courier.ts";
import type { JobId } from "../core/job.ts";
import type { Meter } from "../core/meter.ts";
import type { Channel } from "../core/plan-notices.ts";
import type {
  Clock,
  Executor,
  FindProcessOwner,
  GpuProbe,
  HostStats,
  JobDirectory,
  Log,
  LogFile,
  Store,
  Wakes,
} from "../core/ports.ts";
import type { AuthorizedKeys } from "../core/ssh-key.ts";
import type { SocketHandler, Terminals } from "../core/terminal.ts";
import type { EventFeed } from "./event-feed.ts";
import type { Limits } from "./seats.ts";

/** `allowedHosts` are the names and addresses of the server; loopback and `localhost` need not be among them. `maxPassedOver` in seconds. */
export type ApiSettings = Readonly<{
  nodeName: string;
  serverUser: string;
  version: string;
  allowedHosts: readonly string[];
  trustLoopback: boolean;
  maxCpuJobs: number;
  maxPassedOver: number;
  limits: Limits;
}>;

/**
 * `tokenDigest` is the SHA-256 of the bearer token in lower-case hexadecimal. `newJobId` proposes an id that may be
 * taken. `wakes` tell the scheduler what changed. `ownChannels` are those of the couriers that the server's owner named.
 */
export type ApiContext = Readonly<{
  store: Store;
  gpus: GpuProbe;
  logs: LogFile;
  health: HostStats;
  clock: Clock;
  log: Log;
  meter: Meter;
  jobDir: JobDirectory;
  findProcessOwner: FindProcessOwner;
  feed: EventFeed;
  executor: Pick<Executor, "attachCommand" | "fitCommand">;
  terminals: Terminals;
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
 * `pendingRequests` counts those that are not answered to their last byte. `holdOpen` lets the connection be quiet for
 * long, or no more. `upgrade` makes a WebSocket of the request; false if it can't be one. No response is sent then.
 */
export type Peer = Readonly<{
  address: string;
  localUser?: LocalUser;
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
