/** What the installation needs to know. `program` is this program's own file, null when it runs from its sources. `names` are the machine's names and addresses. */
export type Machine = Readonly<{
  isRoot: boolean;
  hasSystemd: boolean;
  program: string | null;
  missingPrograms: readonly string[];
  hasUser: boolean;
  groups: readonly string[];
  existingPaths: readonly string[];
  names: readonly string[];
  hasFirewall: boolean;
}>;
