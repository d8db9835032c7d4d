/** Such as `ENOENT`; empty where a thrown value has none. */
export const readErrorCode = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "";
