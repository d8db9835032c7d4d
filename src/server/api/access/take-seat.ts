import { ok } from "../../../base/result.ts";
import type { AppRequest, Peer, RouteAnswer } from "../context.ts";
import { passOn } from "../http/pass-on.ts";
import { countAsker } from "./count-by.ts";
import type { SeatKind, Seats } from "./seats.ts";
import { watchAccess } from "./watch-access.ts";

type Handle = (request: AppRequest) => Promise<RouteAnswer>;

type Watch = (onLost: () => void) => () => void;

const holdUntilRead = (response: Response, watch: Watch, release: () => void): Response => {
  if (response.body === null) {
    release();
    return response;
  }
  const headers = new Headers(response.headers);
  headers.set("Connection", "close");
  const lost = new AbortController();
  const stop = watch(() => lost.abort());
  const onEnd = (): void => {
    stop();
    release();
  };
  const body = passOn(response.body, { onEnd, signal: lost.signal });
  return new Response(body, { status: response.status, headers });
};

const answerSeated = async (
  request: AppRequest,
  kind: SeatKind,
  handle: Handle,
  release: () => void,
): Promise<RouteAnswer> => {
  const { holdOpen }: Peer = request.env.peer;
  const leave = (): void => {
    release();
    holdOpen?.(false);
  };
  try {
    holdOpen?.(true);
    const answered = await handle(request);
    if (kind === "follower" && answered.ok)
      return ok(holdUntilRead(answered.value, (onLost) => watchAccess(request, onLost), release));
    leave();
    return answered;
  } catch (error) {
    leave();
    throw error;
  }
};

/** The connection of who has a seat may be quiet for as long as it likes; a follower's seat is free once its stream has ended. */
export const withSeat =
  (seats: Seats, kind: SeatKind, handle: Handle): Handle =>
  async (request) => {
    const seat = seats.take(kind, countAsker(request));
    return seat.ok ? answerSeated(request, kind, handle, seat.value) : seat;
  };
