import type { JobRequestInput } from "../../src/wire/job.ts";

export type Form = "pipe" | "terminal";

/** What is typed, as text or as a key's name, once the screen shows something. */
export type Answer = Readonly<{ see: RegExp; text?: string; key: string }>;

/** A job that is there before the scene, known by a name of an id's width; `isExpiring`: its files go soon. */
export type Part = Readonly<{
  name: string;
  status: string;
  request: Partial<JobRequestInput> & { command: string };
  isExpiring?: boolean;
}>;

/** A line as a user types it; `{name}` stands for the id of that job. */
export type Scene = Readonly<{
  name: string;
  line: string;
  only?: Form;
  columns?: number;
  jobs?: readonly Part[];
  answers?: readonly Answer[];
}>;

const YES: readonly Answer[] = [{ see: /\[(y\/N|Y\/n)\]/, text: "y", key: "Enter" }];
const NO: readonly Answer[] = [{ see: /\[(y\/N|Y\/n)\]/, text: "n", key: "Enter" }];

const DETACH: readonly Answer[] = [
  { see: /^epoch 1$/m, key: "C-a" },
  { see: /^epoch 1$/m, key: "d" },
];

const LONG_COMMAND =
  "python3 train.py --config configs/a-long-name.yaml --lr 0.0003 --weight-decay 0.05 --note '日本語 🙂'";

const ENDED: readonly Part[] = [
  { name: "good-1", status: "completed", request: { command: "echo epoch 1; echo epoch 2", num_gpus: 0 } },
  { name: "fail-3", status: "failed", request: { command: "echo no such file; exit 3", num_gpus: 1 } },
];

const MAKING: Part = {
  name: "made-4",
  status: "completed",
  request: {
    command: `mkdir runs __pycache__; echo 1 > runs/a; echo 22 > "$(printf 'b\\033[31m')"; ln -s runs/a last; touch __pycache__/a.pyc`,
    num_gpus: 0,
  },
};

const BUSY: readonly Part[] = [
  {
    name: "train1",
    status: "running",
    request: { command: "echo epoch 1; sleep 300", env: { SEED: "1" }, links: [{ path: "data", target: "/etc" }] },
  },
  { name: "train2", status: "running", request: { command: `sleep 300; ${LONG_COMMAND}`, user: "a-colleague" } },
];

const TRIED: Part = {
  name: "tried1",
  status: "completed",
  request: { command: "true", num_gpus: 0, time_limit_s: 7200, warn_s: 300, retry: { count: 3 } },
};

const WAITING: readonly Part[] = [
  { name: "wait-1", status: "queued", request: { command: "python3 train.py --seed 1", priority: 5 } },
  { name: "wait-2", status: "queued", request: { command: LONG_COMMAND, num_gpus: 2, user: "a-colleague" } },
];

const CPU_JOB: Part = { name: "cpu-01", status: "running", request: { command: "sleep 301", num_gpus: 0 } };

const EMPTY_SERVER: readonly Scene[] = [
  { name: "status-empty", line: "nx" },
  { name: "queue-empty", line: "nx queue" },
  { name: "history-empty", line: "nx history" },
  { name: "logs-none", line: "nx logs" },
  { name: "kill-none", line: "nx kill" },
  { name: "wait-none", line: "nx wait" },
  { name: "running-empty", line: "nx running" },
  { name: "blacklist-empty", line: "nx blacklist" },
  { name: "health", line: "nx health" },
];

const MISTAKES: readonly Scene[] = [
  { name: "help", line: "nx help" },
  { name: "help-of-a-verb", line: "nx why --help" },
  { name: "verb-misspelt", line: "nx qeue" },
  { name: "verb-of-another", line: "nx cancel k3f9ab" },
  { name: "verb-of-another-misspelt", line: "nx cancle k3f9ab", only: "pipe" },
  { name: "flag-of-another", line: "nx add --gres gpu:2 true" },
  { name: "flag-misspelt", line: "nx queue --usr ada" },
  { name: "get-without-id", line: "nx get" },
  { name: "get-unknown", line: "nx get nosuch" },
  { name: "get-unknown-as-json", line: "nx get nosuch --json" },
  { name: "verb-misspelt-as-json", line: "nx qeue --json", only: "pipe" },
  { name: "help-as-json", line: "nx help version --json", only: "pipe" },
  { name: "why-unknown", line: "nx why nosuch" },
  { name: "edit-without-change", line: "nx edit nosuch" },
  { name: "notify-without-test", line: "nx notify" },
  { name: "notify-no-channel", line: "nx notify test" },
  { name: "notify-unknown", line: "nx notify test pigeon" },
  { name: "remove-without-id", line: "nx remove" },
  { name: "server-away", line: "NS_SERVER_DIR=/nowhere NS_PORT=1 nx queue --no-autostart" },
];

