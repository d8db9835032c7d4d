import { z } from "zod";
import { GPU_COUNT, PRIORITY } from "../wire/limits.ts";

const MAX_IDS = 100;
const MAX_LINES = 1000;
const MAX_SEARCH = 200;

export const jobId = z.string().regex(/^[a-z0-9-]{1,64}$/, "a job id is 1 to 64 of a-z, 0-9 and -");

export const jobIds = z.array(jobId).min(1).max(MAX_IDS);

export const lineCount = (usual: number): z.ZodDefault<z.ZodInt> => z.int().min(0).max(MAX_LINES).default(usual);

export const search = z.string().min(1).max(MAX_SEARCH);

const variableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "no name of a variable");

export const variables = z.record(variableName, z.string());

export const gpuCount = z.int().min(0).max(GPU_COUNT.max);

export const priority = z.int().min(PRIORITY.min).max(PRIORITY.max);

export const shellLine = z.string().regex(/\S/, "the command is blank");

export const confirmation = z.string().optional().describe("that of the preview");
