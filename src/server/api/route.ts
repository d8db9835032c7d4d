import type { OpenAPIHono, RouteConfig } from "@hono/zod-openapi";
import { z } from "zod";
import { type ErrorCode, errorSchema } from "../../shared/error.ts";
import type { AppEnv, AppRequest } from "./context.ts";
import { createFailure, respondFailure, STATUS_OF_ERROR } from "./error-response.ts";

type Method = "get" | "post" | "put" | "patch" | "delete";
type Responses = RouteConfig["responses"];
type JsonContent = Readonly<{ "application/json": Readonly<{ schema: z.ZodType }> }>;

export type RouteSpec = Omit<RouteConfig, "method"> & Readonly<{ method: Method }>;

export type Route = Readonly<{ spec: RouteSpec; handle: (request: AppRequest) => Response | Promise<Response> }>;

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

const describeCommonErrors = ({ method, security }: RouteSpec): Responses => ({
  ...describeErrors("FORBIDDEN_ORIGIN"),
  ...(security === undefined ? describeErrors("AUTHENTICATION_REQUIRED", "INVALID_CREDENTIALS") : {}),
  ...(method === "get" ? {} : describeErrors("UNAVAILABLE")),
});

const listMethods = (specs: readonly RouteSpec[]): string =>
  specs.flatMap(({ method }) => (method === "get" ? ["GET", "HEAD"] : [method.toUpperCase()])).join(", ");

const refuseOtherMethods = (app: OpenAPIHono<AppEnv>, specs: readonly RouteSpec[]): void => {
  for (const [path, same] of Map.groupBy(specs, (spec) => toRoutingPath(spec.path))) {
    const allow = listMethods(same);
    const failure = createFailure("METHOD_NOT_ALLOWED", `This address takes ${allow}`);
    app.all(path, () => respondFailure(failure, { Allow: allow }));
  }
};

export const mountRoutes = (app: OpenAPIHono<AppEnv>, routes: readonly Route[]): void => {
  for (const { spec, handle } of routes) {
    const responses = { ...spec.responses, ...describeCommonErrors(spec) };
    app.openAPIRegistry.registerPath({ ...spec, responses });
    app.on(spec.method.toUpperCase(), toRoutingPath(spec.path), handle);
  }
  refuseOtherMethods(
    app,
    routes.map(({ spec }) => spec),
  );
};
