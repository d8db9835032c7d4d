"""Writes with the earlier Nexus's own code what it leaves on a machine: fixture FOLDER, or start FOLDER for a server's turn."""

import asyncio
import dataclasses
import io
import os
import pathlib
import sys
import tarfile
import types

WANDB = "nexus.server.external.wandb_finder"
sys.modules[WANDB] = types.ModuleType(WANDB)

from nexus.cli import config as client
from nexus.server.core import config, context, db, job

AT = 1_700_000_000.0
SECRETS = {
    "WANDB_API_KEY": "key-1",
    "WANDB_ENTITY": "ada",
    "DISCORD_USER_ID": "1",
    "DISCORD_WEBHOOK_URL": "http://127.0.0.1:9/hook",
}


def make_code():
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        text = b'print("code of then")\n'
        entry = tarfile.TarInfo("train.py")
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text))
    return packed.getvalue()


def make(job_id, number, **fields):
    asked = {
        "command": f"echo {job_id}",
        "artifact_id": "art1",
        "user": "ada",
        "node_name": "old-box",
        "num_gpus": 1,
        "env": {"NAME": job_id},
        "jobrc": None,
        "priority": 0,
        "integrations": [],
        "notifications": [],
    }
    known = {name: fields.pop(name) for name in list(fields) if name in asked or name == "gpu_idxs"}
    made = job.create_job(job_id=job_id, **{**asked, **known})
    return dataclasses.replace(made, created_at=AT + number, **fields)


def add(conn, one):
    db.add_job(conn=conn, job=one)
    db.update_job(conn=conn, job=one)


def started(folder, job_id, number, log, errors="Starting job execution...\n"):
    path = folder / "job-folders" / f"nexus-job-{job_id}-abcdefgh"
    path.mkdir(parents=True)
    if log is not None:
        (path / "output.log").write_text(log)
        (path / "error.log").write_text(errors)
    return {"dir": path, "started_at": AT + number, "pid": 4_000_000 + number, "screen_session_name": f"nexus_job_{job_id}"}


def make_log(text, code):
    begin = 'Script started on 2023-11-14 22:13:20+00:00 [COMMAND="bash job_commands.sh" <not executed on terminal>]\n'
    return f'{begin}{text}\n\nScript done on 2023-11-14 22:14:20+00:00 [COMMAND_EXIT_CODE="{code}"]\n'


def write_queue(conn):
    add(conn, make("low001", 3, priority=-1))
    add(conn, make("first1", 2, env={"NAME": "first1", **SECRETS}, integrations=["wandb"], notifications=["discord"]))
    add(conn, make("back01", 1, num_gpus=0, jobrc="export A=1\n", git_repo_url="https://example.org/r", git_branch="main"))
    add(conn, make("high01", 9, priority=5, gpu_idxs=[1], num_gpus=1, ignore_blacklist=True, user="bob", git_tag="t1"))
    add(conn, make("nocode", 4, artifact_id="gone"))


def write_history(conn, folder):
    done = {"status": "completed", "exit_code": 0, "completed_at": AT + 70, "gpu_idxs": [0]}
    where = started(folder, "done01", 10, make_log("result 42", 0))
    add(conn, make("done01", 10, wandb_url="https://wandb.ai/ada/p/runs/r", **where, **done))
    failed = {"status": "failed", "exit_code": 3, "completed_at": AT + 71, "error_message": "Job failed with exit code 3"}
    add(conn, make("fail01", 11, **started(folder, "fail01", 11, make_log("Traceback", 3)), **failed))
    add(conn, make("kill01", 12, status="killed", completed_at=AT + 72, **started(folder, "kill01", 12, "half\n")))
    reason = "Failed to start job: Artifact not found: gone"
    add(conn, make("never1", 13, status="failed", completed_at=AT + 73, error_message=reason, artifact_id="gone"))


def write_running(conn, folder):
    running = {"status": "running", "num_gpus": 0, "notification_messages": {"discord_start_job": "77"}}
    add(conn, make("ended0", 20, **running, **started(folder, "ended0", 20, make_log("well done", 0))))
    add(conn, make("ended7", 21, **running, **started(folder, "ended7", 21, make_log("bad", 7))))
    add(conn, make("lost01", 22, **running, **started(folder, "lost01", 22, "no end\n")))
    gone = {**started(folder, "nodir1", 23, None), "marked_for_kill": True}
    add(conn, make("nodir1", 23, **running, **gone))
    gone["dir"].rmdir()


def write_settings(folder):
    made = config.NexusServerConfig(
        server_dir=folder,
        port=54399,
        node_name="old-box",
        api_token="earlier-token",
        external_ip="192.0.2.7",
        supplementary_groups=["video"],
        refresh_rate=2,
    )
    config.save_config(made)


def write_client_settings():
    client.create_default_config()
    box = client.TargetConfig(host="192.0.2.7", port=54399, api_token="earlier-token")
    client.save_config(client.NexusCliConfig(targets={"old-box": box}, default_target="old-box", user="ada"))


def write_fixture(folder):
    conn = db.create_connection(str(config.get_db_path(folder)))
    db.add_artifact(conn, "art1", make_code(), git_sha="c" * 40)
    write_queue(conn)
    write_history(conn, folder)
    write_running(conn, folder)
    for gpu in (1, 3):
        db.add_blacklisted_gpu(conn, gpu)
    conn.commit()
    conn.close()
    write_settings(folder)
    write_client_settings()


def start_job(folder):
    from nexus.server.api import scheduler

    conn = db.create_connection(str(config.get_db_path(folder)))
    db.add_artifact(conn, "art1", make_code())
    db.add_job(conn=conn, job=make("live01", 1, num_gpus=0, command=os.environ["COMMAND"]))
    settings = config.NexusServerConfig(server_dir=folder, external_ip=None)
    asyncio.run(scheduler.start_queued_jobs(ctx=context.NexusServerContext(db=conn, config=settings)))
    conn.close()


{"fixture": write_fixture, "start": start_job}[sys.argv[1]](pathlib.Path(sys.argv[2]))
