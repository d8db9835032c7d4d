import { collectInTurns } from "../../../../tools/give-way.ts";
import { openRegular } from "../../../../tools/open-regular.ts";
import { LIST_END, readListed } from "../../../core/running/outputs.ts";

const MAX_BYTES = 256 * 1024 * 1024;

/** As byte text; null where it can't be read. */
export const readSmallFile = async (path: string): Promise<string | null> => {
  const file = await openRegular(path);
  if (file === null) return null;
  try {
    const { size } = await file.stat();
    return size > MAX_BYTES ? null : await file.readFile("latin1");
  } catch {
    return null;
  } finally {
    await file.close();
  }
};

const splitEntries = function* (text: string): Generator<string> {
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf("\0", from);
    yield text.slice(from, end);
    from = end + 1;
  }
};

const readAll = function* (text: string): Generator<string> {
  for (const entry of splitEntries(text)) if (entry !== LIST_END) yield readListed(entry);
};

/** The files that were unpacked, as `describeFile` says them; null where there is no list, or one that ends too early. */
export const readManifest = async (path: string): Promise<ReadonlySet<string> | null> => {
  const text = await readSmallFile(path);
  const isWhole = text !== null && (text === `${LIST_END}\0` || text.endsWith(`\0${LIST_END}\0`));
  return isWhole ? new Set(await collectInTurns(readAll(text))) : null;
};
