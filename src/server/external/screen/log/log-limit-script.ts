type LogShares = Readonly<{ fullBytes: number; headBytes: number; tailBytes: number }>;

const BYTES_PER_GB = 1e9;
const BLOCK_BYTES = 4096;
const MOST_BYTES_PER_MS = 500_000;
const LEAST_PAUSE_MS = 100;
const MOST_PAUSE_MS = 5000;
const BEYOND_END = 2 ** 30;
const ENDLESS = 2 ** 62;

const divide = (bytes: number, by: number): number => Math.floor(bytes / by / BLOCK_BYTES) * BLOCK_BYTES;

const shareLog = (maxLogGb: number): LogShares => {
  const bytes = maxLogGb * BYTES_PER_GB;
  const spareBytes = Math.min(divide(bytes, 8), MOST_BYTES_PER_MS * LEAST_PAUSE_MS);
  return { fullBytes: divide(bytes, 1) - spareBytes, headBytes: divide(bytes, 4), tailBytes: divide(bytes, 2) };
};

/**
 * Functions of the script outside the job's terminal, which waits for the recorder, with its pid in `recorder`. They look at how
 * far the recorder has written, in the time in which it could not write what is left at 500 MB a second, and start no process for
 * that. They hold its file, as it may end at any moment. Of a log with more than its full size the first quarter of the limit and
 * at least the newest half of it stay. What is to be left out is written to `log_cut` before its blocks are given back to the disk,
 * so that no reader takes a hole for the log; the places of all else stay as they are.
 */
export const renderLogLimit = (maxLogGb: number): string => {
  const { fullBytes, headBytes, tailBytes } = shareLog(maxLogGb);
  return `log_full=${fullBytes} cut_from=0 cut_to=0 written=0 log= log_position= pause=

measure_log() {
  local path
  if [[ ! $log ]]; then
    for path in "/proc/$recorder/fd/"*; do
      [[ -f $path ]] && exec 7<> "$path" && log=/proc/self/fd/7 log_position=/proc/$recorder/fdinfo/\${path##*/}
    done
  fi
  [[ $log ]] && read -r _ written < "$log_position"
} 2> /dev/null

measure_ended_log() {
  log=output.log
  [[ -f $log && ! -L $log ]] && written=$(stat -c %s "$log")
}

leave_out() {
  local record
  printf -v record '%020d %020d\\n' "$1" "$2"
  [[ ! -L log_cut ]] && printf '%s%s' "$record" "$record" 1<> log_cut && fallocate --punch-hole --offset "$1" --length "$(($2 - $1))" "$log" &&
    cut_from=$1 cut_to=$2
}

limit_log() {
  local kept=$((written - cut_to + cut_from))
  if ((kept > log_full)); then
    if fallocate --punch-hole --offset "$((written + ${BEYOND_END}))" --length ${BLOCK_BYTES} "$log"; then
      leave_out ${headBytes} "$(((written - ${tailBytes}) / ${BLOCK_BYTES} * ${BLOCK_BYTES}))"
    else
      printf '%s\\n' 'The log can not be kept within max_log_gb: its file system takes nothing out of a file' >&2
      log_full=${ENDLESS}
    fi
    kept=$((written - cut_to + cut_from))
  fi
  local ms=$(((log_full - kept) / ${MOST_BYTES_PER_MS}))
  ((ms < ${LEAST_PAUSE_MS} && (ms = ${LEAST_PAUSE_MS})))
  ((ms > ${MOST_PAUSE_MS} && (ms = ${MOST_PAUSE_MS})))
  printf -v pause '%d.%03d' "$((ms / 1000))" "$((ms % 1000))"
}

is_near_limit() {
  ((log_full - written + cut_to - cut_from < ${MOST_BYTES_PER_MS * LEAST_PAUSE_MS}))
}`;
};
