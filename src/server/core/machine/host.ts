import type { Health } from "../../../wire/node.ts";

export type HealthFigures = Pick<Health, "disk" | "network" | "system" | "gpus" | "warnings">;

/** Figures cached for as long as the contract says; never takes over 2 s to answer. */
export type HostStats = Readonly<{
  read: (refresh: boolean) => Promise<HealthFigures>;
}>;

/** `program` is the name that the kernel has for it, cut to 15 characters; `isOther`: it is of another user than the server. */
export type ProcessOwner = Readonly<{ user: string; program: string; isOther?: true }>;

export type FindProcessOwner = (pid: number) => Promise<ProcessOwner | null>;
