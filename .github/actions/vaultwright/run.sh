#!/bin/bash
# One command of vaultwright as a step of a job: COMMAND, SPEC, ARGUMENTS (one on each line), RESULTS (a folder).
# Says `changes` and `comment` to GITHUB_OUTPUT. VAULTWRIGHT is the binary; without it this checkout's is built.
set -euo pipefail

binary=${VAULTWRIGHT-}
if [[ -z $binary ]]; then
    checkout=$(cd "$(dirname "$0")/../../.." && pwd)
    export CARGO_TARGET_DIR=${XDG_CACHE_HOME:-$HOME/.cache}/vaultwright/target
    cargo build --quiet --release --locked --package vaultwright --manifest-path "$checkout/Cargo.toml"
    binary=$CARGO_TARGET_DIR/release/vaultwright
fi
mkdir -p "$RESULTS"
output=$RESULTS/output
comment=$RESULTS/comment.md

arguments=()
while IFS= read -r argument; do
    [[ -z $argument ]] || arguments+=("$argument")
done <<<"${ARGUMENTS-}"
case $COMMAND in
plan) arguments+=(--exit-code) ;;
apply) arguments+=(--yes) ;;
prove) arguments+=(--html "$RESULTS/proof.html" --junit "$RESULTS/proof.xml" --json "$RESULTS/proof.json") ;;
check | verify) ;;
*)
    echo "the command \`$COMMAND\` is none of check, plan, apply, verify, prove" >&2
    exit 1
    ;;
esac

code=0
"$binary" "$COMMAND" "$SPEC" "${arguments[@]}" >"$output" 2>&1 || code=$?
cat "$output"

# A fence that is longer than any in the text.
fence='```'
while grep -qF -- "$fence" "$output"; do
    fence+='`'
done
{
    echo "### \`vaultwright $COMMAND $SPEC\`"
    echo
    echo "${fence}text"
    # GitHub takes comments of at most 65,536 characters.
    head -c 60000 "$output"
    if (($(wc -c <"$output") > 60000)); then
        printf '\n… the rest is in the log of the job'
    fi
    echo
    echo "$fence"
} >"$comment"

changes=false
# For plan and verify: differences, and no error.
if ((code == 2)) && [[ $COMMAND == plan || $COMMAND == verify ]]; then
    changes=true
fi
{
    echo "changes=$changes"
    echo "comment=$comment"
} >>"${GITHUB_OUTPUT:-/dev/null}"
if [[ $COMMAND != prove ]]; then
    cat "$comment" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
fi
# A plan that shows changes is a good plan; a verification that finds some is not.
if [[ $COMMAND == plan && $code == 2 ]]; then
    code=0
fi
exit "$code"
