import { connect } from "node:net";

/** The path of a Unix socket, or a port. */
export type ListeningPlace = string | Readonly<{ host: string; port: number }>;

/** Whether something listens there. */
export const acceptsConnections = (place: ListeningPlace): Promise<boolean> => {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(typeof place === "string" ? { path: place } : place, () => resolve(true));
  socket.once("error", () => resolve(false));
  return promise.finally(() => socket.destroy());
};
