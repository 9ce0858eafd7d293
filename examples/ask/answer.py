"""Answers callgate's questions: python3 answer.py CALLGATE PROGRAM [ARGUMENT...]

Calls in ALLOWED go on, once each; all others are refused for the whole run.
"""

import json
import socket
import subprocess
import sys

ALLOWED = {"unshare"}

ours, theirs = socket.socketpair()
command = [sys.argv[1], "run", "--ask-fd", str(theirs.fileno()), "--", *sys.argv[2:]]
program = subprocess.Popen(command, pass_fds=[theirs.fileno()])
theirs.close()  # so that the end of callgate ends the loop

for line in ours.makefile():
    question = json.loads(line)
    if question.get("withdrawn"):
        continue  # nobody waits for the answer any more
    answer = "once" if question["event"].get("call") in ALLOWED else "never"
    print(f"{question['question']} -> {answer}", file=sys.stderr)
    ours.sendall(json.dumps({"id": question["id"], "answer": answer}).encode() + b"\n")

sys.exit(program.wait())
