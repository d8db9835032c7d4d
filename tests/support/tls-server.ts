import { spawn } from "node:child_process";
import { join } from "node:path";
import type { CertificateFiles } from "./certificate.ts";
import { SERVER, stopChild } from "./programs.ts";
import type { World } from "./world.ts";

/** `output` is what it logged until now, in lines of JSON. */
export type TlsServer = Readonly<{ url: string; output: () => string; stop: () => Promise<void> }>;

/** A server of the world's folder that speaks TLS on a port of its own. */
export const startTlsServer = async (
  world: World,
  { key, cert }: Pick<CertificateFiles, "key" | "cert">,
  settings: Readonly<Record<string, string>> = {},
): Promise<TlsServer> => {
  const tls = { NS_PORT: "0", NS_SSL_KEYFILE: key, NS_SSL_CERTFILE: cert };
  const env = { ...world.env, NS_SERVER_DIR: join(world.folder, "server"), ...tls, ...settings };
  const server = spawn(SERVER[0] ?? "", SERVER.slice(1), { env, stdio: ["ignore", "pipe", "pipe"] });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let text = "";
  for (const stream of [server.stdout, server.stderr])
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      const url = /"url":"([^"]+)"/.exec(text)?.[1];
      if (url !== undefined) resolve(url);
    });
  server.once("exit", () => reject(new Error(`the server ended: ${text}`)));
  return { url: await promise, output: () => text, stop: () => stopChild(server, "SIGTERM") };
};
