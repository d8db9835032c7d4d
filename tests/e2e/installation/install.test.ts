import { afterAll, beforeAll, expect, test } from "bun:test";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { renderUnit } from "../../../src/server/installation/render.ts";
import { pickPort } from "../../support/pick-port.ts";
import { FIXTURES, ROOT } from "../../support/programs.ts";
import { canRunSshd } from "../../support/ssh-server.ts";

const folder = mkdtempSync(join(tmpdir(), "nexus-install-"));
const dist = join(folder, "dist");

const MACHINE = `
set -e
mount -t tmpfs none "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
for name in proc dev; do mount --rbind "/$name" "$1/root/$name"; done
mount -t tmpfs none "$1/root/run"
mkdir -p "$1/root/run/systemd/system" "$1/root/run/screen" "$1/root/opt/dist"
chmod 1777 "$1/root/run/screen"
mount --bind "$2" "$1/root/opt/dist"
cp "$3" "$1/root/usr/local/bin/systemctl"
chroot "$1/root" /bin/bash -c "$4"
`;

const runOnMachine = async (script: string): Promise<string> => {
  const base = join(folder, "machine");
  mkdirSync(base, { recursive: true });
  const systemctl = join(ROOT, "tests", "fixtures", "systemd", "systemctl");
  const prelude = `
set -eu
unset \${!NS_@}
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root PORT=${await pickPort()} BUN=${process.execPath}
trap '[ $? -eq 0 ] || cat /var/log/nexus-server.log; systemctl stop 2>/dev/null || true' EXIT
ask() { "$BUN" -e 'const [path, method, body] = process.argv.slice(1); const ca = await Bun.file(process.env.CA || "/var/lib/nexus-server/tls.crt").text(); const r = await fetch("https://127.0.0.1:" + process.env.PORT + path, { method: method || "GET", ...(body ? { body, headers: { "content-type": "application/json" } } : {}), tls: { ca } }); console.log(await r.text());' "$@"; }
`;
  const ran = spawnSync("unshare", ["--mount", "sh", "-c", MACHINE, "sh", base, dist, systemctl, prelude + script], {
    encoding: "utf8",
    timeout: 28_000,
  });
  if (ran.status !== 0) throw new Error(`${ran.status} ${ran.signal}: ${ran.stdout}${ran.stderr}`);
  return ran.stdout + ran.stderr;
};

beforeAll(() => {
  execFileSync(process.execPath, ["scripts/build.ts", "--host", "--output", dist], { cwd: ROOT, stdio: "pipe" });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a dry run says what it would do, and does nothing", async () => {
  const output = await runOnMachine(`
/opt/dist/nexus-server install --dry-run
[ ! -e /etc/nexus_server ] && [ ! -e /var/lib/nexus-server ] && ! getent passwd nexus && echo untouched
`);
  expect(output).toContain("write /etc/systemd/system/nexus-server.service (0644, root)");
  expect(output).toContain("untouched");
});

test("a dry run shows the same where systemd is missing, and says so", async () => {
  const output = await runOnMachine(`
/opt/dist/nexus-server install --dry-run >/tmp/with
rm -r /run/systemd
/opt/dist/nexus-server install --dry-run >/tmp/without
diff /tmp/with /tmp/without || true
/opt/dist/nexus-server install || echo "refused $?"
[ ! -e /etc/nexus_server ] && [ ! -e /var/lib/nexus-server ] && ! getent passwd nexus && echo untouched
`);
  const systemd = "this machine is not run by systemd: start nexus-server by other means";
  expect(output).toMatch(
    new RegExp(`^\\d+a\\d+\\n> Here this would be refused: ${systemd}\\nrefused 1\\nuntouched\\n`),
  );
  expect(output).toContain(`nexus-server: ${systemd}`);
});

