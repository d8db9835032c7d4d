import type { Parcel } from "../core/courier.ts";
import { listSecrets, maskJob, maskSecrets } from "../core/mask-secrets.ts";
import type { NoticeFacts } from "../core/notice-text.ts";
import { toPlainLines } from "../core/plain-text.ts";

const LOG_LINES = 20;

/** The same however often a notice is sent, and that of no other notice. */
export const nameNotice = ({ job, message }: Parcel): string =>
  `nexus-${job.id}-${message.channel}-${message.event}-${message.createdAt}`;

/** What a message is made from, with the job's secrets masked. */
export const readNoticeFacts = async ({
  job,
  message,
  secrets,
  readLog,
  logUrl,
  batch,
}: Parcel): Promise<NoticeFacts> => {
  const known = listSecrets(secrets);
  const log = maskSecrets(new TextDecoder().decode(await readLog(LOG_LINES)), known);
  return {
    job: maskJob(job, known),
    event: message.event,
    logLines: toPlainLines(log).slice(-LOG_LINES),
    logUrl,
    batch,
  };
};
