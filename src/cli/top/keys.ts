/** A printable character, or the name of a key. */
export type Key = string;

/** `rest` may be the start of a key whose end has not come yet. */
export type Decoded = Readonly<{ keys: readonly Key[]; rest: string }>;

const SEQUENCES: Readonly<Record<string, Key>> = {
  A: "up",
  B: "down",
  H: "home",
  F: "end",
  "1~": "home",
  "4~": "end",
  "7~": "home",
  "8~": "end",
  "5~": "page up",
  "6~": "page down",
};

const CONTROLS: Readonly<Record<string, Key>> = {
  "\r": "enter",
  "\n": "enter",
  "\u0003": "interrupt",
  "\u0004": "page down",
  "\u0008": "backspace",
  "\u000c": "redraw",
  "\u0015": "page up",
  "\u001a": "suspend",
  "\u001b": "escape",
  "\u007f": "backspace",
};

const ESC = "\u001b";
const PASTE_START = `${ESC}[200~`;
const PASTE_END = `${ESC}[201~`;
const SEQUENCE = new RegExp(`^${ESC}(?:\\[|O)([0-?]*[ -/]*[@-~])`);
const UNFINISHED = new RegExp(`^${ESC}(?:\\[[0-?]*[ -/]*|O)?$`);
const META = new RegExp(`^${ESC}[^\\p{Cc}[O]`, "u");

type Step = Readonly<{ key: Key | null; length: number }>;

const readPaste = (text: string): Step | null => {
  const end = text.indexOf(PASTE_END);
  return end === -1 ? null : { key: null, length: end + PASTE_END.length };
};

const readKey = (text: string): Step | null => {
  if (text.startsWith(PASTE_START)) return readPaste(text);
  if (UNFINISHED.test(text)) return null;
  const [sequence, name] = SEQUENCE.exec(text) ?? [];
  if (sequence !== undefined) return { key: SEQUENCES[name ?? ""] ?? null, length: sequence.length };
  const [meta] = META.exec(text) ?? [];
  if (meta !== undefined) return { key: null, length: meta.length };
  const [character = ""] = text;
  const isPrintable = !/\p{Cc}/u.test(character);
  return { key: CONTROLS[character] ?? (isPrintable ? character : null), length: character.length };
};

/** What is pasted is left out: it is no key that anyone pressed. */
export const decodeKeys = (text: string): Decoded => {
  const keys: Key[] = [];
  let rest = text;
  while (rest !== "") {
    const step = readKey(rest);
    if (step === null) return { keys, rest };
    if (step.key !== null) keys.push(step.key);
    rest = rest.slice(step.length);
  }
  return { keys, rest };
};

/** What an unfinished key is when nothing follows: the escape key, or a paste that goes on. */
export const flushKeys = (rest: string): Decoded =>
  rest.startsWith(PASTE_START) ? { keys: [], rest } : { keys: rest === "" ? [] : ["escape"], rest: "" };