test("an installation over an earlier one takes its settings, and offers and does the taking over of its jobs", async () => {
  const output = await runOnMachine(`
useradd --system --create-home nexus
cp -r ${join(FIXTURES, "earlier")} /etc/nexus_server
openssl req -x509 -newkey rsa:2048 -nodes -keyout /etc/nexus_server/key.pem -out /etc/nexus_server/cert.pem -days 900 -subj /CN=old-box -addext subjectAltName=IP:127.0.0.1 2>/dev/null
sed -i 's|^server_dir = .*|server_dir = "/etc/nexus_server"|' /etc/nexus_server/config.toml
sed -i "s|^port = .*|port = $PORT|" /etc/nexus_server/config.toml
printf 'ssl_keyfile = "/etc/nexus_server/key.pem"\nssl_certfile = "/etc/nexus_server/cert.pem"\n' >> /etc/nexus_server/config.toml
chown -R nexus:nexus /etc/nexus_server
chmod -R 770 /etc/nexus_server
cp /etc/nexus_server/config.toml /tmp/config.before
sum=$(sha256sum < /etc/nexus_server/nexus_server.db)
/opt/dist/nexus-server import || echo "refused $?"
/opt/dist/nexus-server install
cmp /tmp/config.before /etc/nexus_server/config.toml.earlier && echo "config kept"
nexus-server config
nexus-server stop
nexus-server import
nexus-server import
nexus-server start
export CA=/etc/nexus_server/cert.pem
until ask /v1/jobs/done01 2>/dev/null | grep -q done01; do sleep 0.2; done
ask /v1/jobs/done01 | grep -o '"status":"[a-z]*"'
[ "$sum" = "$(sha256sum < /etc/nexus_server/nexus_server.db)" ] && echo "database kept"
stat -c '%U' /var/lib/nexus-server/jobs.db
/opt/dist/nexus-server upgrade
`);
  expect(output).toContain("refused 6");
  expect(output).toContain("first nexus-server install, or name another --server-dir");
  expect(output).toContain(
    "To take them over: sudo systemctl stop nexus-server && sudo nexus-server import && sudo systemctl start nexus-server",
  );
  expect(output.split("To take them over").length).toBe(2);
  expect(output).toContain("config kept");
  expect(output).toContain("Took over from /etc/nexus_server/nexus_server.db: 4 queued, 4 running, 5 ended jobs.");
  expect(output).toContain("all of its 13 jobs were taken over before");
  expect(output).toContain(`"status":"completed"`);
  expect(output).toContain("database kept");
  expect(output).toContain(`node_name = "old-box"`);
  expect(output).not.toContain("API token (shown only once)");
});

