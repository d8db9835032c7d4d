import type { FileHandle } from "node:fs/promises";
import { openRegular } from "../../../tools/open-regular.ts";
import type { JobPaths } from "./job-paths.ts";
import { findLineStart } from "./log-tail.ts";
import { type LogView, readBlock } from "./log-view.ts";

type Note = Readonly<{ by: number; written: number }>;

const NOTE_BYTES = 32;
const NOTE = /^(\d{10}) (\d{20})\n$/;
const SECOND = 1;

const readNote = async (notes: FileHandle, index: number): Promise<Note | null> => {
  const text = new TextDecoder().decode(await readBlock(notes, index * NOTE_BYTES, NOTE_BYTES));
  const [, by, written] = NOTE.exec(text) ?? [];
  return by === undefined ? null : { by: Number(by) + SECOND, written: Number(written) };
};

const findLastBefore = async (notes: FileHandle, since: number): Promise<number> => {
  let [low, high, written] = [0, Math.floor((await notes.stat()).size / NOTE_BYTES) - 1, 0];
  while (low <= high) {
    const middle = Math.floor((low + high) / 2);
    const note = await readNote(notes, middle);
    if (note !== null && note.by <= since) {
      written = note.written;
      low = middle + 1;
    } else high = middle - 1;
  }
  return written;
};

const findWritten = async (paths: JobPaths, since: number): Promise<number> => {
  const notes = await openRegular(paths.logTimes);
  if (notes === null) return 0;
  try {
    return await findLastBefore(notes, since);
  } finally {
    await notes.close();
  }
};

const MS = 1000;

/** Where in the view of the log the line begins of which something was written since then, or a few seconds before; its end where nothing was. */
export const findSince = async (view: LogView, log: FileHandle, paths: JobPaths, since: number): Promise<number> => {
  if ((await log.stat()).mtimeMs < since * MS) return view.size;
  return findLineStart(view, view.place(await findWritten(paths, since)));
};