const OWN_FILES: readonly Scene[] = [
  { name: "config", line: "nx config" },
  { name: "env-empty", line: "nx env" },
  { name: "env-set", line: "nx env set SEED=1" },
  { name: "env", line: "nx env" },
  { name: "env-set-secret", line: "nx env set WANDB_API_KEY", answers: [{ see: /shown/, text: "a", key: "Enter" }] },
  { name: "env-unset", line: "nx env unset SEED" },
  { name: "env-unset-unknown", line: "nx env unset NOSUCH" },
  { name: "jobrc-empty", line: "nx jobrc" },
  { name: "target-list", line: "nx target list" },
  { name: "target-list-fields", line: "nx target list --fields name,is_default", only: "pipe" },
  { name: "target-list-field-unknown", line: "nx target list --fields name,port", only: "pipe" },
  { name: "target-unknown", line: "nx target lab" },
  { name: "target-add", line: "nx target add lab {url}" },
  { name: "target-switch", line: "nx target lab" },
  { name: "target-list-two", line: "nx target list" },
  { name: "target-remove", line: "nx target remove lab", answers: NO },
  { name: "target-remove-unasked", line: "nx target remove -y lab" },
  { name: "completion-without-shell", line: "nx completion" },
  { name: "completion-install", line: "nx completion install bash" },
  { name: "version", line: "nx version" },
];

const SUBMISSIONS: readonly Scene[] = [
  {
    name: "run-followed",
    line: "nx run -c --no-git 'echo ready; read word; echo got $word; exit 3'",
    only: "terminal",
    answers: [{ see: /^ready$/m, text: "words", key: "Enter" }],
  },
  { name: "run-followed", line: "nx run -c --no-git 'echo ready; exit 3'", only: "pipe" },
  { name: "run-without-command", line: "nx run -c --no-git", only: "pipe" },
  { name: "run-detached", line: "nx run -d -c --no-git true" },
  {
    name: "run-blacklisted",
    line: "nx blacklist add 0; nx run -d --no-git -i 0 true; nx blacklist remove 0",
    only: "pipe",
  },
  { name: "run-no-gpu", line: "nx run -d --no-git true", jobs: [...ENDED, ...BUSY] },
  { name: "run-too-many", line: "nx run -d --no-git -g 3 true" },
  { name: "add-too-many", line: "nx add -y --no-git -g 3 echo '{a,b}'" },
  { name: "add-without-command", line: "nx add" },
  { name: "add-outside-a-repository", line: "nx add true", answers: NO },
  { name: "add", line: "nx add --no-git true" },
  { name: "add-many", line: "nx add --no-git echo '{a,b,c}'", answers: YES },
  { name: "add-doubtful-list", line: "nx add --no-git python3 train.py '+opt={lr:0.1,wd:0}'", only: "pipe" },
  { name: "add-flags-last", line: "nx add --no-git 'python3 train.py' -g 2", answers: NO },
  { name: "add-dry-run", line: "nx add --no-git --dry-run true" },
  { name: "project-mistakes", line: "printf 'gpus = \"2\"\\nouputs = 1\\n' > .nexus.toml; nx add --no-git true" },
  {
    name: "project-dry-run",
    line: "printf 'gpus = 0\\nlink = [\"data=/etc\"]\\n' > .nexus.toml; nx add --no-git --dry-run true",
  },
  { name: "project-config", line: "nx config" },
  { name: "link-without-target", line: "rm .nexus.toml; nx add --no-git --link nosuch true" },
  { name: "add-over-the-limit", line: "nx add --no-git echo '{0,1,2,3}{0,1,2,3}'", answers: YES },
  { name: "remove-many", line: "nx remove '^echo'", answers: NO },
  { name: "remove-many-unasked", line: "nx remove -y '^(echo|true)'" },
];

