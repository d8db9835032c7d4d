import type { Context } from "hono";
import type { JobId } from "../core/job.ts";
import type { Clock, GpuProbe, HostStats, JobDirectory, Log, LogFile, Store, Wakes } from "../core/ports.ts";

/** `allowedHosts` are the names and addresses of the server; loopback and `localhost` need not be among them. */
export type ApiSettings = Readonly<{
  nodeName: string;
  serverUser: string;
  version: string;
  allowedHosts: readonly string[];
}>;

/**
 * `tokenDigest` is the SHA-256 of the bearer token in lower-case hexadecimal. `newJobId` proposes an id that may be
 * taken. `wakes` tell the scheduler what changed. `metrics` returns further lines of Prometheus text.
 */
export type ApiContext = Readonly<{
  store: Store;
  gpus: GpuProbe;
  logs: LogFile;
  health: HostStats;
  clock: Clock;
  log: Log;
  jobDir: JobDirectory;
  settings: ApiSettings;
  tokenDigest: () => string | null;
  newJobId: () => JobId;
  wakes: Wakes;
  isStopping: () => boolean;
  metrics?: () => string;
}>;

export type Peer = Readonly<{ address: string }>;

export type AppEnv = Readonly<{ Bindings: Readonly<{ peer: Peer }> }>;

export type AppRequest = Context<AppEnv>;
