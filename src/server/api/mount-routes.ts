import type { OpenAPIHono, RouteConfig } from "@hono/zod-openapi";
import { z } from "zod";
import type { Asked } from "../core/access/access.ts";
import { createRefusal } from "../core/refusal.ts";
import { permit } from "./access/permit.ts";
import type { Seats } from "./access/seats.ts";
import { withSeat } from "./access/take-seat.ts";
import type { AppEnv, AppRequest, RouteAnswer } from "./context.ts";
import { describeErrors } from "./http/describe-response.ts";
import { respondRefusal } from "./http/error-response.ts";
import type { PathParameter, Route, RouteSpec } from "./route.ts";

type Bounds = Readonly<{ seats: Seats; bodyTimeoutS: number }>;

const OPEN_ERRORS = ["FORBIDDEN_ORIGIN", "UNAVAILABLE"] as const;
const GUARDED_ERRORS = ["AUTHENTICATION_REQUIRED", "INVALID_CREDENTIALS", "TOO_MANY_REQUESTS", "FORBIDDEN"] as const;

const REST_OF_ADDRESS = "path";

const toRoutingPath = (path: string): string =>
  path.replaceAll(/\{(\w+)\}/g, (_, name: string) => (name === REST_OF_ADDRESS ? `:${name}{[\\s\\S]+}` : `:${name}`));

const describeParams = (params: Readonly<Record<string, PathParameter>>): z.ZodObject =>
  z.object(Object.fromEntries(Object.entries(params).map(([name, { schema }]) => [name, schema])));

const describeRoute = ({ params, query, headers, body, asks, seat, ...spec }: RouteSpec): RouteConfig => ({
  ...spec,
  request: {
    query,
    headers,
    ...(params === undefined ? {} : { params: describeParams(params) }),
    ...(body === undefined ? {} : { body: { required: true, content: body.content } }),
  },
  responses: {
    ...spec.responses,
    ...describeErrors(...OPEN_ERRORS, ...(spec.security === undefined ? GUARDED_ERRORS : [])),
  },
});

const chooseAsked = ({ method, asks }: RouteSpec): Asked => ({
  act: asks ?? (method === "get" ? "read" : "administer"),
});

const mountRoute = (app: OpenAPIHono<AppEnv>, { spec, answer }: Route, { seats, bodyTimeoutS }: Bounds): void => {
  const answerInTime = (request: AppRequest): Promise<RouteAnswer> => answer(request, bodyTimeoutS);
  const handle = spec.seat === undefined ? answerInTime : withSeat(seats, spec.seat, answerInTime);
  app.openAPIRegistry.registerPath(describeRoute(spec));
  app.on(spec.method.toUpperCase(), toRoutingPath(spec.path), async (request) => {
    const permitted = permit(request, chooseAsked(spec));
    const answered = permitted.ok ? await handle(request) : permitted;
    return answered.ok ? answered.value : respondRefusal(answered.error);
  });
};

const listMethods = (specs: readonly RouteSpec[]): string =>
  specs.flatMap(({ method }) => (method === "get" ? ["GET", "HEAD"] : [method.toUpperCase()])).join(", ");

const refuseOtherMethods = (app: OpenAPIHono<AppEnv>, specs: readonly RouteSpec[]): void => {
  for (const [path, same] of Map.groupBy(specs, (spec) => toRoutingPath(spec.path))) {
    const allow = listMethods(same);
    const failure = createRefusal("METHOD_NOT_ALLOWED", `This address takes ${allow}`);
    app.all(path, () => respondRefusal(failure, { Allow: allow }));
  }
};

export const mountRoutes = (app: OpenAPIHono<AppEnv>, routes: readonly Route[], bounds: Bounds): void => {
  for (const route of routes) mountRoute(app, route, bounds);
  refuseOtherMethods(
    app,
    routes.map(({ spec }) => spec),
  );
};