const BUSY_SERVER: readonly Scene[] = [
  { name: "status", line: "nx", jobs: WAITING },
  { name: "queue", line: "nx queue" },
  { name: "queue-cut", line: "nx queue -n 1" },
  { name: "running", line: "nx running" },
  { name: "running-fields", line: "nx running --jsonl --fields id,status,gpu_idxs", only: "pipe" },
  { name: "history", line: "nx history 'epoch 2|no such'" },
  { name: "history-no-match", line: "nx history no-such-command" },
  { name: "get-queued", line: "nx get {wait-1}" },
  { name: "get-running", line: "nx get {train1}" },
  { name: "get-failed", line: "nx get {fail-3}" },
  { name: "why", line: "nx why {wait-1}" },
  { name: "why-second", line: "nx why {wait-2}" },
  { name: "why-running", line: "nx why {train1}" },
  { name: "logs", line: "nx logs {good-1}" },
  { name: "logs-of-a-gpu", line: "nx logs 0" },
  { name: "logs-followed", line: "nx logs -F {fail-3}" },
  { name: "logs-error", line: "nx logs --error {good-1}" },
  { name: "logs-queued", line: "nx logs {wait-1}" },
  { name: "edit", line: "nx edit {wait-1} -p 7" },
  { name: "batch-none", line: "nx batch" },
  { name: "usage-none", line: "nx usage --since 7d -u nobody" },
  { name: "usage-estimates-none", line: "nx usage --estimates -u nobody" },
  { name: "usage-estimates-mistaken", line: "nx usage --estimates --by name" },
  { name: "usage-mistaken", line: "nx usage --by colour" },
  { name: "usage-csv-none", line: "nx usage --csv -u nobody", only: "pipe" },
  { name: "queue-word", line: "nx queue --all-users 'seed 1'" },
  { name: "queue-word-of-others", line: "nx queue weight-decay" },
  { name: "cancel-ended", line: "nx cancel -y {good-1}" },
  { name: "hold", line: "nx hold {wait-2}" },
  { name: "queue-held", line: "nx queue" },
  { name: "why-held", line: "nx why {wait-2}" },
  { name: "release", line: "nx release {wait-2}" },
  { name: "hold-running", line: "nx hold {train1}" },
  { name: "begin-mistaken", line: "nx add -c --begin 2h true" },
  { name: "add-after-unknown", line: "nx add --no-git -c --after nosuch true" },
  { name: "edit-after", line: "nx edit {wait-2} --after {train1}" },
  { name: "why-after", line: "nx why {wait-2}" },
  { name: "edit-after-itself", line: "nx edit {wait-2} --after {wait-2}" },
  { name: "edit-after-none", line: "nx edit {wait-2} --after none" },
  { name: "edit-name", line: "nx edit {fail-3} --name baseline" },
  { name: "note", line: "nx note {fail-3} 'the file is on the other disk'" },
  { name: "note-without-text", line: "nx note {fail-3}" },
  { name: "name-mistaken", line: "nx edit {fail-3} --name '2nd try'" },
  { name: "history-named", line: "nx history baseline" },
  { name: "get-named", line: "nx get {fail-3}" },
  { name: "edit-running", line: "nx edit {train1} -p 7" },
  { name: "time-mistaken", line: "nx add -c --time 90 true" },
  { name: "retry-mistaken", line: "nx add -c --retry 3:disk true" },
  { name: "edit-time", line: "nx edit {train1} --time 3h" },
  { name: "get-with-retries", line: "nx get {tried1}", jobs: [TRIED] },
  { name: "remove", line: "nx remove {wait-1}", answers: YES },
  { name: "kill-queued", line: "nx kill -y '^python3'", only: "pipe" },
  { name: "remove-running-by-words", line: "nx remove -y --all-users '^sleep 300;'", only: "pipe" },
  { name: "remove-running", line: "nx remove -y {train1}" },
  { name: "blacklist-add", line: "nx blacklist add 0" },
  { name: "blacklist-add-again", line: "nx blacklist add 0" },
  { name: "blacklist", line: "nx blacklist list" },
  { name: "status-blacklisted", line: "nx" },
  { name: "blacklist-remove", line: "nx blacklist remove 0" },
  { name: "blacklist-clear", line: "nx blacklist clear 0" },
  { name: "blacklist-unknown", line: "nx blacklist add 9" },
  { name: "reserve-empty", line: "nx reserve" },
  { name: "reserve-without-time", line: "nx reserve 0" },
  { name: "reserve-unknown", line: "nx reserve 9 --for 4h" },
  { name: "reserve", line: "nx reserve 0 --for 4h --why 'a demo' -u a-colleague" },
  { name: "reserve-again", line: "nx reserve 0,1 --for 2h" },
  { name: "reserve-list", line: "nx reserve" },
  { name: "status-reserved", line: "nx" },
  { name: "unreserve", line: "nx unreserve {resv-1}" },
  { name: "unreserve-not-mine", line: "nx unreserve 1" },
  { name: "attach-detached", line: "nx attach {train1}", answers: DETACH, only: "terminal" },
  { name: "attach", line: "nx attach {train1}", only: "pipe" },
  { name: "attach-ended", line: "nx attach {good-1}" },
  { name: "top", line: "nx top", answers: [{ see: /epoch 1/, key: "q" }] },
  { name: "wait", line: "nx wait {good-1} {fail-3}" },
  { name: "kill", line: "nx kill {cpu-01}", jobs: [CPU_JOB], answers: YES },
  { name: "kill-unasked", line: "nx kill -y {train1}" },
  { name: "kill-unknown", line: "nx kill -y nosuch" },
  { name: "diff", line: "nx diff {good-1} {fail-3}" },
  { name: "diff-of-the-same", line: "nx diff {good-1} {good-1}" },
  { name: "code-of-a-job-without", line: "nx code {good-1}" },
  { name: "redo-unknown", line: "nx redo nosuch" },
  { name: "redo-without-a-value", line: "nx redo {train1}" },
  { name: "redo", line: "nx redo {good-1} -- echo 'epoch 3'" },
];

