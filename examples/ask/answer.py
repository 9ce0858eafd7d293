"""Answers callgate's questions: python3 answer.py CALLGATE PROGRAM [ARGUMENT...]

Calls in ALLOWED go on, and files in READABLE may be read, once each; all else is
refused for the whole run, and so is what the policy hides.
"""

import json
import os
import socket
import subprocess
import sys

ALLOWED = {"unshare"}
READABLE = {os.path.realpath(os.path.expanduser("~/.toolrc"))}


def allows(question):
    if file := question.get("file"):
        return file["path"] in READABLE and file["access"].endswith("read") and "hidden" not in file
    return question["event"].get("call") in ALLOWED


ours, theirs = socket.socketpair()
command = [sys.argv[1], "run", "--ask-fd", str(theirs.fileno()), "--", *sys.argv[2:]]
program = subprocess.Popen(command, pass_fds=[theirs.fileno()])
theirs.close()  # so that the end of callgate ends the loop

for line in ours.makefile():
    question = json.loads(line)
    if question.get("withdrawn"):
        continue  # nobody waits for the answer any more
    answer = "once" if allows(question) else "never"
    print(f"{question['question']} -> {answer}", file=sys.stderr)
    ours.sendall(json.dumps({"id": question["id"], "answer": answer}).encode() + b"\n")

sys.exit(program.wait())
