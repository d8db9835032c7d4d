/** Lines of a file that belongs to somebody else, such as a shell's start file. */
export type OwnLines = Readonly<{ path: string; lines: readonly string[] }>;

/** Files and folders in a folder in which other things may lie as well. */
export type OwnNames = Readonly<{ folder: string; names: readonly string[] }>;

/**
 * What a server of a user's own, and `nx` beside it, have put where, as far as it is there. `pid` is that of the server, null
 * while none runs. `state` is the server's, `settings` those of `nx`, `completion` its scripts and `lines` what reads them, or lets
 * keys in. `foreign` are whole paths of what lies in the folders of both and is not theirs. `programs` are where this runs from, and links to it.
 */
export type OwnTraces = Readonly<{
  pid: number | null;
  state: OwnNames;
  settings: OwnNames;
  completion: readonly OwnNames[];
  lines: readonly OwnLines[];
  foreign: readonly string[];
  programs: readonly string[];
}>;
