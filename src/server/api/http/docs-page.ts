import type { OpenAPIHono } from "@hono/zod-openapi";
import type { AppEnv } from "../context.ts";

export type OpenApiDocument = ReturnType<OpenAPIHono<AppEnv>["getOpenAPI31Document"]>;

type PathItem = NonNullable<OpenApiDocument["paths"]>[string];
type Operation = NonNullable<PathItem["get"]>;
type Parameter = NonNullable<Operation["parameters"]>[number];

const METHODS = ["get", "post", "put", "patch", "delete"] as const;

export const PAGE_STYLE = `
:root { color-scheme: light dark; font-family: system-ui, sans-serif; line-height: 1.5 }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
code, pre { font-family: ui-monospace, monospace; font-size: 0.9em }
pre { overflow-x: auto; padding: 0.75rem; background: color-mix(in srgb, currentColor 8%, transparent) }
section { border-top: 1px solid color-mix(in srgb, currentColor 25%, transparent); margin-top: 1.5rem }
h2 { font-size: 1.1rem }
table { border-collapse: collapse }
th, td { text-align: left; vertical-align: top; padding: 0.15rem 1rem 0.15rem 0 }
`;

const escapeHtml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

const schemaName = (ref: string): string => ref.slice(ref.lastIndexOf("/") + 1);

const renderSchema = (schema: unknown): string =>
  escapeHtml(JSON.stringify(schema, null, 2)).replaceAll(
    /&quot;(#\/components\/schemas\/(\w+))&quot;/g,
    (_match, ref: string, name: string) => `<a href="#${name}">${schemaName(ref)}</a>`,
  );

const renderContent = (content: unknown): string => {
  if (typeof content !== "object" || content === null) return "";
  const parts = Object.entries(content).map(
    ([type, { schema }]) => `<p><code>${escapeHtml(type)}</code></p><pre>${renderSchema(schema)}</pre>`,
  );
  return parts.join("");
};

const renderParameter = (parameter: Parameter): string => {
  if ("$ref" in parameter) return "";
  const need = parameter.required ? "required" : "optional";
  const schema = escapeHtml(JSON.stringify(parameter.schema ?? {}));
  return `<tr><td><code>${escapeHtml(parameter.name)}</code></td><td>${parameter.in}, ${need}</td><td><code>${schema}</code></td></tr>`;
};

const renderParameters = (parameters: readonly Parameter[]): string =>
  parameters.length === 0 ? "" : `<h3>Parameters</h3><table>${parameters.map(renderParameter).join("")}</table>`;

const renderResponses = (responses: Operation["responses"]): string => {
  const rows = Object.entries(responses ?? {}).map(([status, { description, content }]) => {
    const body = Number(status) < 300 ? renderContent(content) : "";
    return `<tr><td><code>${escapeHtml(status)}</code></td><td>${escapeHtml(description)}${body}</td></tr>`;
  });
  return `<h3>Answers</h3><table>${rows.join("")}</table>`;
};

const renderBody = (body: Operation["requestBody"]): string =>
  body !== undefined && "content" in body ? `<h3>Body</h3>${renderContent(body.content)}` : "";

const renderOperation = (path: string, method: string, operation: Operation): string =>
  [
    `<section><h2><code>${method.toUpperCase()} ${escapeHtml(path)}</code></h2>`,
    `<p>${escapeHtml(operation.summary ?? "")}</p>`,
    `<p>${escapeHtml(operation.description ?? "")}</p>`,
    renderParameters(operation.parameters ?? []),
    renderBody(operation.requestBody),
    renderResponses(operation.responses),
    "</section>",
  ].join("\n");

const renderPath = ([path, item]: readonly [string, PathItem]): string =>
  METHODS.map((method) => {
    const operation = item[method];
    return operation === undefined ? "" : renderOperation(path, method, operation);
  }).join("");

const renderComponents = (document: OpenApiDocument): string =>
  Object.entries(document.components?.schemas ?? {})
    .map(
      ([name, schema]) =>
        `<section id="${escapeHtml(name)}"><h2>${escapeHtml(name)}</h2><pre>${renderSchema(schema)}</pre></section>`,
    )
    .join("");

export const renderDocumentation = (document: OpenApiDocument): string => {
  const title = escapeHtml(`${document.info.title} ${document.info.version}`);
  return [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title>`,
    `<meta name="viewport" content="width=device-width"><style>${PAGE_STYLE}</style></head><body>`,
    `<h1>${title}</h1><p>${escapeHtml(document.info.description ?? "")}</p>`,
    Object.entries(document.paths ?? {})
      .map(renderPath)
      .join(""),
    `<h1>Schemas</h1>${renderComponents(document)}</body></html>`,
  ].join("\n");
};
