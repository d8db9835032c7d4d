import { z } from "zod";
import { err, ok, type Result } from "../../../base/result.ts";
import {
  type ReservationRequest,
  reservationRequestSchema,
  reservationSchema,
} from "../../../wire/reservations/reservation.ts";
import { endReservation, reserveGpus } from "../../changes/reserve-gpus.ts";
import { indexGpus } from "../../core/queue/gpu.ts";
import type { ReservationWish } from "../../core/queue/reservations/check-reservation.ts";
import { listLasting, type Reservation } from "../../core/queue/reservations/reservation.ts";
import { toWireReservation } from "../../core/queue/reservations/wire-reservation.ts";
import { createInvalid, createRefusal, type Refusal } from "../../core/refusal.ts";
import { nameUser, readCaller } from "../access/caller.ts";
import { permit } from "../access/permit.ts";
import type { ApiContext, AppRequest } from "../context.ts";
import { describeErrors, describeJson } from "../http/describe-response.ts";
import { jsonBody } from "../http/json-body.ts";
import { defineRoute, type Handle, type Route, type RouteSpec } from "../route.ts";

const PATH = "/v1/reservations";

const listSpec = {
  method: "get",
  path: PATH,
  tags: ["gpus"],
  summary: "The reservations that are not over, the first to begin first",
  responses: { 200: describeJson("The reservations", z.array(reservationSchema)) },
} satisfies RouteSpec;

const reserveSpec = {
  method: "post",
  path: PATH,
  tags: ["gpus"],
  summary: "Let only jobs of one user start on some GPUs for a time",
  description: "What runs there goes on, and is named. For oneself; an admin also for others.",
  asks: "contribute",
  body: jsonBody(reservationRequestSchema),
  responses: {
    201: describeJson("The reservation", reservationSchema),
    ...describeErrors("FORBIDDEN", "LIMIT_REACHED", "GPU_NOT_FOUND", "GPU_RESERVED", "GPU_ERROR"),
    ...describeErrors("PAYLOAD_TOO_LARGE", "REQUEST_TIMEOUT", "UNSUPPORTED_MEDIA_TYPE", "VALIDATION_ERROR"),
  },
} satisfies RouteSpec;

const endSpec = {
  method: "delete",
  path: `${PATH}/{id}`,
  tags: ["gpus"],
  summary: "End a reservation, or take it back before it begins",
  asks: "contribute",
  params: { id: { schema: z.string() } },
  responses: { 200: describeJson("What it was", reservationSchema), ...describeErrors("RESERVATION_NOT_FOUND") },
} satisfies RouteSpec;

const refuseField = (field: string, msg: string): Result<never, Refusal> =>
  err(createInvalid([{ loc: ["body", field], msg, type: "value_error" }]));

const checkGpus = async ({ gpus }: ApiContext, idxs: readonly number[]): Promise<Result<void, Refusal>> => {
  const reading = await gpus.read();
  if (!reading.ok) return err(createRefusal("GPU_ERROR", `The GPUs cannot be read: ${reading.error.message}`));
  const present = indexGpus(reading.value);
  const missing = idxs.find((index) => !present.has(index));
  return missing === undefined ? ok(undefined) : err(createRefusal("GPU_NOT_FOUND", `There is no GPU ${missing}`));
};

const readWish = (
  request: AppRequest,
  { gpu_idxs, from, until, why, user: asked }: ReservationRequest,
  now: number,
): Result<ReservationWish, Refusal> => {
  const user = asked ?? nameUser(request);
  if (user === null) return refuseField("user", "Nobody is named for whom it would be");
  const begin = Math.max(from ?? now, now);
  if (until <= now) return refuseField("until", "It is past");
  if (until <= begin) return refuseField("until", "It ends before it begins");
  const gpuIdxs = [...new Set(gpu_idxs)].toSorted((a, b) => a - b);
  return ok({ user, gpuIdxs, from: begin, until, why: why || null });
};

const respond = ({ store }: ApiContext, reservation: Reservation, status: number): Response =>
  Response.json(toWireReservation(reservation, store.loadActiveJobs()), { status });

const reserve =
  (context: ApiContext): Handle<typeof reserveSpec> =>
  async ({ request, body }) => {
    const wish = readWish(request, body, context.clock());
    if (!wish.ok) return wish;
    const permitted = permit(request, { act: "reserve for", user: wish.value.user });
    if (!permitted.ok) return permitted;
    const known = await checkGpus(context, wish.value.gpuIdxs);
    if (!known.ok) return known;
    const made = await reserveGpus(context, wish.value, readCaller(request));
    return made.ok ? ok(respond(context, made.value, 201)) : made;
  };

const end =
  (context: ApiContext): Handle<typeof endSpec> =>
  async ({ request, params: { id } }) => {
    const ended = await endReservation(context, id, {
      ...readCaller(request),
      permit: ({ user }) => permit(request, { act: "unreserve", reservation: id, owner: user }),
    });
    return ended.ok ? ok(respond(context, ended.value, 200)) : ended;
  };

const list =
  ({ store, clock }: ApiContext): Handle<typeof listSpec> =>
  () => {
    const active = store.loadActiveJobs();
    const lasting = listLasting(store.listReservations(), clock());
    return ok(Response.json(lasting.map((one) => toWireReservation(one, active))));
  };

export const createReservationRoutes = (context: ApiContext): readonly Route[] => [
  defineRoute(listSpec, list(context)),
  defineRoute(reserveSpec, reserve(context)),
  defineRoute(endSpec, end(context)),
];
