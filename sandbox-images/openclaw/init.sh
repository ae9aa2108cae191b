#!/bin/bash
# The first process. It takes in what the agent's programs leave behind, as PID 1 must and bash does, and hands SIGTERM on.
# Bash does not hold a signal that comes while it waits: it is told by a `wait` that returns early.
supervisor=
trap 'kill -TERM "$supervisor" 2>/dev/null' TERM INT
/usr/local/bin/node /supervisor.mjs &
supervisor=$!
until wait "$supervisor"; status=$?; ! kill -0 "$supervisor" 2>/dev/null; do :; done
exit "$status"
