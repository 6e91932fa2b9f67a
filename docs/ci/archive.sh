#!/bin/sh
# Append the complete runs in a folder to a branch that holds runs and nothing else.
#
#   archive.sh FOLDER [BRANCH] [REMOTE]
#
# Reports are left out: they can be rendered again. Where somebody else has pushed meanwhile, it
# is tried again on top of that.
set -eu

folder=$1
branch=${2:-performance-archive}
remote=${3:-origin}
work=$(mktemp -d)
tree=$work/tree
trap 'git worktree remove --force "$tree" 2>/dev/null || true; rm -rf "$work"' EXIT

if ! ls "$folder"/*/complete.json >/dev/null 2>&1; then
  echo "$folder holds no complete run" >&2
  exit 2
fi

check_out() {
  git worktree remove --force "$tree" 2>/dev/null || true
  if git fetch --quiet --depth=1 "$remote" "refs/heads/$branch" 2>/dev/null; then
    git worktree add --quiet --detach "$tree" FETCH_HEAD
  else
    git worktree add --quiet --detach --no-checkout "$tree" HEAD
    git -C "$tree" symbolic-ref HEAD "refs/heads/$branch-$$"
    git -C "$tree" read-tree --empty
  fi
}

copy() {
  for complete in "$folder"/*/complete.json; do
    run=$(dirname "$complete")
    mkdir -p "$tree/$(basename "$run")"
    cp "$run"/*.json "$run"/*.parquet "$tree/$(basename "$run")/"
  done
}

for attempt in 1 2 3 4 5; do
  check_out
  copy
  git -C "$tree" add --all
  if git -C "$tree" diff --cached --quiet; then
    echo "nothing new for $branch"
    exit 0
  fi
  git -C "$tree" -c user.name=veperf -c user.email=veperf@localhost \
    commit --quiet --message "Runs of $(date -u +%Y-%m-%d)"
  if git -C "$tree" push --quiet "$remote" "HEAD:refs/heads/$branch"; then
    echo "appended to $branch"
    exit 0
  fi
  sleep "$attempt"
done
echo "could not push to $branch" >&2
exit 3
