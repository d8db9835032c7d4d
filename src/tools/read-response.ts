/** `isCut`: more came than `maxBytes`, and the rest was not read. */
export const readBody = async (
  response: Response,
  maxBytes: number,
): Promise<Readonly<{ text: string; isCut: boolean }>> => {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    text += decoder.decode(chunk, { stream: true });
    if (size > maxBytes) return { text, isCut: true };
  }
  return { text, isCut: false };
};
