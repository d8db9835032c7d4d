export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

export type Raw = Readonly<Record<string, unknown>>;
type Parse<Value> = (raw: unknown) => Value | undefined;

/** The value of an `isSecret` field is told to nobody, not even when it is mistaken. */
export type Field<Value> = Readonly<{
  name: string;
  parse: Parse<Value>;
  allowed: string;
  fallback: Value;
  isSecret?: true;
}>;

const DEFAULT_MOCK_GPUS = 2;
const MAX_MOCK_GPUS = 64;

const parseText: Parse<string> = (raw) => (typeof raw === "string" && raw.trim() !== "" ? raw : undefined);

const parseNumber =
  (min: number, max: number, isWhole: boolean): Parse<number> =>
  (raw) => {
    const value = typeof raw === "string" && raw.trim() !== "" ? Number(raw) : raw;
    if (typeof value !== "number" || !(value >= min && value <= max)) return undefined;
    return isWhole && !Number.isInteger(value) ? undefined : value;
  };

const parseList: Parse<readonly string[]> = (raw) => {
  if (typeof raw === "string") return raw.split(",").flatMap((part) => (part.trim() === "" ? [] : [part.trim()]));
  return Array.isArray(raw) && raw.every((part) => typeof part === "string") ? raw : undefined;
};

const parseMockGpus: Parse<number> = (raw) => {
  if (raw === true || raw === "true" || raw === "") return DEFAULT_MOCK_GPUS;
  if (raw === false || raw === "false") return 0;
  return parseNumber(0, MAX_MOCK_GPUS, true)(raw);
};

const parseExecutor: Parse<"screen"> = (raw) => (raw === "screen" ? raw : undefined);

const parseLogLevel: Parse<LogLevel> = (raw) => LOG_LEVELS.find((level) => level === raw);

const describe = (raw: unknown): string => (typeof raw === "string" ? `"${raw}"` : JSON.stringify(raw));

export const readField = <Value>(raw: Raw, field: Field<Value>, mistakes: string[]): Value => {
  const value = raw[field.name];
  if (value === undefined || value === null) return field.fallback;
  const parsed = field.parse(value);
  if (parsed !== undefined) return parsed;
  const shown = field.isSecret === true ? "what is given" : describe(value);
  mistakes.push(`${field.name} = ${shown} is not allowed: it must be ${field.allowed}`);
  return field.fallback;
};

export const text = <Fallback extends string | null>(name: string, fallback: Fallback): Field<string | Fallback> => ({
  name,
  parse: parseText,
  allowed: "a text that is not empty",
  fallback,
});

const parseAddress: Parse<string> = (raw) => {
  const address = parseText(raw);
  return address !== undefined && /^https?:\/\/[^\s/]+/.test(address) ? address.replace(/\/+$/, "") : undefined;
};

export const address = <Fallback extends string | null>(
  name: string,
  fallback: Fallback,
): Field<string | Fallback> => ({
  name,
  parse: parseAddress,
  allowed: "an address that begins with https:// or http://",
  fallback,
});

export const list = (name: string): Field<readonly string[]> => ({
  name,
  parse: parseList,
  allowed: "a list of texts",
  fallback: [],
});

export const number = <Fallback extends number | null>(
  name: string,
  fallback: Fallback,
  min: number,
  max: number,
  isWhole = true,
): Field<number | Fallback> => ({
  name,
  parse: parseNumber(min, max, isWhole),
  allowed: `a ${isWhole ? "whole number" : "number"} from ${min} to ${max}`,
  fallback,
});

const parseFlag: Parse<boolean> = (raw) => {
  const word = typeof raw === "string" ? raw.toLowerCase() : raw;
  if (word === true || word === "true" || word === "1") return true;
  return word === false || word === "false" || word === "0" ? false : undefined;
};

export const flag = (name: string, fallback: boolean): Field<boolean> => ({
  name,
  parse: parseFlag,
  allowed: "true or false",
  fallback,
});

export const secret = (name: string): Field<string | null> => ({ ...text(name, null), isSecret: true });

const MAX_SOCKET_BYTES = 107;

const parseSocket: Parse<string> = (raw) => {
  const path = parseText(raw);
  return path?.startsWith("/") && new TextEncoder().encode(path).length <= MAX_SOCKET_BYTES ? path : undefined;
};

export const SOCKET: Field<string | null> = {
  name: "socket",
  parse: parseSocket,
  allowed: `a path that begins with / and has at most ${MAX_SOCKET_BYTES} bytes`,
  fallback: null,
};

export const MOCK_GPUS: Field<number> = {
  name: "mock_gpus",
  parse: parseMockGpus,
  allowed: `true, false or a whole number from 0 to ${MAX_MOCK_GPUS}`,
  fallback: 0,
};

export const EXECUTOR: Field<"screen"> = {
  name: "executor",
  parse: parseExecutor,
  allowed: `"screen"`,
  fallback: "screen",
};

export const LOG_LEVEL: Field<LogLevel> = {
  name: "log_level",
  parse: parseLogLevel,
  allowed: `one of ${LOG_LEVELS.join(", ")}`,
  fallback: "info",
};
