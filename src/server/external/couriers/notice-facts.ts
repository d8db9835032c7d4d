import { listSecrets, maskSecrets } from "../../../base/secret-names.ts";
import type { JobParcel, Parcel } from "../../core/notices/courier.ts";
import { maskJob } from "../../core/notices/mask-job.ts";
import type { NoticeFacts } from "../../core/notices/notice-text.ts";
import { cutRecorder, toPlainLines } from "../../core/notices/plain-text.ts";

const LOG_LINES = 20;
const RECORDER_LINES = 3;

const nameSubject = ({ subject, createdAt }: Parcel): string => {
  switch (subject.kind) {
    case "job":
      return subject.job.id;
    case "batch":
      return subject.lastJob.id;
    case "machine":
      return `machine-${Math.floor(createdAt)}`;
  }
};

/** The same however often a notice is sent, and that of no other notice. */
export const nameNotice = (parcel: Parcel): string =>
  `nexus-${nameSubject(parcel)}-${parcel.channel}-${parcel.subject.event}-${parcel.createdAt}`;

/** The last 20 lines that the job printed, with its secrets masked. */
export const readLogLines = async (
  { readLog }: Pick<JobParcel["subject"], "readLog">,
  known: readonly string[],
): Promise<readonly string[]> => {
  const log = cutRecorder(new TextDecoder().decode(await readLog(LOG_LINES + RECORDER_LINES)));
  return log === "" ? [] : toPlainLines(maskSecrets(log, known)).slice(-LOG_LINES);
};

/** What a message is made from, with the job's secrets masked. */
export const readNoticeFacts = async ({ subject, secrets }: Parcel): Promise<NoticeFacts> => {
  const known = listSecrets(secrets);
  switch (subject.kind) {
    case "job":
      return { ...subject, job: maskJob(subject.job, known), logLines: await readLogLines(subject, known) };
    case "batch":
      return { ...subject, lastJob: maskJob(subject.lastJob, known) };
    case "machine":
      return subject;
  }
};
