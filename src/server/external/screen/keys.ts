/**
 * Commands of screen after which Ctrl-A only detaches, shows what has scrolled away, or sends Ctrl-A itself: no key opens
 * another window, writes a file, ends the session or asks for a command.
 */
export const KEYS: readonly string[] = [
  "unbindall",
  "bind d detach",
  "bind ^d detach",
  "bind a meta",
  "bind [ copy",
  "bind ^[ copy",
  "bufferfile /dev/null",
];
