import { ok } from "../../../base/result.ts";
import { seeGpus } from "../../changes/read-reserves.ts";
import { toStretch } from "../../core/queue/fair-share.ts";
import type { ChannelFigures, ServerFigures } from "../../core/telemetry/meter.ts";
import type { ApiContext } from "../context.ts";
import { describeText } from "../http/describe-response.ts";
import { defineRoute, type Route, type RouteSpec } from "../route.ts";

const spec = {
  method: "get",
  path: "/metrics",
  tags: ["server"],
  summary: "Figures for Prometheus",
  responses: { 200: describeText("Prometheus text", "text/plain") },
} satisfies RouteSpec;

const readChannels = ({ store, clock, couriers }: ApiContext): readonly ChannelFigures[] => {
  const backlogs = new Map(store.outbox.measure().map((backlog) => [backlog.channel, backlog]));
  const now = clock();
  return Object.keys(couriers).map((channel) => {
    const { waiting = 0, since = now } = backlogs.get(channel) ?? {};
    return { channel, waiting, oldestS: Math.max(0, now - since) };
  });
};

const readFigures = async (context: ApiContext): Promise<ServerFigures> => {
  const { store, gpus, settings } = context;
  const [reading, disk] = await Promise.all([gpus.read(), context.readDiskRoom()]);
  const active = store.loadActiveJobs();
  return {
    version: settings.version,
    nodeName: settings.nodeName,
    jobs: store.countJobs(),
    gpus: reading.ok ? seeGpus(context, { gpus: reading.value, active, now: context.clock() }) : null,
    artifacts: store.artifacts.measure(),
    disk,
    trouble: context.trouble.read(),
    certificateExpiresAt: context.certificateExpiresAt(),
    channels: readChannels(context),
    running: active.map((job) => toStretch(job, context.clock())),
  };
};

export const createMetricsRoute = (context: ApiContext): Route =>
  defineRoute(spec, async () =>
    ok(
      new Response(context.meter.render(await readFigures(context)), {
        headers: { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" },
      }),
    ),
  );
