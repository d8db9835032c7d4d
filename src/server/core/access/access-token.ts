import type { AgentLimits } from "../jobs/agent-limits.ts";
import type { Role } from "./access.ts";

/** What is kept of a token beside its digest; times in Unix seconds, `expiresAt` null for one that never does. `limits` are those of an agent, null for the usual ones. */
export type AccessToken = Readonly<{
  name: string;
  role: Role;
  createdAt: number;
  expiresAt: number | null;
  limits?: AgentLimits | null;
}>;

export const isExpired = ({ expiresAt }: AccessToken, now: number): boolean => expiresAt !== null && expiresAt <= now;

const NAME = /^[^\p{Cc}\p{Zl}\p{Zp}]{1,64}$/u;

/** Whether it can stand for somebody in a job, a header and a line of the log. */
export const isUserName = (name: string): boolean => NAME.test(name);
