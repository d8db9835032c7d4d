const UNSAFE = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu;

const escapeCharacter = (character: string): string => {
  if (character === "\n") return "\\n";
  if (character === "\t") return "\\t";
  const code = character.charCodeAt(0).toString(16);
  return code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, "0")}`;
};

/** What a job or a user wrote, made harmless for a terminal and for a table of one line a row. */
export const escapeText = (text: string): string => text.replace(UNSAFE, escapeCharacter);
