const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}]/u;
const NARROW = /^[\u0020-\u02ff]*$/;
const WITHOUT_WIDTH = /\p{M}|\p{Cf}/u;

const measureCharacter = (character: string): number => {
  if (WITHOUT_WIDTH.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
};

/** In columns of a terminal. */
export const measureWidth = (text: string): number =>
  NARROW.test(text) ? text.length : Array.from(text).reduce((sum, character) => sum + measureCharacter(character), 0);

const keepStart = (text: string, width: number): string => {
  let end = 0;
  let used = 0;
  for (const character of text) {
    used += measureCharacter(character);
    if (used > width) break;
    end += character.length;
  }
  return text.slice(0, end);
};

/** With an ellipsis where something is left out. */
export const truncateText = (text: string, width: number): string =>
  measureWidth(text) <= width ? text : `${keepStart(text, width - 1)}…`;

export const padText = (text: string, width: number): string => {
  const shown = truncateText(text, width);
  return shown + " ".repeat(Math.max(0, width - measureWidth(shown)));
};

/** Into pieces that fit into a width; at least one, which may be empty. */
export const splitText = (text: string, width: number): readonly string[] => {
  if (measureWidth(text) <= width) return [text];
  const pieces: string[] = [];
  let piece = "";
  let used = 0;
  for (const character of text) {
    const taken = measureCharacter(character);
    if (used + taken > width && piece !== "") {
      pieces.push(piece);
      piece = "";
      used = 0;
    }
    piece += character;
    used += taken;
  }
  return [...pieces, piece];
};