const EXPIRING: readonly Part[] = ["made-5", "made-6", "made-7", "made-8"].map((name) => ({
  name,
  status: "completed",
  request: { command: "echo 1 > made", num_gpus: 0 },
  isExpiring: true,
}));

const FILES: readonly Scene[] = [
  { name: "files", line: "nx files {made-4}", jobs: [MAKING] },
  { name: "files-cut", line: "nx files -n 1 {made-4}" },
  { name: "files-of-a-folder", line: "nx files {made-4} runs" },
  { name: "files-path", line: "nx files --path {made-4}" },
  { name: "files-none", line: "nx files {good-1}" },
  { name: "files-without-id", line: "nx files" },
  { name: "get-with-files", line: "nx get {made-4}" },
  { name: "wait-with-files", line: "nx wait {made-4}" },
  { name: "logs-with-files", line: "nx logs {made-4}" },
  { name: "pull-no-match", line: "nx pull {made-4} '*.pt'" },
  { name: "pull", line: "nx pull {made-4}" },
  { name: "pull-again", line: "nx pull {made-4}" },
  { name: "pull-differs", line: "echo 3 > nexus-outputs/{made-4}/runs/a; nx pull {made-4}" },
  { name: "pull-forced", line: "nx pull -f {made-4}" },
  { name: "pull-none", line: "nx pull {good-1}" },
  { name: "status-expiring", line: "nx", jobs: EXPIRING },
  { name: "outputs-both", line: "nx add --outputs '*.pt' --no-outputs --no-git true" },
];

const VISION = "--config configs/vision/resnet50-large.yaml --data /mnt/datasets/imagenet";

