import { quoteWord } from "../../../base/quote-word.ts";
import { type JobSpec, type Launch, USUAL_UMASK } from "../../core/jobs/job.ts";
import { deriveLaunchToken } from "../../core/jobs/launch-token.ts";
import type { Environment } from "../../core/store.ts";
import { renderCommand } from "./command/render-command.ts";
import { renderDevices } from "./command/render-devices.ts";
import { renderJobrc } from "./command/render-jobrc.ts";
import { renderLinks } from "./link-script.ts";
import { renderLogLimit } from "./log/log-limit-script.ts";
import { renderLogTimes } from "./log/log-times-script.ts";

/** Under this prefix a job's variables pass through the environment of its session; the inner script takes it off. */
export const PASSED_PREFIX = "NEXUS_PASS_";

const USUAL_MAX_LOG_GB = 10;
const FEW_PIDS = 300;

const renderInsideTerminal = (): string => `has_company() {
  local path paths=() line name
  company=()
  read -r line < /proc/loadavg
  for ((path = $$ + 1; SECONDS < 2 && path <= \${line##* } && path < $$ + ${FEW_PIDS}; path += 1)); do
    paths+=("/proc/$path/stat")
  done
  ((\${#paths[@]} > 0 && path < $$ + ${FEW_PIDS})) || paths=(/proc/[0-9]*/stat)
  for path in "\${paths[@]}"; do
    line=
    IFS= read -r -d '' line < "$path"
    set -- \${line##*) }
    [[ \${4-} == "$$" && $1 != Z && $path != /proc/$$/stat ]] || continue
    name=\${line#*\\(}
    name=\${name%\\) *}
    company+=("\${line%% *} \${name//[[:cntrl:]]/?}")
  done
  ((\${#company[@]} > 0))
}

note_company() {
  has_company || return
  sleep 0.05
  has_company && rm -f left_running && printf '%s\\n' "\${company[@]}" 1<> left_running
}

take_outer_size() {
  local size
  while size=$(stty size < "/proc/$PPID/fd/0") && [[ $size != "$(stty size)" ]]; do
    stty rows "\${size% *}" cols "\${size#* }" || break
  done
}

stay_inside_terminal() {
  exec 3>&2 2>/dev/null
  take_outer_size
  bash job_commands.sh 2>&3 3>&-
  local code=$?
  [[ -s jobrc_line ]] && ((code == 0)) && code=1
  [[ $terminated ]] || note_company
  local wait=0.05
  while [[ $terminated ]] && has_company; do
    sleep "$wait"
    wait=0.3
  done
  exit "$code"
}`;

const renderOutsideTerminal = (token: string): string => `claim_launch() {
  local boot_id
  read -r boot_id < /proc/sys/kernel/random/boot_id
  set -C
  { echo "$$ $PPID $boot_id" > claim-${token}; } 2>/dev/null || exit 1
  set +C
}

record_exit_code() {
  [[ ! -L pending && ! -L pending/exit_code ]] && echo "$1" 1<> pending/exit_code && mv -fT pending/exit_code exit_code
}

start_recorder() {
  exec 4>&1 6<&0
  { exec 8>> log_times; } 2> /dev/null
  exec 5< <(SHELL=$BASH exec setpriv --pdeathsig KILL script -q -e -f -c '. ./run.sh inside' output.log \\
    2>&1 >&4 <&6 4>&- 6<&- 8>&-)
  recorder=$!
  exec 4>&- 6<&-
}

await_recorder() {
  local line status
  limit_log
  for ((;;)); do
    IFS= read -r -t "$pause" -u 5 line
    status=$?
    report+=$line
    ((status == 0)) && report+=$'\\n'
    ((status == 0 || status > 128)) || break
    measure_log && { note_time; limit_log; }
  done
  is_near_limit && measure_ended_log && limit_log
  wait "$recorder"
}

stay_outside_terminal() {
  exec 2>> error.log
  local report= code=0 recorder
  if [[ ! $terminated ]]; then
    start_recorder
    await_recorder
    code=$?
  fi
  [[ $report ]] && printf '%s\\n' "$report" >&2
  if [[ -e started && ! $terminated ]]; then record_exit_code "$code"; else rm -f pending/exit_code; fi
}`;

