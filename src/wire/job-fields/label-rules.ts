const NAME = /^[A-Za-z][A-Za-z0-9._-]{0,63}$/;
const MAX_NOTE_BYTES = 4096;

export const isJobName = (text: string): boolean => NAME.test(text);

/** What is wrong with a job's name; null for a good one. */
export const describeNameMistake = (name: string): string | null =>
  isJobName(name) ? null : "A name is 1 to 64 of A-Z, a-z, 0-9, ., _ and -, and begins with a letter";

/** What is wrong with a note; null for a good one. */
export const describeNoteMistake = (note: string): string | null => {
  if (note.trim() === "") return "The note is blank";
  if (note.includes("\0")) return "The note contains a NUL byte";
  return Buffer.byteLength(note) > MAX_NOTE_BYTES ? "The note is longer than 4 KiB" : null;
};
