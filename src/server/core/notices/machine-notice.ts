import type { EndedJob } from "../jobs/job.ts";
import type { HealthNews } from "../machine/health-watch.ts";
import type { HealthFigures } from "../machine/host.ts";
import { createBlankJob } from "./blank-job.ts";
import type { Notice, NoticeEvent, OutboxMessage } from "./outbox.ts";
import { type Channel, planNotices } from "./plan-notices.ts";

type Secrets = Notice["secrets"];
type Facts = Readonly<{ channels: readonly Channel[]; nodeName: string; now: number; text: string }>;

const TEXT = "text";
const NODE = "node";
const GIB = 1024 ** 3;

export const isOfMachine = (event: NoticeEvent): event is HealthNews => event === "unhealthy" || event === "recovered";

/** The figures, a line each. */
export const describeMachine = (score: number, { disk, system, network }: HealthFigures): string =>
  [
    `Score: ${score.toFixed(0)} of 100`,
    disk === null
      ? ""
      : `Disk${disk.place === "/" ? " /" : ""}: ${disk.percent_used.toFixed(0)} % used, ${(disk.free / GIB).toFixed(1)} GiB free`,
    system === null ? "" : `Processor: ${system.cpu_percent.toFixed(0)} % busy`,
    system === null ? "" : `Memory: ${system.memory_percent.toFixed(0)} % used`,
    typeof network?.ping === "number" ? `Ping: ${network.ping.toFixed(0)} ms` : "",
  ]
    .filter((line) => line !== "")
    .join("\n");

/** What the server's channels are to hear of the machine; those for the jobs of some users hear nothing. */
export const planMachineNotices = (news: HealthNews, { channels, nodeName, now, text }: Facts): readonly Notice[] =>
  planNotices(news, createBlankJob(`machine-${Math.floor(now)}`, nodeName, now), {
    channels,
    now,
    loadSecrets: () => ({ [TEXT]: text, [NODE]: nodeName }),
  });

/** Stands for the machine in a message that tells of it: its error is the figures. */
export const unpackMachine = (message: OutboxMessage, secrets: Secrets): EndedJob => ({
  ...createBlankJob(message.jobId, secrets[NODE] ?? "", message.createdAt),
  errorMessage: secrets[TEXT] ?? null,
});
