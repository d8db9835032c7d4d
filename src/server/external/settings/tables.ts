import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import { type Fields, type Raw, readFields } from "./field.ts";

const isTable = (value: unknown): value is Raw => typeof value === "object" && value !== null && !Array.isArray(value);

/** What one table says; a key that no field has is a mistake. */
export const readTable = <Values extends Raw>(fields: Fields<Values>, raw: unknown): Result<Values, string> => {
  if (!isTable(raw)) return err("it must be a table");
  const keys = Object.keys(fields);
  const unknown = Object.keys(raw).find((key) => !keys.includes(key));
  if (unknown !== undefined) return err(`${unknown} is not one of ${keys.join(", ")}`);
  const values = readFields(fields, raw);
  return values.ok ? values : err(`${values.error.name} must ${values.error.allowed}`);
};

/** Each of the tables `[NAME.…]` as `readOne` reads it; the first mistake is told. */
export const readTables = <Value>(
  { name, example }: Readonly<{ name: string; example: string }>,
  raw: unknown,
  readOne: (key: string, table: unknown) => Result<Value, Problem>,
): Result<readonly Value[], Problem> => {
  if (!isTable(raw)) return err({ message: `${name} must be tables, as in [${name}.${example}]` });
  const values: Value[] = [];
  for (const [key, table] of Object.entries(raw)) {
    const value = readOne(key, table);
    if (!value.ok) return value;
    values.push(value.value);
  }
  return ok(values);
};
