#!/bin/sh
# Gate a change, on any CI server or by hand, in the repository that the current folder is in.
#
#   gate.sh [BRANCH] [ARGUMENT OF veperf ci]...
#
# Compares with where the change left BRANCH (origin/main), side by side. Ends with the exit code of
# `veperf ci`; performance/ then holds JUnit XML and a comment, the archive the report.
set -eu

branch=${1:-origin/main}
[ $# -eq 0 ] || shift
base=$(git merge-base "$branch" HEAD)

mkdir -p performance
code=0
veperf ci --against "$base" --only-changed \
  --export junit performance/junit.xml --export comment performance/comment.md "$@" || code=$?
case $code in
  0) echo "nothing slower beyond the margins, no target missed (or with warnings only)" ;;
  1) echo "slower, or a target missed" >&2 ;;
  2) echo "wrong usage, or a file that can't be believed" >&2 ;;
  3) echo "something could not be measured" >&2 ;;
  4) echo "inconclusive, or the time budget ran out" >&2 ;;
  *) echo "stopped" >&2 ;;
esac
exit "$code"