/**
 * Runs in the job's folder, once in the session (it claims the launch, or ends) and once more inside the terminal that
 * `script` records. Inside, it outlives a TERM until the job's other processes there have ended, so that they keep
 * their terminal while they clean up. Before the terminal goes, and some of them with it, it writes down those that the command left
 * running; those given a pid since are all that there can be while that is a short time ago. It takes the size of the terminal outside, as the recorder misses a change of that
 * while it starts. What the recorder reports passes through a variable: on a full disk it could not
 * write it, and would end with 1. The recorder dies with the session, and so the terminal hangs up. While it runs, the log is kept
 * within `maxLogGb` (10⁹ bytes). An exit code is recorded only if the command ended before a TERM.
 */
export const renderOuterScript = (
  launch: Pick<Launch, "startedAt">,
  maxLogGb: number = USUAL_MAX_LOG_GB,
): string => `${renderInsideTerminal()}

${renderLogTimes()}

${renderLogLimit(maxLogGb)}

${renderOutsideTerminal(deriveLaunchToken(launch))}

terminated=
if [[ \${1-} == inside ]]; then
  trap 'terminated=1' TERM
  stay_inside_terminal
else
  claim_launch
  trap 'terminated=1' TERM
  stay_outside_terminal
fi
`;

/** What unpacking an artifact may take: `gib` in all and for each file, `seconds` for all of it. */
export type UnpackLimits = Readonly<{ gib: number; entries: number; seconds: number }>;

const UNPACK_LIMITS: UnpackLimits = { gib: 20, entries: 1_000_000, seconds: 900 };

const KIB_PER_GIB = 1024 * 1024;
const RECORDS_PER_GIB = KIB_PER_GIB / 10;
const RECORDS_PER_LOOK = 1024;

const renderUnpacking = ({ gib, entries, seconds }: UnpackLimits): string => `  has_grown() {
    printf '%s' 'if [ "$TAR_CHECKPOINT" -gt ${Math.ceil(gib * RECORDS_PER_GIB)} ]; then kill "$PPID"; fi'
  }
  unpack() {
    set -o pipefail
    ulimit -f ${Math.ceil(gib * KIB_PER_GIB)}
    timeout -s KILL ${seconds} tar --extract --file=artifact --verbose --directory=repo --no-same-owner --no-same-permissions \\
      --no-overwrite-dir --anchored --wildcards --wildcards-match-slash --exclude='/*' --exclude='..' --exclude='../*' \\
      --exclude='*/..' --exclude='*/../*' --checkpoint=${RECORDS_PER_LOOK} --checkpoint-action=exec="$(has_grown)" |
      sed -n '${entries + 1}q4'
  }
  reason=$(unpack 2>&1)
  case $? in
    0) ;;
    4) fail 'Could not unpack the artifact: it has more than ${entries} files and folders' ;;
    124 | 137) fail 'Could not unpack the artifact: it takes longer than ${seconds} s' ;;
    143 | 153) fail 'Could not unpack the artifact: it unpacks to more than ${gib} GiB' ;;
    *) fail "Could not unpack the artifact: $(explain "$reason")" ;;
  esac
`;

const FINISHING = `  reason=$(clean 2>&1) || fail "Could not clean the artifact: \${reason%%$'\\n'*}"
  rm -f artifact modes.new
`;

const SAY_NOT_STARTED = "  : > artifact || exit 1\n";

const PRINT_FILES = `! -type d -printf '%y %i %s %T@ %C@ %p\\0'`;

const CLEANING = `  clean() {
    find repo \\( -type b -o -type c -o -type p -o -type s \\) -delete -o \\
      \\( ! -type l -perm /7000 -exec chmod a-st {} + -fprintf modes.new . , ${PRINT_FILES} \\) > manifest || return
    [[ -s modes.new ]] && { find repo ${PRINT_FILES} > manifest || return; }
    printf 'end\\0' >> manifest
  }
`;

