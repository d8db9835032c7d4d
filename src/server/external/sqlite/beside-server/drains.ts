import { ok, type Problem, type Result } from "../../../../base/result.ts";
import type { Drains } from "../../../core/queue/drain.ts";
import { createDrains } from "../tables/settings-table.ts";
import { nudgeServer } from "./nudge.ts";
import { changeServerFolder } from "./server-folder.ts";

/** In force from the next start on, also while a server runs on the folder, which is told; what was before and what is now. */
export const changeDrains = (
  serverDir: string,
  change: (drains: Drains) => Drains,
): Result<Readonly<{ before: Drains; after: Drains }>, Problem> => {
  const changed = changeServerFolder(serverDir, (db) => {
    const table = createDrains(db);
    const alter = db.transaction(() => {
      const before = table.readDrains();
      const after = change(before);
      table.saveDrains(after);
      return { before, after };
    });
    return ok(alter.immediate());
  });
  if (changed.ok) nudgeServer(serverDir);
  return changed;
};
