import { VERSION } from "../../src/base/version.ts";
import type { World } from "../support/world.ts";

const padAs = (text: string, replaced: string): string =>
  replaced.endsWith("  ") ? text.padEnd(replaced.length) : text;

const hideFigures = (line: string): string => line.replace(/\d+(\.\d+)?/g, "0");

const hideHealth = (text: string): string =>
  text
    .replace(/^Warning: the machine is .*\n/gm, "")
    .replace(/^(healthy|busy|disk nearly full|unhealthy)( \(\d+ of 100\))?$/gm, "healthy (0 of 100)")
    .replace(/^(disk .*free) \([^)]*\)$/gm, "$1")
    .replace(/^(disk|cpu|memory) .*%.*$/gm, hideFigures);

const hideTimes = (text: string): string =>
  text
    .replace(/\d{4}-\d\d-\d\d(?=\s+\d\d:\d\d)/g, "2000-01-01")
    .replace(/(2000-01-01\s+)\d\d:\d\d/g, "$100:00")
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, "2000-01-01T00:00:00Z")
    .replace(/\b\d\d:\d\d:\d\d\b/g, "00:00:00")
    .replace(/\b(\d+m )?\d+s\b( {2,})?/g, (found) => padAs("0s", found));

const hidePlaces = (text: string, world: World): string =>
  text.replaceAll(world.folder, "/folder").replaceAll(new URL(world.url).port, "00000").replaceAll(VERSION, "0.0.0");

const hideUmask = (text: string): string => text.replace(/"umask": "\d+"/g, '"umask": "0022"');

const hideIds = (text: string, names: ReadonlyMap<string, string>): string =>
  [...names].reduce((hidden, [id, name]) => hidden.replaceAll(id, name), text);

/** Times, ids, paths, the port, versions and figures of the machine are others each time; widths stay. */
export const hideVarying = (text: string, world: World, names: ReadonlyMap<string, string>): string =>
  hideHealth(hideTimes(hideUmask(hidePlaces(hideIds(text, names), world))))
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
