import { z } from "zod";

export const ERROR_CODES = [
  "INVALID_REQUEST",
  "INVALID_JOB_STATE",
  "AUTHENTICATION_REQUIRED",
  "INVALID_CREDENTIALS",
  "FORBIDDEN",
  "FORBIDDEN_ORIGIN",
  "JOB_NOT_FOUND",
  "GPU_NOT_FOUND",
  "RESERVATION_NOT_FOUND",
  "ARTIFACT_NOT_FOUND",
  "NOT_FOUND",
  "METHOD_NOT_ALLOWED",
  "REQUEST_TIMEOUT",
  "PAYLOAD_TOO_LARGE",
  "UNSUPPORTED_MEDIA_TYPE",
  "RANGE_NOT_SATISFIABLE",
  "JOB_EXISTS",
  "GPU_RESERVED",
  "LIMIT_REACHED",
  "VALIDATION_ERROR",
  "TOO_MANY_REQUESTS",
  "GPU_ERROR",
  "UNAVAILABLE",
] as const;

export const errorDetailSchema = z.object({
  loc: z.array(z.union([z.string(), z.number()])),
  msg: z.string(),
  type: z.string(),
});

export const errorSchema = z
  .object({
    error: z.enum(ERROR_CODES),
    message: z.string(),
    status_code: z.int(),
    detail: z.array(errorDetailSchema).optional(),
    hint: z.string().optional(),
    limit: z.string().optional().meta({ description: "With `LIMIT_REACHED`: the setting that it is" }),
    max: z.number().optional().meta({ description: "With `LIMIT_REACHED`: its value" }),
    asked: z
      .number()
      .optional()
      .meta({ description: "With `LIMIT_REACHED`: what it would be with what was asked for" }),
  })
  .meta({ id: "Error" });

export type ErrorCode = (typeof ERROR_CODES)[number];
export type ErrorDetail = Readonly<z.output<typeof errorDetailSchema>>;
export type WireError = Readonly<z.output<typeof errorSchema>>;
