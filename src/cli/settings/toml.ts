import { err, ok, type Result } from "../../base/result.ts";

export type Table = Readonly<Record<string, unknown>>;

/** Why a text is no TOML; `line` is empty where that is not known, else `, line N`. */
export type TomlMistake = Readonly<{ line: string; problem: string }>;

/** The parser is loaded only where there is something to parse. */
export const parseToml = async (text: string): Promise<Result<Table, TomlMistake>> => {
  const { parse, TomlError } = await import("smol-toml");
  try {
    return ok(parse(text));
  } catch (error) {
    const line = error instanceof TomlError ? `, line ${error.line}` : "";
    return err({ line, problem: error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error) });
  }
};

/** As `, line N`; empty where a key is set nowhere, or in several places. */
export const findKeyLine = (text: string, name: string): string => {
  const key = new RegExp(`^\\s*["']?${RegExp.escape(name)}["']?\\s*=`);
  const numbers = text.split("\n").flatMap((line, index) => (key.test(line) ? [index + 1] : []));
  return numbers.length === 1 ? `, line ${numbers[0]}` : "";
};
