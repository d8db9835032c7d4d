import { z } from "zod";
import { refineBy } from "../files.ts";
import { describeLinkMistake, describeLinksMistake, describeTargetMistake } from "./link-paths.ts";

const MOST_LINKS = 100;

const linkSchema = z
  .object({
    path: z.string().superRefine(refineBy(describeLinkMistake)).meta({ pattern: "^[^/\\u0000][^\\u0000]*$" }),
    target: z
      .string()
      .superRefine(refineBy(describeTargetMistake))
      .meta({ pattern: "^/[^\\u0000]*$", description: "An absolute path on the server's machine" }),
  })
  .meta({ id: "Link" });

export const linksSchema = z
  .array(linkSchema)
  .max(MOST_LINKS)
  .superRefine(refineBy((links) => describeLinksMistake(links.map(({ path }) => path))))
  .meta({
    description:
      "Links that are made in the job's folder before its command, by paths from its top. The job fails before its command where its code has something of that name, or nothing is at the target",
  });
