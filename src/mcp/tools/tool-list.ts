import type { Tool } from "../tool.ts";
import { cancel } from "./cancel.ts";
import { files } from "./files.ts";
import { jobs } from "./jobs.ts";
import { logs } from "./logs.ts";
import { redo } from "./redo.ts";
import { status } from "./status.ts";
import { submit } from "./submit.ts";
import { usage } from "./usage.ts";
import { wait } from "./wait.ts";
import { why } from "./why.ts";

export const TOOLS: readonly Tool[] = [status, submit, wait, logs, jobs, why, cancel, redo, files, usage];
