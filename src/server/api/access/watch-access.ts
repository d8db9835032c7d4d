import { CLOSE_CODES } from "../../../wire/attach.ts";
import type { SocketHandler } from "../../core/running/job-terminal.ts";
import type { AppRequest } from "../context.ts";

const CHECK_MS = 2000;

const isLost = (isStillLetIn: () => boolean): boolean => {
  try {
    return !isStillLetIn();
  } catch {
    return false;
  }
};

/** Calls `onLost` when the token that let the request in is revoked or expires, unless the watch was ended before. */
export const watchAccess = (request: AppRequest, onLost: () => void): (() => void) => {
  if (request.get("identity")?.via !== "token") return () => undefined;
  const isStillLetIn = request.get("isStillLetIn");
  const timer = setInterval(() => {
    if (!isLost(isStillLetIn)) return;
    clearInterval(timer);
    onLost();
  }, CHECK_MS);
  return () => clearInterval(timer);
};

/** Closes the WebSocket as soon as who asked for it may no longer. */
export const closeWhenLost = (request: AppRequest, handler: SocketHandler): SocketHandler => {
  let stop = (): void => undefined;
  return {
    ...handler,
    onOpen: (peer) => {
      stop = watchAccess(request, () => peer.close(CLOSE_CODES.refused, "the token is no longer good"));
      handler.onOpen(peer);
    },
    onClose: () => {
      stop();
      handler.onClose();
    },
  };
};