test("an installed server runs jobs as its user, keeps them through a restart, and is taken away again", async () => {
  const output = await runOnMachine(`
/opt/dist/nexus-server install --no-start
echo "port = $PORT" >> /etc/nexus_server/config.toml
NS_PORT=1 nexus-server install
stat -c '%a %U %n' /etc/nexus_server/* /var/lib/nexus-server /var/lib/nexus-server/jobs.db /var/lib/nexus-server/tls.*
nexus-server token --rotate
nexus-server config
nexus-server status
id=$(ask /v1/jobs POST '{"user":"ada","num_gpus":0,"command":"id -un; until [ -e ../go ]; do sleep 0.1; done; exit 4"}' | sed 's/.*"id":"\\([^"]*\\)".*/\\1/')
while ! ask "/v1/jobs/$id" | grep -q '"running"'; do sleep 0.1; done
nexus-server restart
/opt/dist/nexus-server upgrade
nexus-server stop
nexus-server status || echo "status $?"
nexus-server start
touch "/var/lib/nexus-server/jobs/$id/go"
openssl x509 -noout -ext subjectAltName -in /var/lib/nexus-server/tls.crt
until ask "/v1/jobs/$id" 2>/dev/null | grep -q '"failed"'; do sleep 0.2; done
ask "/v1/jobs/$id" | grep -o '"exit_code":[0-9]*'
/opt/dist/nexus-server upgrade --wait
ask "/v1/jobs/$id/logs" | grep -o 'nexus' | head -n 1
stat -c '%a %U %n' /run/nexus-server /run/nexus-server/nexus.sock
setpriv --reuid daemon --regid daemon --clear-groups "$BUN" -e 'const r = await fetch("http://localhost/v1/jobs", { unix: "/run/nexus-server/nexus.sock", method: "POST", body: JSON.stringify({ command: "true", num_gpus: 0 }), headers: { "content-type": "application/json" } }); console.log("by socket", r.status, (await r.json()).user);'
until ask "/v1/jobs?user=daemon" | grep -q '"completed"'; do sleep 0.1; done
nexus-server uninstall -y
ls -d /etc/nexus_server /etc/systemd/system/nexus-server.service /usr/local/bin/nexus-server /var/lib/nexus-server/jobs.db 2>&1 || true
`);
  expect(output).toContain("run a job and see that it ends well");
  expect(output.match(/API token \(shown only once\): [\w-]{43}/g)).toHaveLength(1);
  expect(output).toMatch(/^[\w-]{43}$/m);
  expect(output).toContain("600 nexus /etc/nexus_server/config.toml");
  expect(output).toContain("600 nexus /var/lib/nexus-server/tls.key");
  expect(output).toContain("644 nexus /var/lib/nexus-server/tls.crt");
  expect(output).toMatch(
    /^Add it where you work, with the token: nx target add \S+ https:\S+ --fingerprint (..:){31}..$/m,
  );
  expect(output).toContain("755 nexus /run/nexus-server\n666 nexus /run/nexus-server/nexus.sock");
  expect(output).toContain("by socket 201 daemon");
  expect(output).toContain("700 nexus /var/lib/nexus-server");
  expect(output).toContain("600 nexus /var/lib/nexus-server/jobs.db");
  expect(output).toContain('host = "0.0.0.0"');
  expect(output).toContain("active");
  expect(output).toContain("copy /opt/dist/nexus-server to /usr/local/bin/nexus-server");
  expect(output).toContain("status 3");
  expect(output).toMatch(
    /· let nothing start\n· wait until no job runs\n(.*\n)*· let jobs start again[^\n]*\n· run a job/,
  );
  expect(output).toContain(`DNS:${hostname().toLowerCase()}`);
  expect(output).toContain("DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1");
  expect(output).toContain('"exit_code":4');
  expect(output).toContain("cannot access '/usr/local/bin/nexus-server'");
  expect(output).toContain("\n/var/lib/nexus-server/jobs.db");
});

test("an installed server and one of root's own are told apart, each with jobs of its own", async () => {
  const output = await runOnMachine(`
/opt/dist/nexus-server install --no-start
echo "port = $PORT" >> /etc/nexus_server/config.toml
nexus-server install
mkdir -p /root/own
NS_SERVER_DIR=/root/own nexus-server --port 0 --mock-gpus 1 >/root/own.log 2>&1 &
until [ -e /root/own/server.listening ]; do sleep 0.1; done
mkdir /home/ann && chown daemon /home/ann
setpriv --reuid daemon --regid daemon --clear-groups env HOME=/home/ann nexus-server uninstall -y || echo "refused $?"
nexus-server uninstall --server-dir /root/own --delete-data -y
[ ! -e /root/own ] && wait && echo "own is gone"
nexus-server status
id=$(ask /v1/jobs POST '{"user":"ada","num_gpus":0,"command":"until [ -e ../go ]; do sleep 0.1; done"}' | sed 's/.*"id":"\\([^"]*\\)".*/\\1/')
until ask "/v1/jobs/$id" | grep -q '"running"'; do sleep 0.1; done
nexus-server uninstall -y || echo "busy $?"
touch "/var/lib/nexus-server/jobs/$id/go"
until ask "/v1/jobs/$id" | grep -q '"completed"'; do sleep 0.1; done
nexus-server uninstall -y
export HOME=/opt/home
/opt/dist/nexus-server uninstall -y || echo "nothing $?"
/opt/dist/nexus-server uninstall -y --server-dir /var/lib/nexus-server || echo "left $?"
ls -d /var/lib/nexus-server/jobs.db
`);
  expect(output).toContain("this needs root: run it with sudo\n");
  expect(output).toContain("refused 1");
  expect(output).toContain("stop the server (pid ");
  expect(output).toContain("remove from /root/own: jobs");
  expect(output).toContain("own is gone\nactive");
  expect(output).toContain("1 jobs are running");
  expect(output).toContain("busy 6");
  expect(output).toContain("Its jobs and logs are still in /var/lib/nexus-server");
  expect(output).toMatch(/nothing is installed: [^\n]*service[^\n]*\n/);
  expect(output).toContain("nothing 5");
  expect(output).toContain("left 5");
  expect(output).toContain("\n/var/lib/nexus-server/jobs.db\n");
});

