import { err, ok, type Result } from "../../../base/result.ts";
import type { Job, JobId, RunningJob } from "../../core/jobs/job.ts";
import { createRefusal, type Refusal } from "../../core/refusal.ts";
import type { SocketHandler } from "../../core/running/job-terminal.ts";
import { readCaller } from "../access/caller.ts";
import { countAsker } from "../access/count-by.ts";
import { permit } from "../access/permit.ts";
import type { Seats } from "../access/seats.ts";
import { closeWhenLost } from "../access/watch-access.ts";
import type { ApiContext, AppRequest } from "../context.ts";
import { describeErrors } from "../http/describe-response.ts";
import { attachQuerySchema } from "../http/query.ts";
import { findJob, jobParams } from "../jobs/find-job.ts";
import { bridgeTerminal } from "../live/bridge-terminal.ts";
import type { ViewingRooms } from "../live/viewing-rooms.ts";
import { defineRoute, type Handle, type Route, type RouteInput, type RouteSpec } from "../route.ts";

const DESCRIPTION = `A WebSocket. Binary frames are bytes of the terminal, both ways; a text frame \`{"columns":N,"rows":N}\`
tells the size of the viewer's window, as the query does at the start. \`term\` names the kind of the viewer's terminal.
With \`read_only\` what the viewer sends is dropped. Several may attach at once; those who may type share the size of the
smallest window. Closing the WebSocket detaches; the job goes on. The server closes with 4000 when the viewer detached in
the terminal (Ctrl-A D), 4001 when the job has ended, 4002 when its terminal can't be shown, 1001 when the server stops.`;

const spec = {
  method: "get",
  path: "/v1/jobs/{id}/attach",
  tags: ["jobs"],
  summary: "The terminal of a running job",
  description: DESCRIPTION.replaceAll("\n", " "),
  params: jobParams,
  query: attachQuerySchema,
  responses: {
    101: { description: "The WebSocket is open" },
    ...describeErrors("INVALID_REQUEST", "INVALID_JOB_STATE", "JOB_NOT_FOUND", "VALIDATION_ERROR", "TOO_MANY_REQUESTS"),
  },
} satisfies RouteSpec;

const SWITCHING = 101;
const START_PATIENCE_MS = 15_000;

const waitForLaunch = async ({ store, feed }: ApiContext, first: Job): Promise<Job> => {
  const deadline = performance.now() + START_PATIENCE_MS;
  let job = first;
  for (let now = performance.now(); job.status === "starting" && now < deadline; now = performance.now()) {
    await feed.waitForChange(deadline - now);
    job = store.findJob(job.id) ?? job;
  }
  return job;
};

const explainHidden = async ({ executor, findProcessOwner }: ApiContext, { handle }: RunningJob) => {
  if (handle.kind !== "screen" || executor.attachCommand(handle).length === 0) return "has no terminal";
  const owner = await findProcessOwner(handle.pid);
  return owner?.isOther
    ? `has a terminal of the user ${owner.user}, which this server can't show: as ${owner.user}, type screen -x ${handle.pid}.${handle.session}`
    : null;
};

const findRunning = async (context: ApiContext, id: JobId): Promise<Result<RunningJob, Refusal>> => {
  const found = findJob(context.store, id);
  if (!found.ok) return found;
  const job = await waitForLaunch(context, found.value);
  const hidden = job.status === "running" ? await explainHidden(context, job) : null;
  if (job.status === "running" && hidden === null) return ok(job);
  const reason = hidden ?? `is ${job.status}; only a running job has a terminal`;
  return err(createRefusal("INVALID_JOB_STATE", `Job ${job.id} ${reason}`));
};

const isWebSocket = ({ req }: AppRequest): boolean => req.header("upgrade")?.toLowerCase() === "websocket";

const upgrade = (request: AppRequest, handler: SocketHandler): boolean =>
  isWebSocket(request) && request.env.peer.upgrade?.(handler) === true;

const findShown = async (
  context: ApiContext,
  { request, params, query }: RouteInput<typeof spec>,
): Promise<Result<RunningJob, Refusal>> => {
  const job = await findRunning(context, params.id);
  if (!job.ok) return job;
  const { id, user } = job.value;
  const permitted = permit(request, query.read_only ? { act: "read" } : { act: "type into", job: id, owner: user });
  return permitted.ok ? job : permitted;
};

const announce = (request: AppRequest, job: Job, isReadOnly: boolean): void => {
  const { log, name } = readCaller(request);
  log.info("terminal opened", {
    job_id: job.id,
    user: job.user,
    read_only: isReadOnly,
    reason: `asked for by ${name}`,
  });
};

const attach =
  (context: ApiContext, rooms: ViewingRooms, seats: Seats): Handle<typeof spec> =>
  async (input) => {
    const job = await findShown(context, input);
    if (!job.ok) return job;
    if (context.isStopping()) return err(createRefusal("UNAVAILABLE", "The server is shutting down"));
    const { request, query } = input;
    const { columns, rows, term, read_only } = query;
    const options = { size: { columns, rows }, kind: term };
    const seat = seats.take("viewer", countAsker(request));
    if (!seat.ok) return seat;
    const viewing = { job: job.value, options, isReadOnly: read_only, onEnd: seat.value };
    if (upgrade(request, closeWhenLost(request, bridgeTerminal(context, rooms, viewing)))) {
      announce(request, job.value, read_only);
      return ok(new Response(null, { status: SWITCHING }));
    }
    seat.value();
    return err(createRefusal("INVALID_REQUEST", "This address takes a WebSocket"));
  };

export const createAttachRoute = (context: ApiContext, rooms: ViewingRooms, seats: Seats): Route =>
  defineRoute(spec, attach(context, rooms, seats));
