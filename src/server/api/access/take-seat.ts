import { ok } from "../../../base/result.ts";
import type { AppRequest, Peer, RouteAnswer } from "../context.ts";
import { countAsker } from "./count-by.ts";
import type { SeatKind, Seats } from "./seats.ts";
import { watchAccess } from "./watch-access.ts";

type Handle = (request: AppRequest) => Promise<RouteAnswer>;

type Watch = (onLost: () => void) => () => void;

const passOn = (body: ReadableStream<Uint8Array>, watch: Watch, release: () => void): ReadableStream<Uint8Array> => {
  const reader = body.getReader();
  const stop = watch(() => void reader.cancel().catch(() => undefined));
  const onEnd = (): void => {
    stop();
    release();
  };
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    try {
      const { value } = await reader.read();
      if (value !== undefined) return controller.enqueue(value);
      controller.close();
    } catch (error) {
      controller.error(error);
    }
    onEnd();
  };
  const cancel = async (reason: unknown): Promise<void> => {
    onEnd();
    await reader.cancel(reason);
  };
  return new ReadableStream<Uint8Array>({ pull, cancel }, { highWaterMark: 0 });
};

const holdUntilRead = (response: Response, watch: Watch, release: () => void): Response => {
  if (response.body === null) {
    release();
    return response;
  }
  const headers = new Headers(response.headers);
  headers.set("Connection", "close");
  return new Response(passOn(response.body, watch, release), { status: response.status, headers });
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
