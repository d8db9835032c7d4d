import { type Answer, type Received, type StandIn, startStandIn } from "./stand-in.ts";

export type NullpointerStandIn = StandIn & Readonly<{ files: Map<string, Uint8Array> }>;

const MAX_BYTES = 256 * 1024 * 1024;

type Part = Readonly<{ header: string; content: Buffer }>;

const splitParts = ({ headers, body }: Received): readonly Part[] => {
  const boundary = /^multipart\/form-data; ?boundary="?([^"]+)"?$/.exec(headers.get("content-type") ?? "")?.[1];
  if (boundary === undefined) return [];
  const text = Buffer.from(body).toString("latin1");
  return text
    .split(`--${boundary}`)
    .slice(1, -1)
    .map((part) => {
      const end = part.indexOf("\r\n\r\n");
      return { header: part.slice(0, end), content: Buffer.from(part.slice(end + 4, -2), "latin1") };
    });
};

const findPart = (parts: readonly Part[], name: string): Part | undefined =>
  parts.find(({ header }) => header.includes(`name="${name}"`));

const refuse = (status: number): Answer => ({ status, body: "<html>no</html>" });

const findMistake = ({ method, path }: Received, parts: readonly Part[]): Answer | null => {
  const file = findPart(parts, "file");
  const expires = findPart(parts, "expires")?.content.toString() ?? "0";
  if (method !== "POST" || path !== "/") return refuse(404);
  if (file === undefined || !/filename="[^"]+"/.test(file.header) || !/^\d+$/.test(expires)) return refuse(400);
  return file.content.length > MAX_BYTES ? refuse(413) : null;
};

/** The file service behind 0x0.st, as https://git.0x0.st/mia/0x0 (fhost.py, templates/index.html) shows it. */
export const startNullpointer = (): NullpointerStandIn => {
  const files = new Map<string, Uint8Array>();
  const serve = (request: Received): Answer => {
    const parts = splitParts(request);
    const mistake = findMistake(request, parts);
    if (mistake !== null) return mistake;
    const secret = findPart(parts, "secret") === undefined ? "" : "s/2Zq8vN1kLw0xYb7c/";
    const path = `/${secret}f${files.size}.txt`;
    files.set(path, findPart(parts, "file")?.content ?? Buffer.alloc(0));
    const expires = findPart(parts, "expires")?.content.toString() ?? "";
    return { status: 200, body: `${service.url}${path}\n`, headers: { "X-Expires": expires } };
  };
  const service = startStandIn(serve);
  return { ...service, files };
};
