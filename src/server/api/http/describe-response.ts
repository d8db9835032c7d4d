import type { RouteConfig } from "@hono/zod-openapi";
import { z } from "zod";
import { type ErrorCode, errorSchema } from "../../../wire/error.ts";
import { STATUS_OF_ERROR } from "./error-response.ts";

type Responses = RouteConfig["responses"];
type JsonContent = Readonly<{ "application/json": Readonly<{ schema: z.ZodType }> }>;

export const jsonContent = (schema: z.ZodType): JsonContent => ({ "application/json": { schema } });

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
