import { type App, createApp } from "../../src/server/api/app.ts";
import type { ApiContext } from "../../src/server/api/context.ts";
import { createMeter } from "../../src/server/external/telemetry/meter.ts";

type Answers = Readonly<Record<string, Readonly<{ content?: Readonly<Record<string, unknown>> }>>>;
type Document = Readonly<{ paths: Record<string, Record<string, Readonly<{ responses: Answers }>>> }>;
type Declared = Readonly<{ method: string; path: RegExp; answers: Answers }>;

const toPattern = (path: string): RegExp =>
  new RegExp(
    `^${path
      .replaceAll(".", "\\.")
      .replaceAll("{path}", "[^]+")
      .replaceAll(/\{\w+\}/g, "[^/]+")}$`,
  );

const listDeclared = ({ paths }: Document): readonly Declared[] =>
  Object.entries(paths).flatMap(([path, calls]) =>
    Object.entries(calls).map(([method, { responses }]) => ({
      method: method.toUpperCase(),
      path: toPattern(path),
      answers: responses,
    })),
  );

const readDeclared = async (context: ApiContext): Promise<readonly Declared[]> => {
  const ignore = (): void => undefined;
  const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
  const settings = { ...context.settings, local: { ...context.settings.local, loopback: "anyone" as const } };
  const app = createApp({ ...context, settings, log, meter: createMeter() });
  const request = new Request("http://localhost/openapi.json", { headers: { host: "localhost" } });
  return listDeclared((await (await app.fetch(request, { address: "127.0.0.1" })).json()) as Document);
};

const describeAnswer = ({ status, headers }: Response): string => `${status} ${headers.get("content-type")}`;

const isDeclared = ({ answers }: Declared, { status, headers }: Response): boolean => {
  const answer = answers[status];
  const type = headers.get("content-type")?.split(";")[0];
  return answer !== undefined && (type === undefined || Object.hasOwn(answer.content ?? {}, type));
};

let declared: Promise<readonly Declared[]> | undefined;

/** The app, of which an answer that its own document does not declare for the call is a bug: what it fetches throws then. */
export const holdToDocument = (app: App, context: ApiContext): App => ({
  ...app,
  fetch: async (request, peer) => {
    const response = await app.fetch(request, peer);
    declared ??= readDeclared(context);
    const method = request.method === "HEAD" ? "GET" : request.method;
    const { pathname } = new URL(request.url);
    const calls = (await declared).filter((call) => call.method === method && call.path.test(pathname));
    if (calls.length > 0 && !calls.some((call) => isDeclared(call, response)))
      throw new Error(`${method} ${pathname} does not say that it answers ${describeAnswer(response)}`);
    return response;
  },
});
