/** What the server has just done: the moments of a migration, a write, a restart, a launch, an end and a kill that differ on disk. */
export type Step =
  | "migration made"
  | "migration committed"
  | "change made"
  | "change committed"
  | "jobs probed"
  | "start written"
  | "files prepared"
  | "screen spawned"
  | "launch claimed"
  | "launch written"
  | "end seen"
  | "end written"
  | "file moved"
  | "files moved"
  | "files accounted for"
  | "repo removed"
  | "halt written"
  | "warning written"
  | "kill decided"
  | "processes terminated"
  | "processes killed"
  | "screens ended";

/** Is told of each step. No server has one but in tests, where it may die there. */
export type OnStep = (step: Step) => void;
