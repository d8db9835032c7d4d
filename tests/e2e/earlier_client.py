"""Drives the earlier Python client against the server that its configuration names; prints what it got as JSON."""

import json
import time

from nexus.cli import api_client


def wait_for(job_id, statuses):
    for _ in range(500):
        job = api_client.get_job(job_id)
        if job["status"] in statuses:
            return job
        time.sleep(0.02)
    raise TimeoutError(job_id)


def request(artifact, command, **fields):
    return {
        "command": command,
        "user": "ada",
        "artifact_id": artifact,
        "env": {"SECRET": "planted"},
        "git_tag_pushed": False,
        "run_immediately": False,
        **fields,
    }


def main():
    with open("artifact.tar", "rb") as file:
        artifact = api_client.upload_artifact(file.read(), git_sha="0123abcd")
    both = [api_client.add_job(request(artifact, "cat greeting; sleep 30", num_gpus=1)) for _ in range(2)]
    waiting = api_client.add_job(request(artifact, "true", num_gpus=1))
    later = api_client.add_job(request(artifact, "true", num_gpus=1))
    for job in both:
        wait_for(job["id"], ["running"])
    while "hello" not in api_client.get_job_logs(both[0]["id"], last_n_lines=5):
        time.sleep(0.02)
    edited = api_client.edit_job(waiting["id"], command="echo edited", priority=7)
    found = {
        "heartbeat": api_client.check_heartbeat(),
        "artifact": api_client.check_artifact_by_sha("0123abcd") == (True, artifact),
        "unknown_artifact": api_client.check_artifact_by_sha("ffff"),
        "statuses": [api_client.get_job(job["id"])["status"] for job in both],
        "queue": [job["id"] for job in api_client.get_jobs("queued")] == [waiting["id"], later["id"]],
        "edited": [edited["command"], edited["priority"]],
        "env": edited["env"],
        "gpus": [[gpu["index"], gpu["running_job_id"]] for gpu in api_client.get_gpus()]
        == [[0, both[0]["id"]], [1, both[1]["id"]]],
        "removed": api_client.remove_queued_jobs([later["id"]]) == {"removed": [later["id"]], "failed": []},
        "blacklisted": api_client.manage_blacklist([1], "add"),
        "taken_back": api_client.manage_blacklist([1], "remove"),
        "killed": api_client.kill_running_jobs([job["id"] for job in both])["failed"],
        "health": sorted(api_client.get_detailed_health(refresh=True)),
    }
    found["ends"] = [wait_for(job["id"], ["killed", "failed"])["status"] for job in both]
    found["last"] = wait_for(waiting["id"], ["completed", "failed"])["exit_code"]
    found["status"] = sorted(api_client.get_server_status())
    print(json.dumps(found))


main()
