import { randomInt } from "node:crypto";
import { createServer } from "node:net";

const FIRST_PORT = 10_000;
const FIRST_EPHEMERAL_PORT = 32_768;

const isFreeAt = (host: string, port: number): Promise<boolean> => {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const probe = createServer()
    .once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "EADDRINUSE"))
    .listen(port, host, () => probe.close(() => resolve(true)));
  return promise;
};

const isFree = async (port: number): Promise<boolean> =>
  (await isFreeAt("127.0.0.1", port)) && (await isFreeAt("::1", port));

/** Free now, and none that the kernel gives to a connection or to who asks for any: a server may come back to it. */
export const pickPort = async (): Promise<number> => {
  for (;;) {
    const port = randomInt(FIRST_PORT, FIRST_EPHEMERAL_PORT);
    if (await isFree(port)) return port;
  }
};
