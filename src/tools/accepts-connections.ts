import { connect } from "node:net";

/** Whether something listens at the path of a Unix socket. */
export const acceptsConnections = (path: string): Promise<boolean> => {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(path, () => resolve(true));
  socket.once("error", () => resolve(false));
  return promise.finally(() => socket.destroy());
};