const LOOKS = 400;

const START = "{ : > started; } 2>> error.log || exit 1";

const START_LATER_THAN_MANIFEST = `  ${START}
  for ((look = 1; look <= ${LOOKS}; look += 1)); do
    [[ started -nt manifest ]] && break
    ((look > ${LOOKS / 2})) && sleep 0.01
    : > started
  done
`;

const FAIL = `  explain() {
    local line=\${1%%$'\\n'*}
    printf '%s' "\${line/Wrote only/No space left on device, wrote only}"
  }
  fail() {
    rm -rf repo; rm -rf artifact
    printf '%s\\n' "$1" | tee -a error.log
    exit 1
  }
`;

const renderEntry = (workdir: string | null): string => {
  if (workdir === null) return "";
  const folder = quoteWord(workdir);
  return `\nmkdir -p -- ${folder} && cd -- ./${folder} || exit 1`;
};

type Filled = Pick<JobSpec, "artifactId" | "links" | "code">;
type Commanded = Filled & Pick<JobSpec, "command" | "jobrc" | "umask" | "inputId">;

const renderFilling = ({ artifactId, links }: Filled, limits: UnpackLimits): string => {
  if (artifactId === null && links.length === 0) return START;
  const unpacking = artifactId === null ? SAY_NOT_STARTED : renderUnpacking(limits);
  return `(\n${FAIL}${CLEANING}${unpacking}${renderLinks(links)}${FINISHING}${START_LATER_THAN_MANIFEST}) || exit 1`;
};

const renderPreparation = (job: Filled, limits: UnpackLimits): string => `umask 022
${renderFilling(job, limits)}
cd ./repo || exit 1${renderEntry(job.code.workdir)}`;

const RESTORE_ENVIRONMENT = `unset -v SCREENDIR
set -- "\${!${PASSED_PREFIX}@}"
while [ $# -gt 0 ]; do
  export "\${1#${PASSED_PREFIX}}=\${!1}"
  unset -v "$1"
  shift
done 2>/dev/null`;

const renderImports = (root: string | undefined): string =>
  root === undefined
    ? ""
    : `[[ \${PYTHONPATH-} ]] && PYTHONPATH=$(
  root=${quoteWord(root.replace(/\/+$/, ""))} repo=\${NEXUS_OUTPUT_DIR%/*}/repo
  printf '%s:' "$PYTHONPATH" | while IFS= read -r -d : entry; do
    copy=$repo\${entry#"$root"}
    [[ $entry/ == "$root"/* && $entry/ != */../* && ( -e $copy || ! -e $entry ) ]] && entry=$copy
    printf '%s:' "$entry"
  done
) && PYTHONPATH=\${PYTHONPATH%:}
`;

const TAKE_INPUT = `exec < "$nexus_dir/input" || exit 1
rm -f "$nexus_dir/input"`;

const renderSurroundings = ({ jobrc, umask = USUAL_UMASK, inputId }: Commanded, devices: Environment): string => {
  const hasJobrc = jobrc !== null && jobrc.trim() !== "";
  const sourced = hasJobrc ? [renderJobrc(jobrc), renderDevices(devices, "jobrc")] : [];
  const parts = [`umask ${umask}`, renderDevices(devices, "variables"), ...sourced, ...(inputId ? [TAKE_INPUT] : [])];
  return parts.filter((text) => text !== "").join("\n");
};

/** Runs in the job's folder, inside its terminal; not at all once `terminated` is there, so that no TERM comes too early for it. */
export const renderCommandScript = (
  job: Commanded,
  { devices = {}, limits = UNPACK_LIMITS }: Readonly<{ devices?: Environment; limits?: UnpackLimits }> = {},
): string =>
  `[[ -e terminated ]] && exit 143
nexus_dir=$PWD
printf '%s\\n' ${quoteWord(job.command)}
${renderPreparation(job, limits)}
${RESTORE_ENVIRONMENT}
${renderImports(job.code.root)}${renderSurroundings(job, devices)}
unset -v nexus_dir
${renderCommand(job.command)}`;
