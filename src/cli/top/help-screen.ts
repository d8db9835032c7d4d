import { type Line, span } from "./line.ts";

const KEYS: readonly (readonly [string, string])[] = [
  ["↑ ↓ or k j", "select a job; in a log, look back"],
  ["Page up, down", "a page at a time"],
  ["Home, End", "the first, the last; in a log, End follows it again"],
  ["Enter or l", "the log of the selected job, on the whole screen"],
  ["x", "kill a running job, take a queued one out; asks first"],
  ["p", "change the priority of a queued job"],
  ["Ctrl-L", "draw everything anew"],
  ["Ctrl-Z", "back to the shell for a while; fg comes back"],
  ["q", "back, and at last out; jobs go on"],
];

const KEY_WIDTH = 16;

export const renderHelp = (): readonly Line[] => [
  [span("Keys", "bold")],
  ...KEYS.map(([key, help]): Line => [span(`  ${key.padEnd(KEY_WIDTH)}`, "bold"), span(help)]),
];
