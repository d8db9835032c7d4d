/** What a service may do instead of answering as it should. `gate` answers, but only when it is opened, `stall` begins to. */
export type Fault =
  | Readonly<{ kind: "status"; status: number; headers?: Readonly<Record<string, string>>; body?: string }>
  | Readonly<{ kind: "hang" | "garbage" | "stall" }>
  | Readonly<{ kind: "gate"; opened: Promise<void> }>;

export type Received = Readonly<{
  method: string;
  path: string;
  query: URLSearchParams;
  headers: Headers;
  body: Uint8Array;
}>;

export type Answer = Readonly<{ status: number; body: string; headers?: Readonly<Record<string, string>> }>;

export type RateLimit = Readonly<{ requests: number; retryAfterS: number }>;

/**
 * `failNext` is for the next requests, one each; `failAlways` for all that no `failNext` is left for. `limitRate`: after
 * so many requests one is refused, as the service does that gets too many.
 */
export type StandIn = Readonly<{
  url: string;
  requests: Received[];
  failNext: (...faults: readonly Fault[]) => void;
  failAlways: (fault: Fault | null) => void;
  limitRate: (limit: RateLimit) => void;
  stop: () => Promise<void>;
}>;

const GARBAGE = "\u0000<<<not what anyone expects>>>{{{";

const toResponse = ({ status, body, headers = {} }: Answer): Response =>
  new Response(body, { status, headers: { ...headers } });

const fail = async (fault: Fault, answer: () => Response): Promise<Response> => {
  switch (fault.kind) {
    case "status":
      return toResponse({ status: fault.status, body: fault.body ?? "", headers: fault.headers ?? {} });
    case "garbage":
      return new Response(GARBAGE);
    case "stall":
      return new Response(
        new ReadableStream({ start: (stream) => stream.enqueue(new TextEncoder().encode('{"data":')) }),
      );
    case "gate":
      await fault.opened;
      return answer();
    case "hang":
      return new Promise<Response>(() => {});
  }
};

const refuseTooMany = (retryAfterS: number): Answer => ({
  status: 429,
  body: "Too Many Requests",
  headers: { "Retry-After": String(retryAfterS) },
});

const createRateLimit = (refuse: (retryAfterS: number) => Answer) => {
  let limit: RateLimit | null = null;
  let used = 0;
  const check = (): Answer | null => {
    if (limit === null) return null;
    used += 1;
    if (used <= limit.requests) return null;
    const { retryAfterS } = limit;
    limit = null;
    return refuse(retryAfterS);
  };
  const limitRate = (next: RateLimit): void => {
    limit = next;
    used = 0;
  };
  return { check, limitRate };
};

/** A service on this machine that answers as `serve` says, or `refuse` where it gets too many requests, unless told to fail. */
export const startStandIn = (serve: (request: Received) => Answer, refuse = refuseTooMany): StandIn => {
  const { check, limitRate } = createRateLimit(refuse);
  const requests: Received[] = [];
  const faults: Fault[] = [];
  let always: Fault | null = null;
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    development: false,
    fetch: async (request) => {
      const url = new URL(request.url);
      const body = new Uint8Array(await request.arrayBuffer());
      const received = {
        method: request.method,
        path: url.pathname,
        query: url.searchParams,
        headers: request.headers,
        body,
      };
      requests.push(received);
      const fault = faults.shift() ?? always;
      const answer = (): Response => toResponse(check() ?? serve(received));
      return fault === null ? answer() : fail(fault, answer);
    },
    error: () => new Response(null, { status: 500 }),
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    requests,
    failNext: (...next) => void faults.push(...next),
    failAlways: (fault) => {
      always = fault;
    },
    limitRate,
    stop: () => server.stop(true),
  };
};
