import { err, ok } from "../../../base/result.ts";
import { type DrainChange, drainChangeSchema, drainRequestSchema } from "../../../wire/drain/drain.ts";
import { beginDrain, type Drains, endDrain, findDrain } from "../../core/queue/drain.ts";
import { createInvalid, createUnavailable } from "../../core/refusal.ts";
import { nameUser, readCaller } from "../access/caller.ts";
import type { ApiContext, AppRequest, RouteAnswer } from "../context.ts";
import { describeErrors, describeJson } from "../http/describe-response.ts";
import { jsonBody } from "../http/json-body.ts";
import { defineRoute, type Route, type RouteSpec } from "../route.ts";

const PATH = "/v1/server/drain";

const answer = { 200: describeJson("What changed", drainChangeSchema) };

const drainSpec = {
  method: "put",
  path: PATH,
  tags: ["server"],
  summary: "Let nothing start",
  description:
    "Until `until`, or until it is taken back: submitted jobs wait, running ones go on. A drain that lasts keeps its `since`, and gets this `why` and `until`.",
  body: jsonBody(drainRequestSchema),
  responses: {
    ...answer,
    ...describeErrors("PAYLOAD_TOO_LARGE", "REQUEST_TIMEOUT", "UNSUPPORTED_MEDIA_TYPE", "VALIDATION_ERROR"),
  },
} satisfies RouteSpec;

const resumeSpec = {
  method: "delete",
  path: PATH,
  tags: ["server"],
  summary: "Let jobs start again",
  responses: answer,
} satisfies RouteSpec;

const changeDrains = async (
  { store, clock, wakes }: ApiContext,
  request: AppRequest,
  change: (drains: Drains, now: number) => Drains,
): Promise<RouteAnswer> => {
  const now = clock();
  const written = await store.write((transaction) => {
    const before = transaction.readDrains();
    const drains = change(before, now);
    transaction.saveDrains(drains);
    const [drain, earlier] = [findDrain(drains, now), findDrain(before, now)];
    return { drain, changed: JSON.stringify(drain) !== JSON.stringify(earlier) };
  });
  if (!written.ok) return err(createUnavailable(written.error));
  const changed: DrainChange = written.value;
  const { log, name } = readCaller(request);
  if (changed.changed) log.info("drain changed", { drain: changed.drain, reason: `asked for by ${name}` });
  wakes.queues();
  return ok(Response.json(changed));
};

const PAST = createInvalid([{ loc: ["body", "until"], msg: "It is past: no drain would begin", type: "value_error" }]);

export const createDrainRoutes = (context: ApiContext): readonly Route[] => [
  defineRoute(drainSpec, ({ request, body: { why, until = null } }) => {
    if (until !== null && until <= context.clock()) return err(PAST);
    const wish = { why: why || null, until, by: nameUser(request) ?? request.env.peer.address };
    return changeDrains(context, request, (drains, now) => beginDrain(drains, wish, now));
  }),
  defineRoute(resumeSpec, ({ request }) => changeDrains(context, request, endDrain)),
];
