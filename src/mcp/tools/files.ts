import { z } from "zod";
import { ok } from "../../base/result.ts";
import type { WireFile, WireFiles } from "../../wire/files.ts";
import { jobId } from "../arguments.ts";
import { defineTool, type Facts, type Tool } from "../tool.ts";

const MAX_FILES = 1000;
const USUAL_FILES = 50;

const describeFile = ({ path, size, target }: WireFile): Facts =>
  target === null ? { path, bytes: size } : { path, link_to: target };

export const files: Tool = defineTool(
  {
    name: "files",
    title: "Files",
    description: "The files that a job made, or has made so far; the user fetches them with: nx pull ID",
    kind: "reads",
    input: z.strictObject({
      id: jobId,
      path: z.string().default("").describe("a folder of them"),
      limit: z.int().min(1).max(MAX_FILES).default(USUAL_FILES),
    }),
  },
  async ({ ask }, { id, path, limit }) => {
    const query = new URLSearchParams({ path, limit: String(limit) });
    const found = await ask.get<WireFiles>(`/v1/jobs/${id}/files?${query}`);
    if (!found.ok) return found;
    const { total_files, total_bytes } = found.value;
    return ok({ files: found.value.files.map(describeFile), total_files, total_bytes });
  },
);