const SWEEP: readonly Part[] = ["0.01 --seed 1", "0.01 --seed 2", "0.02 --seed 1", "0.02 --seed 2"].map(
  (end, index) => ({
    name: `lr-${index}-a`,
    status: "queued",
    request: { command: `/home/ada/venvs/v/bin/python /home/ada/vision/train.py ${VISION} --lr ${end}`, num_gpus: 2 },
  }),
);

const WIDE_SWEEP: readonly Part[] = ["東京", "大阪"].map((city, index) => ({
  name: `city-${index}`,
  status: "queued",
  request: {
    command: `python3 評価.py --データ 日本/気象/百年/観測 --期間 一九〇〇年から二〇〇〇年まで --都市 ${city} 🙂`,
    num_gpus: 2,
  },
}));

const ENDED_SWEEP: readonly Part[] = ["1", "2"].map((seed) => ({
  name: `seed-${seed}`,
  status: "completed",
  request: { command: `/usr/bin/true ${VISION} --lr 0.01 --seed ${seed}`, num_gpus: 0 },
}));

const BAR: Part = {
  name: "bar-10",
  status: "failed",
  request: {
    command: `for i in 10 50 99; do printf '\\r%d%%' $i; done; echo; echo RuntimeError: loss is nan; exit 1`,
    num_gpus: 0,
  },
};

const WIDTHS = [80, 100, 160];

const showWide = (name: string, line: string): readonly Scene[] =>
  WIDTHS.map((columns) => ({ name: `${name}-${columns}`, line, columns, only: "terminal" }));

const LONG_LISTS: readonly Scene[] = [
  { name: "queue-sweep", line: "nx queue", jobs: [...SWEEP, ...WIDE_SWEEP, ...ENDED_SWEEP], only: "pipe" },
  {
    name: "queue-sweep",
    line: "nx queue -q | wc -l",
    jobs: [...SWEEP, ...WIDE_SWEEP, ...ENDED_SWEEP],
    only: "terminal",
  },
  ...showWide("queue-sweep", "nx queue"),
  ...showWide("status-sweep", "nx"),
  ...showWide("history-sweep", "nx history 'bin/true|nan' -n 2"),
  { name: "remove-sweep", line: "nx remove 'vision/train|評価'", answers: NO },
  {
    name: "add-sweep",
    line: `nx add --no-git python train.py --lr '{1,2}' ${VISION} --name a --seed '{1,2}'`,
    answers: NO,
  },
  { name: "history-failed", line: "nx history --failed --exit 3 --since 2001-01-01" },
  { name: "history-cut", line: "nx history -q -n 1 'bin/true'" },
  { name: "history-wrong-time", line: "nx history --since soon" },
  { name: "logs-bar", line: "nx logs {bar-10}", jobs: [BAR] },
  { name: "logs-bar-json", line: "nx logs -n 2 --json {bar-10}", only: "pipe" },
  { name: "logs-bar-followed", line: "nx logs -F --json {bar-10}", only: "pipe" },
  { name: "logs-search", line: "nx logs --search '^\\d+%|nan$' {bar-10}" },
  { name: "logs-search-mistake", line: "nx logs --search '(' {bar-10}" },
  { name: "logs-together", line: "nx logs --raw --json {bar-10}" },
];

const SETTING_UP: readonly Scene[] = [
  { name: "setup", line: "nx setup", answers: [{ see: /name/i, key: "C-c" }] },
  { name: "setup-unasked", line: "nx setup --non-interactive --user ada" },
];

const FOR_PROGRAMS: readonly Scene[] = [
  { name: "run-as-json-failed", line: "nx run --json -c --no-git 'exit 3' > ended.json", only: "pipe" },
  { name: "wait-too-long", line: "nx wait --timeout 0 {train2}", only: "pipe" },
  { name: "mcp", line: "nx mcp", only: "terminal" },
];

export const SCENES: readonly Scene[] = [
  ...EMPTY_SERVER,
  ...MISTAKES,
  ...OWN_FILES,
  ...SUBMISSIONS,
  ...BUSY_SERVER,
  ...FILES,
  ...LONG_LISTS,
  ...SETTING_UP,
  { name: "run-input", line: "echo hello | nx run -c --no-git cat", only: "pipe" },
  ...FOR_PROGRAMS,
];
