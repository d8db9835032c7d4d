/** A row of the earlier Nexus's table of jobs, by the names of its columns. What a version did not have is undefined. */
export type EarlierRow = Readonly<Record<string, unknown>>;

export type Texts = Readonly<Record<string, string>>;

const INDEX = /^\d{1,9}$/;

/** Null for what is no text, or none that a program could be given. */
export const readRowText = (row: EarlierRow, name: string): string | null => {
  const value = row[name];
  return typeof value === "string" && !value.includes("\0") ? value : null;
};

export const readRowNumber = (row: EarlierRow, name: string): number | null => {
  const value = row[name];
  return typeof value === "number" && Number.isFinite(value) ? value : null;
};

export const readRowWhole = (row: EarlierRow, name: string): number | null => {
  const value = readRowNumber(row, name);
  return Number.isSafeInteger(value) ? value : null;
};

export const isRowSwitch = (row: EarlierRow, name: string): boolean => (readRowNumber(row, name) ?? 0) !== 0;

export const readRowNames = (row: EarlierRow, name: string): readonly string[] =>
  (readRowText(row, name) ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

/** Null where one is no index. */
export const readRowIndexes = (row: EarlierRow, name: string): readonly number[] | null => {
  const names = readRowNames(row, name);
  return names.every((part) => INDEX.test(part)) ? [...new Set(names.map(Number))] : null;
};

const isTexts = (value: unknown): value is Texts =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every((text) => typeof text === "string");

/** A JSON object of texts, empty where there is nothing; null where it is anything else. */
export const readRowTexts = (row: EarlierRow, name: string): Texts | null => {
  const value = row[name];
  if (typeof value !== "string") return value === null || value === undefined ? {} : null;
  if (value.trim() === "") return {};
  try {
    const texts: unknown = JSON.parse(value);
    return isTexts(texts) ? texts : null;
  } catch {
    return null;
  }
};
