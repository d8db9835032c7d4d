import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Api } from "../../src/cli/connection/api-client.ts";
import type { WireFile } from "../../src/wire/files.ts";
import { createPlainApi } from "./plain-api.ts";

/** What is served of a file; `tag` names its content. */
export type Served = Readonly<{ bytes: Buffer; tag: string }>;

/** `cutAfter` says after how many bytes of an answer its connection breaks, null for never. */
export type FilesServer = Readonly<{ api: Api; asked: readonly (string | undefined)[]; close: () => Promise<void> }>;

type Options = Readonly<{ find: (path: string) => Served | null; cutAfter?: () => number | null }>;

const answer = (response: ServerResponse, { bytes, tag }: Served, from: number | null, cut: number | null): void => {
  const part = bytes.subarray(from ?? 0);
  const range = from === null ? {} : { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` };
  response.writeHead(from === null ? 200 : 206, { etag: tag, ...range });
  if (cut === null || cut >= part.length) response.end(part);
  else response.write(part.subarray(0, cut), () => response.destroy());
};

const readPath = (url: string): string => {
  const encoded = url.split("/").slice(5).join("/");
  const bytes = encoded.replaceAll(/%(..)/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
  return Buffer.from(bytes, "latin1").toString("utf8");
};

/** Serves the files of a job as the server does, but for what is asked of it. */
export const startFilesServer = async ({ find, cutAfter = () => null }: Options): Promise<FilesServer> => {
  const asked: (string | undefined)[] = [];
  const server = createServer(({ url = "", headers }, response) => {
    const served = find(readPath(url));
    if (served === null) {
      response.writeHead(404).end(JSON.stringify({ error: "NOT_FOUND", message: "gone" }));
      return;
    }
    asked.push(headers.range);
    const start = Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1] ?? Number.NaN);
    const isWanted = headers["if-range"] === undefined || headers["if-range"] === served.tag;
    answer(response, served, isWanted && start < served.bytes.length ? start : null, cutAfter());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { api: createPlainApi(port), asked, close };
};

export const createWireFile = (path: string, fields: Partial<WireFile> = {}): WireFile => ({
  path,
  size: 0,
  mtime: 1_700_000_000.25,
  type: "file",
  target: null,
  raw: null,
  ...fields,
});
