import { isSecretName } from "../../../base/secret-names.ts";
import { PRIORITY } from "../../../wire/limits.ts";
import { SERVER_PORT } from "../../../wire/server-port.ts";
import { USUAL_MIN_FREE_GB } from "../../core/machine/disk-room.ts";
import { LOG_LEVELS, type Settings } from "../../core/settings/settings.ts";
import { describeAllowed, describeFallback, type Fields, listFields } from "./field.ts";
import {
  ADDRESS,
  choice,
  DURATION,
  LIST,
  LOOPBACK,
  MOCK_GPUS,
  number,
  SOCKET,
  SWITCH,
  TEXT,
  whole,
} from "./field-kinds.ts";
import { MACHINE_SETTINGS } from "./machine-settings.ts";

const MAX_PORT = 65_535;
const MAX_UID = 0xffff_fffe;
const MOST = 10_000;
const MOST_QUEUED = 10_000_000;
const SECONDS_A_YEAR = 365 * 86_400;

/** Every setting but the tables, in the order in which they are shown. */
export const SETTINGS = {
  serverDir: { schema: TEXT, otherwise: "~/.local/state/nexus-server", about: "where its state is", flag: "DIR" },
  host: { schema: TEXT, fallback: "127.0.0.1", about: "address to listen on", flag: "ADDRESS" },
  port: {
    schema: whole(0, MAX_PORT),
    fallback: null,
    otherwise: `${SERVER_PORT}; a personal server any, if taken`,
    about: "port to listen on, 0 for any",
    flag: "N",
  },
  socket: { schema: SOCKET, fallback: null, about: "socket for all users of the machine, each by name" },
  nodeName: { schema: TEXT, otherwise: "the machine's name", about: "name of the machine on jobs and in messages" },
  externalIp: { schema: TEXT, fallback: null, about: "address by which clients reach the machine" },
  allowedHosts: { schema: LIST, fallback: [], about: "further names and addresses by which they do" },
  sslKeyfile: { schema: TEXT, fallback: null, about: "PEM file of the certificate's key", isPublic: true },
  sslCertfile: { schema: TEXT, fallback: null, about: "PEM file of a certificate, with which it speaks TLS" },
  apiToken: {
    schema: TEXT,
    fallback: null,
    about: "token of an admin, in place of the one that the first start makes",
  },
  insecureHttp: {
    schema: SWITCH,
    fallback: false,
    about: "plain HTTP, where others can read it, on addresses other than loopback if there is no certificate",
  },
  trustLoopback: {
    schema: LOOPBACK,
    fallback: "owner",
    about: "who of the machine itself needs no token: those whom the kernel names, anyone (all are admins) or nobody",
  },
  jobUidMin: {
    schema: whole(0, MAX_UID),
    fallback: 1000,
    about: "the least number of a user; lower ones are services, and need a token on loopback",
  },
  mockGpus: {
    schema: MOCK_GPUS,
    fallback: 0,
    otherwise: "real ones",
    about: "mock GPUs; auto: 2 if there is none",
    flag: "N",
    bare: "true",
  },
  driverTimeout: {
    schema: number(0.1, 3600),
    fallback: 30,
    about: "seconds that nvidia-smi, amd-smi or rocm-smi may take to answer",
  },
  foreignMemoryMib: {
    schema: whole(0, 1_000_000),
    fallback: 1024,
    about: "MiB of a GPU, above what an idle one takes, that show that others use it where their processes are hidden",
  },
  shareWithForeign: {
    schema: SWITCH,
    fallback: false,
    about: "jobs that book memory of a GPU may be there beside processes that are no job's, where so much is free",
  },
  vramEnforce: {
    schema: SWITCH,
    fallback: true,
    about: "whether a job ends that has over 1.2 times the memory of a GPU that it booked, while another is there",
  },
  idleWarn: {
    schema: DURATION,
    fallback: null,
    otherwise: "half of the time after which it ends",
    about: "after how long a job's owner is told that its GPUs are idle",
  },
  idleEnd: {
    schema: DURATION,
    fallback: null,
    otherwise: "never",
    about: "after how long a job ends whose GPUs are idle, where it does not say so itself (--max-idle)",
  },
  ...MACHINE_SETTINGS,
  maxPassedOver: {
    schema: number(0, SECONDS_A_YEAR),
    fallback: 1800,
    about: "seconds for which later jobs may pass one that waits for the machine; then it keeps what is free",
  },
  maxQueued: { schema: whole(0, MOST_QUEUED), fallback: 10_000, about: "jobs of one user that may wait" },
  order: {
    schema: choice(["fifo", "fair"]),
    fallback: "fifo",
    about: "who goes first within a priority: whose job is older, or whose user had less of the GPUs lately",
  },
  fairHalfLife: {
    schema: DURATION,
    fallback: "7d",
    about: "after how long use of the GPUs counts half, with order = fair",
  },
  maxGpus: {
    schema: whole(0, MOST),
    fallback: null,
    otherwise: "no limit",
    about: "GPUs that jobs of one user may have at once",
  },
  maxRunning: {
    schema: whole(0, MOST),
    fallback: null,
    otherwise: "no limit",
    about: "jobs of one user that may run at once",
  },
  maxPriority: {
    schema: whole(PRIORITY.min, PRIORITY.max),
    fallback: null,
    otherwise: "no limit",
    about: "the highest priority that a user may give",
  },
  maxTime: {
    schema: DURATION,
    fallback: null,
    otherwise: "no limit",
    about: "the longest time (--time) that a job may have, and that of a job without one",
  },
  maxReserved: {
    schema: whole(0, MOST),
    fallback: 1,
    about: "GPUs that a user may have reserved at once; an admin any",
  },
  reserveMargin: {
    schema: DURATION,
    fallback: "1h",
    about: "so long before a reservation begins no job without a time limit starts there, but its user's",
  },
  maxQueuedInAll: { schema: whole(0, MOST_QUEUED), fallback: 50_000, about: "jobs that may wait in all" },
  maxWaitingGib: {
    schema: number(0.001, 1_000_000),
    fallback: 2,
    about: "GiB that artifacts of one user may take which arrive or wait for their jobs to start",
  },
  maxLogGb: {
    schema: number(0.001, 1_000_000),
    fallback: 10,
    about: "GB (10⁹ bytes) that a job's log may take; beyond, its beginning and its newest part are kept",
  },
  minFreeGb: {
    schema: number(0, 1_000_000),
    fallback: USUAL_MIN_FREE_GB,
    about:
      "GB (10⁹ bytes) on the disk of its folder; while less is free, nothing starts; 5 is not asked for below 10 in all",
  },
  supplementaryGroups: { schema: LIST, fallback: [], about: "groups of the machine that the installed server joins" },
  executor: { schema: choice(["screen"]), fallback: "screen", about: "what runs the jobs" },
  refreshRate: { schema: number(0.05, 3600), fallback: 3, about: "seconds between two looks at jobs and GPUs" },
  retentionDays: {
    schema: number(0, 36_500),
    fallback: 30,
    about: "days for which the folder and the code of an ended job are kept; what the job made at least 7",
  },
  retentionGb: {
    schema: number(0, 1_000_000),
    fallback: null,
    otherwise: "no limit",
    about: "GB (10⁹ bytes) that folders of ended jobs may take in all; beyond, the oldest go",
  },
  artifactGb: {
    schema: number(0, 1_000_000),
    fallback: 10,
    about: "GB (10⁹ bytes) that the code of ended jobs may take in all; beyond, what was longest unused goes",
  },
  maxRequests: { schema: whole(1, MOST), fallback: 256, about: "requests at one time, without followers" },
  maxFollowers: {
    schema: whole(0, MOST),
    fallback: 512,
    about: "streams of output and events, and viewers of terminals",
  },
  maxFollowersPerAddress: {
    schema: whole(0, MOST),
    fallback: 256,
    about: "those of one user or, where none is known, one address",
  },
  maxUploads: { schema: whole(1, MOST), fallback: 32, about: "artifacts and batches on their way in" },
  bodyTimeout: {
    schema: number(0.1, 3600),
    fallback: 30,
    about: "seconds for the body of a request, and one more for each 32 KiB",
  },
  nullpointerUrl: {
    schema: ADDRESS,
    fallback: "https://0x0.st",
    about: "where logs are uploaded, of jobs that ask for it",
  },
  twilioUrl: { schema: ADDRESS, fallback: "https://api.twilio.com", about: "who is asked to call" },
  pingHost: { schema: TEXT, fallback: null, about: "host or host:port that health pings" },
  speedTestUrl: { schema: ADDRESS, fallback: null, about: "file that health downloads to measure the network" },
  logLevel: { schema: choice(LOG_LEVELS), fallback: "info", about: "the least that is logged" },
} satisfies Fields<Omit<Settings, "notify" | "users">>;

/** `max_cpu_jobs` for `maxCpuJobs`: how it is written in the file. */
export const nameSetting = (key: string): string => key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

export const isSecretSetting = (key: string): boolean =>
  listFields(SETTINGS).some(
    ({ name, isPublic }) => name === key && isPublic !== true && isSecretName(nameSetting(name)),
  );

/** In the shape of the command line's flags. */
export type SettingFlag = Readonly<{
  long: string;
  value: string;
  bare: string | undefined;
  check: (value: string) => string | null;
  help: string;
}>;

export const listSettingFlags = (): readonly SettingFlag[] =>
  listFields(SETTINGS).flatMap((field) => {
    const { name, flag: value, bare, about, schema } = field;
    if (value === undefined) return [];
    const long = nameSetting(name).replaceAll("_", "-");
    const check = (text: string) => (schema.safeParse(text).success ? null : describeAllowed(field));
    return [{ long, value, bare, check, help: `${about} (default: ${describeFallback(field)})` }];
  });
