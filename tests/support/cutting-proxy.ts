import type { AddressInfo } from "node:net";
import { connect, createServer, type Socket } from "node:net";

/** `cutAfter` is asked for each connection: after how many bytes of answers it breaks, null for never. */
export type CuttingProxy = Readonly<{ port: number; passed: () => number; close: () => Promise<void> }>;

const join = (near: Socket, port: number, limit: number | null, onBytes: (count: number) => void): void => {
  const far = connect({ host: "127.0.0.1", port });
  let left = limit ?? Number.POSITIVE_INFINITY;
  const end = (): void => {
    near.destroy();
    far.destroy();
  };
  for (const socket of [near, far]) socket.on("error", end).on("close", end);
  near.pipe(far);
  far.on("data", (bytes: Buffer) => {
    const piece = bytes.subarray(0, left);
    left -= piece.length;
    onBytes(piece.length);
    far.pause();
    near.write(piece, () => (left > 0 ? far.resume() : end()));
  });
};

/** Stands before a server of this machine. */
export const startCuttingProxy = async (port: number, cutAfter: () => number | null): Promise<CuttingProxy> => {
  const sockets = new Set<Socket>();
  let passed = 0;
  const server = createServer((near) => {
    sockets.add(near);
    join(near, port, cutAfter(), (count) => {
      passed += count;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  return { port: (server.address() as AddressInfo).port, passed: () => passed, close };
};
