import type { RouteConfig } from "@hono/zod-openapi";
import type { z } from "zod";
import { err, ok, type Result } from "../../base/result.ts";
import type { Refusal } from "../core/refusal.ts";
import type { SeatKind } from "./access/seats.ts";
import type { AppRequest, RouteAnswer } from "./context.ts";
import type { RequestBody } from "./http/request-body.ts";
import { validate } from "./http/validation.ts";

/** `refuse` says what is wrong with a text that is no such value; without it the schema does. */
export type PathParameter = Readonly<{ schema: z.ZodType; refuse?: (text: string) => Refusal }>;

/**
 * What a route takes is checked, typed and documented from here. `seat`: what the server has a limited number of, and who
 * calls this route takes. `asks`: what the route does, for whom it may be done; a route that does not say reads if it is a
 * GET, and is for admins otherwise.
 */
export type RouteSpec = Readonly<
  Pick<RouteConfig, "path" | "tags" | "summary" | "description" | "security" | "responses"> & {
    method: "get" | "post" | "put" | "patch" | "delete";
    asks?: "contribute" | "read";
    seat?: SeatKind;
    params?: Readonly<Record<string, PathParameter>>;
    query?: z.ZodObject;
    headers?: z.ZodObject;
    body?: RequestBody<unknown>;
  }
>;

type ValueOf<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;
type ValuesOf<Params> = {
  readonly [Name in keyof Params]: Params[Name] extends PathParameter ? z.output<Params[Name]["schema"]> : never;
};

/** What a request of a route brings; what the route's spec does not name is undefined. */
export type RouteInput<Spec extends RouteSpec> = Readonly<{
  request: AppRequest;
  params: ValuesOf<Spec["params"]>;
  query: ValueOf<Spec["query"]>;
  headers: ValueOf<Spec["headers"]>;
  body: Spec["body"] extends RequestBody<infer Body> ? Body : undefined;
}>;

export type Handle<Spec extends RouteSpec> = (input: RouteInput<Spec>) => RouteAnswer | Promise<RouteAnswer>;

/** A route whose handler has been joined to what it takes. */
export type Route = Readonly<{
  spec: RouteSpec;
  answer: (request: AppRequest, bodyTimeoutS: number) => Promise<RouteAnswer>;
}>;

const readPart = (schema: z.ZodType | undefined, place: string, part: () => unknown): Result<unknown, Refusal> =>
  schema === undefined ? ok(undefined) : validate(schema, part(), [place]);

const readBody = async (
  { body }: RouteSpec,
  { req }: AppRequest,
  timeoutS: number,
): Promise<Result<unknown, Refusal>> => (body === undefined ? ok(undefined) : body.read(req.raw, timeoutS));

const readParams = (
  { params = {} }: RouteSpec,
  { req }: AppRequest,
): Result<Readonly<Record<string, unknown>>, Refusal> => {
  const values: Record<string, unknown> = {};
  for (const [name, { schema, refuse }] of Object.entries(params)) {
    const text = req.param(name) ?? "";
    const valid = validate(schema, text, ["path", name]);
    if (!valid.ok) return refuse === undefined ? valid : err(refuse(text));
    values[name] = valid.value;
  }
  return ok(values);
};

const readInput = async <Spec extends RouteSpec>(
  spec: Spec,
  request: AppRequest,
  timeoutS: number,
): Promise<Result<RouteInput<Spec>, Refusal>> => {
  const query = readPart(spec.query, "query", () => request.req.queries());
  if (!query.ok) return query;
  const headers = readPart(spec.headers, "header", () => request.req.header());
  if (!headers.ok) return headers;
  const body = await readBody(spec, request, timeoutS);
  if (!body.ok) return body;
  const params = readParams(spec, request);
  if (!params.ok) return params;
  const input = { request, query: query.value, headers: headers.value, body: body.value, params: params.value };
  return ok(input as RouteInput<Spec>);
};

/** The query is read first, then headers, body and path: what a request says is judged before what it is about is looked for. */
export const defineRoute = <Spec extends RouteSpec>(spec: Spec, handle: Handle<Spec>): Route => ({
  spec,
  answer: async (request, bodyTimeoutS) => {
    const input = await readInput(spec, request, bodyTimeoutS);
    return input.ok ? handle(input.value) : input;
  },
});
