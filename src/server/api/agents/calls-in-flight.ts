import { z } from "zod";

const requestId = z.union([z.string(), z.number()]);
const cancelled = z.object({ method: z.literal("notifications/cancelled"), params: z.object({ requestId }) });
const asked = z.object({ id: requestId, method: z.string() });

/** Of one session the calls that are not answered yet; `end` ends one without an answer. */
export type CallsInFlight = Readonly<{
  note: (session: string, body: unknown, end: () => void) => () => void;
  cancel: (session: string, body: unknown) => void;
}>;

const listMessages = (body: unknown): readonly unknown[] => (Array.isArray(body) ? body : [body]);

const nameCall = (session: string, id: string | number): string => JSON.stringify([session, id]);

const listCalls = (session: string, body: unknown): readonly string[] =>
  listMessages(body).flatMap((message) => {
    const parsed = asked.safeParse(message);
    return parsed.success ? [nameCall(session, parsed.data.id)] : [];
  });

const listCancelled = (session: string, body: unknown): readonly string[] =>
  listMessages(body).flatMap((message) => {
    const parsed = cancelled.safeParse(message);
    return parsed.success ? [nameCall(session, parsed.data.params.requestId)] : [];
  });

export const createCallsInFlight = (): CallsInFlight => {
  const calls = new Map<string, () => void>();
  return {
    note: (session, body, end) => {
      const names = listCalls(session, body);
      for (const name of names) calls.set(name, end);
      return () => {
        for (const name of names) if (calls.get(name) === end) calls.delete(name);
      };
    },
    cancel: (session, body) => {
      for (const name of listCancelled(session, body)) calls.get(name)?.();
    },
  };
};
