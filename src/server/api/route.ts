import type { OpenAPIHono, RouteConfig } from "@hono/zod-openapi";
import { z } from "zod";
import { type ErrorCode, errorSchema } from "../../wire/error.ts";
import type { Asked } from "../core/access/access.ts";
import { createRefusal } from "../core/refusal.ts";
import { withPermission } from "./access/permit.ts";
import type { SeatKind, Seats } from "./access/seats.ts";
import { withSeat } from "./access/take-seat.ts";
import type { AppEnv, AppRequest } from "./context.ts";
import { respondRefusal, STATUS_OF_ERROR } from "./http/error-response.ts";

type Method = "get" | "post" | "put" | "patch" | "delete";
type Responses = RouteConfig["responses"];
type JsonContent = Readonly<{ "application/json": Readonly<{ schema: z.ZodType }> }>;

export type RouteSpec = Omit<RouteConfig, "method"> & Readonly<{ method: Method }>;

/**
 * `seat`: what the server has a limited number of, and who calls this route takes. `asks`: what the route does, for whom it
 * may be done; a route that does not say reads if it is a GET, and is for admins otherwise.
 */
export type Route = Readonly<{
  spec: RouteSpec;
  asks?: "contribute";
  seat?: SeatKind;
  handle: (request: AppRequest) => Response | Promise<Response>;
}>;

const jsonContent = (schema: z.ZodType): JsonContent => ({ "application/json": { schema } });

export const idParameter = z.object({ id: z.string() });

export const describeBody = (schema: z.ZodType): Readonly<{ required: true; content: JsonContent }> => ({
  required: true,
  content: jsonContent(schema),
});

export const describeJson = (
  description: string,
  schema: z.ZodType,
): Readonly<{ description: string; content: JsonContent }> => ({ description, content: jsonContent(schema) });

export const describeText = (description: string, mediaType: string): Responses[string] => ({
  description,
  content: { [mediaType]: { schema: z.string() } },
});

export const describeErrors = (...codes: readonly ErrorCode[]): Responses => {
  const byStatus = Map.groupBy(codes, (code) => STATUS_OF_ERROR[code]);
  const entries = [...byStatus].map(([status, same]) => [status, describeJson(same.join(", "), errorSchema)]);
  return Object.fromEntries(entries);
};

const toRoutingPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ":$1");

const OPEN_ERRORS = ["FORBIDDEN_ORIGIN", "UNAVAILABLE"] as const;
const GUARDED_ERRORS = ["AUTHENTICATION_REQUIRED", "INVALID_CREDENTIALS", "TOO_MANY_REQUESTS", "FORBIDDEN"] as const;

const describeCommonErrors = ({ security }: RouteSpec): Responses =>
  describeErrors(...OPEN_ERRORS, ...(security === undefined ? GUARDED_ERRORS : []));

const chooseAsked = ({ spec, asks }: Route): Asked => ({
  act: asks ?? (spec.method === "get" ? "read" : "administer"),
});

const listMethods = (specs: readonly RouteSpec[]): string =>
  specs.flatMap(({ method }) => (method === "get" ? ["GET", "HEAD"] : [method.toUpperCase()])).join(", ");

const refuseOtherMethods = (app: OpenAPIHono<AppEnv>, specs: readonly RouteSpec[]): void => {
  for (const [path, same] of Map.groupBy(specs, (spec) => toRoutingPath(spec.path))) {
    const allow = listMethods(same);
    const failure = createRefusal("METHOD_NOT_ALLOWED", `This address takes ${allow}`);
    app.all(path, () => respondRefusal(failure, { Allow: allow }));
  }
};

export const mountRoutes = (app: OpenAPIHono<AppEnv>, routes: readonly Route[], seats: Seats): void => {
  for (const route of routes) {
    const { spec, seat, handle } = route;
    const responses = { ...spec.responses, ...describeCommonErrors(spec) };
    app.openAPIRegistry.registerPath({ ...spec, responses });
    const seated = seat === undefined ? handle : withSeat(seats, seat, handle);
    app.on(spec.method.toUpperCase(), toRoutingPath(spec.path), withPermission(chooseAsked(route), seated));
  }
  refuseOtherMethods(
    app,
    routes.map(({ spec }) => spec),
  );
};
