import { err, ok, type Problem, type Result } from "../../../base/result.ts";

/** `blob` is in base64, as it stands in the key's line. */
export type SshKey = Readonly<{ type: string; blob: string; comment: string }>;

/** Lets keys attach over SSH to the jobs of `owner`, null for all jobs; fails when the file can't be written. A key is never there twice. */
export type AuthorizedKeys = Readonly<{
  register: (key: SshKey, owner: string | null) => Promise<Result<"registered" | "exists", Problem>>;
}>;

type FieldShape = number | string | "any";

const SHAPES: Readonly<Record<string, readonly FieldShape[]>> = {
  "ssh-ed25519": [32],
  "ssh-rsa": ["any", "any"],
  "ecdsa-sha2-nistp256": ["nistp256", 65],
  "ecdsa-sha2-nistp384": ["nistp384", 97],
  "ecdsa-sha2-nistp521": ["nistp521", 133],
  "sk-ssh-ed25519@openssh.com": [32, "any"],
  "sk-ecdsa-sha2-nistp256@openssh.com": ["nistp256", 65, "any"],
};

const LINE = /^(\S+) +(\S+)(?: +(.*))?$/;
const UNCLEAN = /[\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}\ufffd]/u;
const MAX_COMMENT_CHARACTERS = 256;
const LENGTH_BYTES = 4;
const PLAIN_WORD = /^[A-Za-z0-9_@%+=:,./-]+$/;

const refuse = (message: string): Result<never, Problem> => err({ message });

const decode = (blob: string): Uint8Array | null => {
  try {
    const bytes = Uint8Array.from(atob(blob), (character) => character.charCodeAt(0));
    return btoa(String.fromCharCode(...bytes)) === blob ? bytes : null;
  } catch {
    return null;
  }
};

const splitFields = (bytes: Uint8Array): readonly Uint8Array[] | null => {
  const view = new DataView(bytes.buffer);
  const fields: Uint8Array[] = [];
  let place = 0;
  while (place < bytes.length) {
    const start = place + LENGTH_BYTES;
    if (start > bytes.length) return null;
    place = start + view.getUint32(place);
    if (place > bytes.length) return null;
    fields.push(bytes.subarray(start, place));
  }
  return fields;
};

const isShaped = (field: Uint8Array | undefined, shape: FieldShape): boolean => {
  if (field === undefined || field.length === 0) return false;
  if (typeof shape === "number") return field.length === shape;
  return shape === "any" || new TextDecoder().decode(field) === shape;
};

const isKeyOf = (type: string, blob: string): boolean => {
  const shapes = [type, ...(SHAPES[type] ?? [])];
  const bytes = decode(blob);
  const fields = bytes === null ? null : splitFields(bytes);
  return fields?.length === shapes.length && shapes.every((shape, place) => isShaped(fields[place], shape));
};

/** One line of a `.pub` file, whose line end may be there; nothing else that a file of keys would read otherwise. */
export const parseSshKey = (text: string): Result<SshKey, Problem> => {
  const line = text.replace(/\r?\n$/, "").replaceAll(/^ +| +$/g, "");
  if (line.includes("PRIVATE KEY")) return refuse("This is a private key: keep it to yourself, and send the .pub file");
  if (UNCLEAN.test(line)) return refuse("A public key is one line without control characters");
  const [, type = "", blob = "", comment = ""] = LINE.exec(line) ?? [];
  if (!Object.hasOwn(SHAPES, type))
    return refuse(
      `A public key begins with its type, without options; the types are: ${Object.keys(SHAPES).join(", ")}`,
    );
  if (!isKeyOf(type, blob)) return refuse(`This is not a whole ${type} key`);
  if (comment.length > MAX_COMMENT_CHARACTERS)
    return refuse(`The comment of a key has up to ${MAX_COMMENT_CHARACTERS} characters`);
  return ok({ type, blob, comment: comment.trim() });
};

const OPTIONS = 'restrict,pty,command="';

const quoteForShell = (word: string): string => (PLAIN_WORD.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

/** A line of `authorized_keys`, without its end, for a key that may run `program` on a terminal and nothing more. */
export const renderAuthorizedKey = ({ type, blob, comment }: SshKey, program: readonly string[]): string => {
  const command = program.map(quoteForShell).join(" ").replaceAll('"', '\\"');
  return `${OPTIONS}${command}" ${type} ${blob} ${comment}`.trimEnd();
};

/** Whether a line of `authorized_keys` lets a key see terminals of the server of that folder, and nothing else. */
export const opensFolder = (line: string, serverDir: string): boolean => {
  const words = ["attach-session", "--server-dir", serverDir].map(quoteForShell).join(" ").replaceAll('"', '\\"');
  return line.startsWith(OPTIONS) && [`${words}" `, `${words} --user=`].some((part) => line.includes(part));
};

/** Whether a text in the form of `authorized_keys` has the key, under whatever options and comment. */
export const hasAuthorizedKey = (text: string, { blob }: SshKey): boolean =>
  text.split("\n").some((line) => !line.trimStart().startsWith("#") && line.split(/\s+/).includes(blob));
