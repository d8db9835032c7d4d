const PART_OF_AGE = 10_000;

/**
 * A function of the script outside the job's terminal, called each time it has looked how far the log is written: a line of
 * `log_times`, opened as 8, says that all before this byte was written by then, to the second. Of a log that does not grow nothing
 * is noted, and of an old job at most one line in a ten thousandth of its age.
 */
export const renderLogTimes = (): string => `noted=0 noted_at=0

note_time() {
  local now
  ((written == noted || SECONDS - noted_at <= SECONDS / ${PART_OF_AGE})) && return
  noted=$written noted_at=$SECONDS
  printf -v now '%(%s)T' -1
  printf '%010d %020d\\n' "$now" "$written" >&8
} 2> /dev/null`;
