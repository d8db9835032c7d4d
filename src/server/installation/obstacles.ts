import type { Machine } from "../core/machine/installable-machine.ts";
import type { Settings } from "../core/settings/settings.ts";

/** Where `npm run build` puts the single file. */
export const BUILT_PROGRAM = "dist/nexus-server";

const findMissingGroup = (
  { groups }: Machine,
  settings: Pick<Settings, "supplementaryGroups"> | null,
): string | undefined => settings?.supplementaryGroups.find((group) => !groups.includes(group));

/** What keeps a server from being installed, in the order in which it is to be mended. */
export const listObstacles = (
  machine: Machine,
  settings: Pick<Settings, "supplementaryGroups"> | null,
): readonly string[] => {
  const { isRoot, hasSystemd, program, missingPrograms } = machine;
  const group = findMissingGroup(machine, settings);
  return [
    isRoot ? null : "this needs root: run it with sudo",
    hasSystemd ? null : "this machine is not run by systemd: start nexus-server by other means",
    program === null
      ? `install needs the single-file program: npm run build, then sudo ${BUILT_PROGRAM} install`
      : null,
    missingPrograms.length === 0
      ? null
      : `these programs are missing: apt-get install ${missingPrograms.join(" ")}, then try again`,
    group === undefined ? null : `supplementary_groups names "${group}", a group that this machine does not have`,
  ].filter((obstacle) => obstacle !== null);
};
