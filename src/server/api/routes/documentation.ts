import { createHash } from "node:crypto";
import { z } from "zod";
import { ok } from "../../../base/result.ts";
import { describeJson, describeText } from "../http/describe-response.ts";
import { type OpenApiDocument, PAGE_STYLE, renderDocumentation } from "../http/docs-page.ts";
import { defineRoute, type Route, type RouteSpec } from "../route.ts";

const documentSpec = {
  method: "get",
  path: "/openapi.json",
  tags: ["documentation"],
  summary: "This API as an OpenAPI 3.1 document",
  responses: { 200: describeJson("The document", z.looseObject({ openapi: z.string() })) },
} satisfies RouteSpec;

const pageSpec = {
  method: "get",
  path: "/docs",
  tags: ["documentation"],
  summary: "This API as a page to read",
  responses: { 200: describeText("The page", "text/html") },
} satisfies RouteSpec;

const styleHash = createHash("sha256").update(PAGE_STYLE).digest("base64");

const PAGE_HEADERS = {
  "Content-Type": "text/html; charset=utf-8",
  "Content-Security-Policy": [
    "default-src 'none'",
    `style-src 'sha256-${styleHash}'`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
};

const once = <Value>(create: () => Value): (() => Value) => {
  let made: Readonly<{ value: Value }> | null = null;
  return () => {
    made ??= { value: create() };
    return made.value;
  };
};

export const createDocumentationRoutes = (createDocument: () => OpenApiDocument): readonly Route[] => {
  const document = once(createDocument);
  const json = once(() => JSON.stringify(document()));
  const page = once(() => renderDocumentation(document()));
  return [
    defineRoute(documentSpec, () => ok(new Response(json(), { headers: { "Content-Type": "application/json" } }))),
    defineRoute(pageSpec, () => ok(new Response(page(), { headers: PAGE_HEADERS }))),
  ];
};
