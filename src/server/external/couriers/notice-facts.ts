import type { Parcel } from "../../core/notices/courier.ts";
import { listSecrets, maskJob, maskSecrets } from "../../core/notices/mask-secrets.ts";
import type { NoticeFacts } from "../../core/notices/notice-text.ts";
import { cutRecorder, toPlainLines } from "../../core/notices/plain-text.ts";

const LOG_LINES = 20;
const RECORDER_LINES = 3;

/** The same however often a notice is sent, and that of no other notice. */
export const nameNotice = ({ job, message }: Parcel): string =>
  `nexus-${job.id}-${message.channel}-${message.event}-${message.createdAt}`;

/** The last 20 lines that the job printed, with its secrets masked. */
export const readLogLines = async (
  { readLog }: Pick<Parcel, "readLog">,
  known: readonly string[],
): Promise<readonly string[]> => {
  const log = cutRecorder(new TextDecoder().decode(await readLog(LOG_LINES + RECORDER_LINES)));
  return log === "" ? [] : toPlainLines(maskSecrets(log, known)).slice(-LOG_LINES);
};

/** What a message is made from, with the job's secrets masked. */
export const readNoticeFacts = async (parcel: Parcel): Promise<NoticeFacts> => {
  const { job, message, secrets, logUrl, batch } = parcel;
  const known = listSecrets(secrets);
  const logLines = await readLogLines(parcel, known);
  return { job: maskJob(job, known), event: message.event, logLines, logUrl, batch };
};
