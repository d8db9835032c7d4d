/** A stream that asks `nextChunk` for what is read from it; an empty chunk ends it. `release` is called once it has ended or was cancelled. */
export const createPulledStream = (
  nextChunk: () => Promise<Uint8Array>,
  release: () => Promise<void>,
  onCancel: () => void,
): ReadableStream<Uint8Array> => {
  let pulling: Promise<void> = Promise.resolve();
  const pullOnce = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    const chunk = await nextChunk();
    if (chunk.length > 0) return controller.enqueue(chunk);
    await release();
    controller.close();
  };
  const cancel = async (): Promise<void> => {
    onCancel();
    await pulling.catch(() => undefined);
    await release();
  };
  const pull = (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    pulling = pullOnce(controller);
    return pulling;
  };
  return new ReadableStream<Uint8Array>({ pull, cancel }, { highWaterMark: 0 });
};
