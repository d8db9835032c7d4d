const NARROW = /^[\u0020-\u007e]*$/;

/** In columns of a terminal. */
export const measureWidth = (text: string): number =>
  NARROW.test(text) ? text.length : Bun.stringWidth(text, { countAnsiEscapeCodes: true });

const listGraphemes = (text: string): readonly string[] => {
  if (NARROW.test(text)) return Array.from(text);
  const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });
  return Array.from(graphemes.segment(text), ({ segment }) => segment);
};

const keepStart = (text: string, width: number): string => {
  let end = 0;
  let used = 0;
  for (const grapheme of listGraphemes(text)) {
    used += measureWidth(grapheme);
    if (used > width) break;
    end += grapheme.length;
  }
  return text.slice(0, end);
};

const keepEnd = (text: string, width: number): string => {
  let start = text.length;
  let used = 0;
  for (const grapheme of listGraphemes(text).toReversed()) {
    used += measureWidth(grapheme);
    if (used > width) break;
    start -= grapheme.length;
  }
  return text.slice(start);
};

const LOOK = 16;

/** Both ends, with an ellipsis where the middle is left out. */
export const cutMiddle = (text: string, width: number): string => {
  if (measureWidth(text) <= width) return text;
  const endWidth = Math.floor(Math.max(0, width - 1) / 2);
  const end = keepEnd(text.slice(-endWidth * LOOK), endWidth);
  const start = keepStart(text.slice(0, width * LOOK), width - 1 - measureWidth(end));
  return `${start}…${end}`;
};

/** With an ellipsis where its beginning is left out. */
export const truncateStart = (text: string, width: number): string =>
  measureWidth(text) <= width ? text : `…${keepEnd(text.slice(-width * LOOK), width - 1)}`;

/** With an ellipsis where something is left out. */
export const truncateText = (text: string, width: number): string =>
  measureWidth(text) <= width ? text : `${keepStart(text.slice(0, width * LOOK), width - 1)}…`;

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
  for (const grapheme of listGraphemes(text)) {
    const taken = measureWidth(grapheme);
    if (used + taken > width && piece !== "") {
      pieces.push(piece);
      piece = "";
      used = 0;
    }
    piece += grapheme;
    used += taken;
  }
  return [...pieces, piece];
};

/** Into lines that fit into a width, at words where there are any; colours go on. */
export const wrapWords = (text: string, width: number): readonly string[] =>
  measureWidth(text) <= width ? [text] : Bun.wrapAnsi(text, width, { hard: true }).split("\n");
