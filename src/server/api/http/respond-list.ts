type Slices<Item> = AsyncGenerator<readonly Item[], void>;

const JSON_HEADERS = { "Content-Type": "application/json" };

const renderItems = <Item>(items: readonly Item[]): string => items.map((item) => JSON.stringify(item)).join(",");

const renderAll = async function* <Item>(begun: readonly Item[], rest: Slices<Item>): AsyncGenerator<string, void> {
  let separator = begun.length === 0 ? "" : ",";
  yield `[${renderItems(begun)}`;
  for await (const items of rest) {
    if (items.length === 0) continue;
    yield separator + renderItems(items);
    separator = ",";
  }
  yield "]";
};

const toStream = (texts: AsyncGenerator<string, void>): ReadableStream<Uint8Array> => {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const { done, value } = await texts.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(value));
      },
      cancel: async () => void (await texts.return()),
    },
    { highWaterMark: 0 },
  );
};

/** A JSON list. One of several slices is sent slice by slice, no faster than it is read, and never held as a whole. */
export const respondList = async <Item>(slices: Slices<Item>): Promise<Response> => {
  const first = await slices.next();
  const second = first.done ? first : await slices.next();
  if (second.done) return Response.json(first.value ?? []);
  const begun = [...(first.value ?? []), ...second.value];
  return new Response(toStream(renderAll(begun, slices)), { headers: JSON_HEADERS });
};
