import type { AppRequest, Peer } from "./context.ts";
import { respondFailure } from "./error-response.ts";
import type { SeatKind, Seats } from "./seats.ts";

type Handle = (request: AppRequest) => Response | Promise<Response>;

const passOn = (body: ReadableStream<Uint8Array>, onEnd: () => void): ReadableStream<Uint8Array> => {
  const reader = body.getReader();
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

const holdUntilRead = (response: Response, release: () => void): Response => {
  if (response.body === null || !response.ok) {
    release();
    return response;
  }
  const headers = new Headers(response.headers);
  headers.set("Connection", "close");
  return new Response(passOn(response.body, release), { status: response.status, headers });
};

const answerSeated = async (
  request: AppRequest,
  kind: SeatKind,
  handle: Handle,
  release: () => void,
): Promise<Response> => {
  const { holdOpen }: Peer = request.env.peer;
  try {
    holdOpen?.(true);
    const response = await handle(request);
    if (kind === "follower") return holdUntilRead(response, release);
    release();
    holdOpen?.(false);
    return response;
  } catch (error) {
    release();
    throw error;
  }
};

/** The connection of who has a seat may be quiet for as long as it likes; a follower's seat is free once its stream has ended. */
export const withSeat =
  (seats: Seats, kind: SeatKind, handle: Handle): Handle =>
  (request) => {
    const seat = seats.take(kind, request.env.peer.address);
    return seat.ok ? answerSeated(request, kind, handle, seat.value) : respondFailure(seat.error);
  };