const SSH_SERVER = `
mkdir -p /run/sshd /opt/ssh
ssh-keygen -q -t ed25519 -N '' -f /opt/ssh/host
ssh-keygen -q -t ed25519 -N '' -f /opt/ssh/user
printf '%s\n' "Port $SSH_PORT" "ListenAddress 127.0.0.1" "HostKey /opt/ssh/host" "PidFile /run/sshd.pid" "UsePAM no" "StrictModes yes" >/opt/ssh/config
/usr/sbin/sshd -f /opt/ssh/config
trap 'kill "$(cat /run/sshd.pid)"; systemctl stop 2>/dev/null || true' EXIT
`;

test.skipIf(!canRunSshd)(
  "a configuration of one's own with groups and a certificate is used, keys attach as the service's user",
  async () => {
    const output = await runOnMachine(`
export SSH_PORT=${await pickPort()} CA=/etc/ssl/own.crt
mkdir -p /etc/ssl
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 -subj /CN=own -addext subjectAltName=IP:127.0.0.1 -keyout /etc/ssl/own.key -out /etc/ssl/own.crt 2>/dev/null
chmod 644 /etc/ssl/own.key
groupadd data
printf '%s\n' 'host = "0.0.0.0"' "port = $PORT" 'supplementary_groups = ["data"]' 'ssl_keyfile = "/etc/ssl/own.key"' 'ssl_certfile = "/etc/ssl/own.crt"' >/opt/own.toml
if /opt/dist/nexus-server upgrade; then exit 9; fi
/opt/dist/nexus-server install --config /opt/own.toml
id -nG nexus
ls /var/lib/nexus-server/tls.key 2>&1 || true
${SSH_SERVER}
ask /v1/auth/ssh-key POST "$(cat /opt/ssh/user.pub)"
id=$(ask /v1/jobs POST '{"user":"ada","num_gpus":0,"command":"id -nG; while sleep 0.2; do echo shown; done"}' | sed 's/.*"id":"\\([^"]*\\)".*/\\1/')
until ask "/v1/jobs/$id/logs" | grep -q shown; do sleep 0.1; done
login="ssh -F none -i /opt/ssh/user -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -p $SSH_PORT nexus@127.0.0.1"
$login id || echo "refused $?"
script -qfc "$login -tt attach $id" /opt/seen >/dev/null &
until grep -aq shown /opt/seen; do sleep 0.1; done
kill $!
echo attached
ask "/v1/jobs/$id/kill" POST
until ask "/v1/jobs/$id" | grep -q '"killed"'; do sleep 0.1; done
getent passwd nexus
nexus-server uninstall -y --delete-data
ls -d /var/lib/nexus-server 2>&1 || true
getent passwd nexus || echo "no user"
`);
    expect(output).toContain("nothing is installed");
    expect(output).toMatch(/^nexus .*\bdata\b/m);
    expect(output).toContain("cannot access '/var/lib/nexus-server/tls.key'");
    expect(output).toContain('{"status":"registered"}');
    expect(output).toMatch(/^nexus-server: this key opens a running job's terminal and nothing else/m);
    expect(output).toContain("refused 1");
    expect(output).toContain("attached");
    expect(output).toContain("cannot access '/var/lib/nexus-server'");
    expect(output).toContain("no user");
    expect(output).toMatch(/^nexus:.*:\/var\/lib\/nexus-server:\/bin\/sh$/m);
  },
);

test("the unit is one that systemd takes", () => {
  const path = join(folder, "nexus-server.service");
  writeFileSync(path, renderUnit({ program: "/bin/true", serverDir: "/tmp", key: "", certificate: "" }, "root"));
  const verified = spawnSync("systemd-analyze", ["verify", path], { encoding: "utf8" });
  expect([verified.status, verified.stderr]).toEqual([0, ""]);
});
