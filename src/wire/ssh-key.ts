import { z } from "zod";

export const sshKeyAnswerSchema = z.object({ status: z.enum(["registered", "exists"]) }).meta({ id: "SshKeyAnswer" });

export type SshKeyAnswer = Readonly<z.output<typeof sshKeyAnswerSchema>>;
