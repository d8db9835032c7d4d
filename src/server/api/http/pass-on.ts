type Options = Readonly<{ onEnd?: () => void; signal?: AbortSignal; first?: Uint8Array }>;

/**
 * The same bytes, after `first`, no faster than they are read. `onEnd` is called when they have ended, however that came, once or more often; who
 * lets go of them, and `signal`, ends their source.
 */
export const passOn = (
  body: ReadableStream<Uint8Array>,
  { onEnd = () => undefined, signal, first }: Options,
): ReadableStream<Uint8Array> => {
  const reader = body.getReader();
  const stop = (): void => void reader.cancel().catch(() => undefined);
  signal?.addEventListener("abort", stop);
  if (signal?.aborted) stop();
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
  const cancel = (reason: unknown): Promise<void> => {
    onEnd();
    return reader.cancel(reason);
  };
  const start = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    if (first !== undefined) controller.enqueue(first);
  };
  return new ReadableStream<Uint8Array>({ start, pull, cancel }, { highWaterMark: 0 });
};
