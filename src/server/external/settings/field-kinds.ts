import { z } from "zod";
import { parseDuration } from "../../../base/durations.ts";
import { parseSize } from "../../../base/sizes.ts";
import { LOOPBACK_TRUST, type LoopbackTrust } from "../../core/access/loopback.ts";

import type { MockGpu } from "../../core/settings/settings.ts";

type Kind<Value> = z.ZodType<Value>;

const DEFAULT_MOCK_GPUS = 2;
const MAX_MOCK_GPUS = 64;
const MAX_SOCKET_BYTES = 107;

const notBlank = z.string().regex(/\S/);

const toNumber = (raw: unknown): unknown => (typeof raw === "string" && raw.trim() !== "" ? Number(raw) : raw);

const splitList = (raw: unknown): unknown =>
  typeof raw === "string" ? raw.split(",").flatMap((part) => (part.trim() === "" ? [] : [part.trim()])) : raw;

const toMockGpus = (raw: unknown): unknown => {
  if (raw === true || raw === "true" || raw === "") return DEFAULT_MOCK_GPUS;
  return raw === false || raw === "false" ? 0 : toNumber(raw);
};

const MOCK_KIND = /^(\d{1,2})x(?:(MIG)|(\S+))$/;
const INSTANCES = 7;
const INSTANCE_MIB = 10_240;

const parseMockKind = (text: string): readonly MockGpu[] | null => {
  const [, count, mig, size = ""] = MOCK_KIND.exec(text.trim()) ?? [];
  const isMig = mig !== undefined;
  const memoryMib = isMig ? INSTANCE_MIB : parseSize(size);
  if (count === undefined || memoryMib === null || memoryMib === 0) return null;
  return Array.from({ length: Number(count) * (isMig ? INSTANCES : 1) }, () => ({ memoryMib, isMig }));
};

const parseMockKinds = (text: string): readonly MockGpu[] | null => {
  const kinds = text.split(",").map(parseMockKind);
  const gpus = kinds.flatMap((kind) => kind ?? []);
  return kinds.includes(null) || gpus.length === 0 || gpus.length > MAX_MOCK_GPUS ? null : gpus;
};

const FORMER_TRUST: Readonly<Record<string, LoopbackTrust>> = {
  true: "owner",
  1: "owner",
  false: "nobody",
  0: "nobody",
};

const countBytes = (text: string): number => new TextEncoder().encode(text).length;

export const TEXT: Kind<string> = notBlank.describe("be a text that is not empty");

export const ADDRESS: Kind<string> = z
  .string()
  .regex(/^https?:\/\/[^\s/]+/)
  .transform((address) => address.replace(/\/+$/, ""))
  .describe("be an address that begins with https:// or http://");

export const LIST: Kind<readonly string[]> = z
  .preprocess(splitList, z.array(z.string()))
  .describe("be a list of texts");

export const SWITCH: Kind<boolean> = z
  .union([z.boolean(), z.stringbool({ truthy: ["true", "1"], falsy: ["false", "0"] })])
  .describe("be true or false");

export const SOCKET: Kind<string> = notBlank
  .startsWith("/")
  .refine((path) => countBytes(path) <= MAX_SOCKET_BYTES)
  .describe(`be a path that begins with / and has at most ${MAX_SOCKET_BYTES} bytes`);

export const LOOPBACK: Kind<LoopbackTrust> = z
  .preprocess((raw) => FORMER_TRUST[String(raw)] ?? raw, z.enum(LOOPBACK_TRUST))
  .describe(`be one of ${LOOPBACK_TRUST.join(", ")}`);

const mockKinds = z
  .string()
  .transform(parseMockKinds)
  .refine((gpus) => gpus !== null);

export const MOCK_GPUS: Kind<number | "auto" | readonly MockGpu[]> = z
  .union([z.literal("auto"), z.preprocess(toMockGpus, z.int().min(0).max(MAX_MOCK_GPUS)), mockKinds])
  .describe(`be auto, true, false or a whole number from 0 to ${MAX_MOCK_GPUS}, or kinds such as 2x24G,1xMIG`);

export const whole = (min: number, max: number): Kind<number> =>
  z.preprocess(toNumber, z.int().min(min).max(max)).describe(`be a whole number from ${min} to ${max}`);

export const number = (min: number, max: number): Kind<number> =>
  z.preprocess(toNumber, z.number().min(min).max(max)).describe(`be a number from ${min} to ${max}`);

export const DURATION: Kind<string> = z
  .string()
  .refine((text) => (parseDuration(text) ?? 0) > 0)
  .describe("be a time such as 45m, 2h, 1d or 1h30m");

export const choice = <Name extends string>(names: readonly [Name, ...Name[]]): Kind<Name> =>
  z.enum(names).describe(names.length === 1 ? `be "${names[0]}"` : `be one of ${names.join(", ")}`);
