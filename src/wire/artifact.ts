import { z } from "zod";

export const artifactUploadSchema = z.object({ data: z.string() }).meta({ id: "ArtifactUpload" });

export const artifactCheckSchema = z
  .object({ exists: z.boolean(), artifact_id: z.string().nullable() })
  .meta({ id: "ArtifactCheck" });

export type ArtifactUpload = Readonly<z.output<typeof artifactUploadSchema>>;
export type ArtifactCheck = Readonly<z.output<typeof artifactCheckSchema>>;
