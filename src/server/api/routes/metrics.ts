import { describeGpus } from "../../core/gpu-selection.ts";
import type { ServerFigures } from "../../core/meter.ts";
import type { ApiContext } from "../context.ts";
import { describeText, type Route, type RouteSpec } from "../route.ts";

const spec: RouteSpec = {
  method: "get",
  path: "/metrics",
  tags: ["server"],
  summary: "Figures for Prometheus",
  responses: { 200: describeText("Prometheus text", "text/plain") },
};

const readFigures = async ({ store, gpus, settings, certificateExpiresAt }: ApiContext): Promise<ServerFigures> => {
  const reading = await gpus.read();
  return {
    version: settings.version,
    nodeName: settings.nodeName,
    jobs: store.countJobs(),
    gpus: reading.ok ? describeGpus(reading.value, store.loadActiveJobs(), store.listBlacklist()) : null,
    artifacts: store.artifacts.measure(),
    certificateExpiresAt: certificateExpiresAt(),
  };
};

export const createMetricsRoute = (context: ApiContext): Route => ({
  spec,
  handle: async () =>
    new Response(context.meter.render(await readFigures(context)), {
      headers: { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" },
    }),
});
