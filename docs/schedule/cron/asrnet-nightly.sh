#!/usr/bin/env bash
# One nightly run of asrnet for cron: one at a time, everything in a log, one line of output if something is left to do.
#
#   asrnet-nightly.sh [FOLDER]
#
# FOLDER (default /srv/asrnet) has asrnet.yaml, and gets the log, the audit, the report page and the lock. Cron mails what
# is printed, so a run that leaves nothing to do prints nothing. The exit code is asrnet's own; 75 if a run is in progress.
set -uo pipefail

folder=${1:-/srv/asrnet}
metrics=${METRICS:-/var/lib/node_exporter/textfile_collector} # of Prometheus' node exporter; skipped if it does not exist

cd "$folder" || exit 1

# The kernel releases the lock however this ends, so none is left behind.
exec 9>nightly.lock
if ! flock --nonblock 9; then
  echo "asrnet: the run before is still under way in $folder"
  exit 75
fi

outputs=(-o text -o html=report.html)
[ -d "$metrics" ] && outputs+=(-o "prometheus=$metrics/asrnet.prom")

echo "--- $(date --utc +%FT%TZ)" >>nightly.log
asrnet drift --correct --log-format json --audit audit.jsonl "${outputs[@]}" >>nightly.log 2>&1 9>&-
code=$?

case $code in
  0) ;;
  2) echo "asrnet: drift is left that only a person can settle: $folder/report.html" ;;
  3) echo "asrnet: a safeguard refused, and nothing was corrected beyond it: $folder/report.html" ;;
  *) echo "asrnet: the run failed with exit code $code; the end of $folder/nightly.log:" && tail -n 20 nightly.log ;;
esac

# A failed run leaves asrnet's own metrics unchanged; this one shows the failure.
if [ -d "$metrics" ]; then
  {
    echo "# HELP asrnet_nightly_exit_code The exit code of the last nightly run."
    echo "# TYPE asrnet_nightly_exit_code gauge"
    echo "asrnet_nightly_exit_code $code"
  } >"$metrics/asrnet_nightly.prom.$$" && mv "$metrics/asrnet_nightly.prom.$$" "$metrics/asrnet_nightly.prom"
fi

exit "$code"
