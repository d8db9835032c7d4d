import type { Failure } from "./command.ts";
import { EXIT_CODES } from "./usage.ts";

/** What a failure is under `--json`: `error` names its kind, the server's own word where it has one. */
export type FailureDocument = Readonly<{ error: string; message: string; hint: string | null; exit_code: number }>;

const nameKind = (exitCode: number): string => EXIT_CODES.find((kind) => kind.exitCode === exitCode)?.name ?? "FAILED";

export const createFailureDocument = ({ exitCode, code, message, hint }: Failure): FailureDocument => ({
  error: code ?? nameKind(exitCode),
  message,
  hint: hint ?? null,
  exit_code: exitCode,
});
