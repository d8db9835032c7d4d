import type { Answer, History, RunOptions } from "./history.ts";

/** Where clients and servers meet. `whenUp` resolves once a server answers, or when the run is over. */
export type Arena = Readonly<{
  url: string;
  folder: string;
  serverDir: string;
  witnessPath: string;
  helpersPath: string;
  options: RunOptions;
  history: History;
  whenUp: () => Promise<void>;
  isPaused: () => boolean;
}>;

type Request = Readonly<{ method: string; path: string; body?: string | Uint8Array<ArrayBuffer> }>;

const PATIENCE_MS = 20_000;

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const parseBody = (text: string): unknown => (text === "" ? null : JSON.parse(text));

const isTimeout = (error: unknown): boolean => error instanceof Error && error.name === "TimeoutError";

/** Sends the request once, on a connection of its own. */
export const ask = async ({ url, history, whenUp }: Arena, { method, path, body }: Request): Promise<Answer> => {
  await whenUp();
  try {
    const response = await fetch(`${url}${path}`, {
      method,
      keepalive: false,
      headers: { "content-type": typeof body === "string" ? "application/json" : "application/octet-stream" },
      signal: AbortSignal.timeout(PATIENCE_MS),
      ...(body === undefined ? {} : { body }),
    });
    return { status: response.status, body: parseBody(await response.text()) };
  } catch (error) {
    if (isTimeout(error)) history.add({ kind: "finding", what: `no answer: ${method} ${path} in ${PATIENCE_MS} ms` });
    return null;
  }
};
