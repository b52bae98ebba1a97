# SPDX-License-Identifier: LGPL-2.1-or-later
# btrfly stream check: good streams are counted, bad ones are named.
load support

STREAMS=$REPO/tests/images/streams

stream() { zcat "$STREAMS/$1.stream.gz"; }

@test "every stream of the kernel is good" {
  local name
  for name in full-v1 full-v2 full-compressed full-no-data incremental-v1 incremental-v2; do
    stream $name | "$BTRFLY" stream check -q
  done
}

@test "what is counted is what the dump of btrfs-progs has" {
  stream full-v1 >s
  "$BTRFLY" stream check s >report
  awk '{print $1}' "$STREAMS/full-v1.dump" | sort | uniq -c | awk '{print $2, $1}' >want
  awk 'NR > 1 && $1 != "needs" && $1 != "end" {print $1, $2}' report | sort >have
  diff have want
  [[ $(head -n1 report) == "1 stream (version 1), 1 subvolume, "*" commands, $(stat -c %s s) bytes, "* ]]
  run grep needs report
  [ "$status" = 1 ]
}

@test "an incremental stream names the parent that it needs" {
  local parent
  parent=$(sed -n 's/.*parent_uuid=\([^ ]*\) parent_transid=\([0-9]*\)/uuid=\1 transid=\2/p' "$STREAMS/incremental-v2.dump")
  [ "$(stream incremental-v2 | "$BTRFLY" stream check - | grep '^needs')" = "needs $parent" ]
  # Nothing is needed where the parent comes first.
  { stream full-v1 && stream incremental-v1; } >both
  run "$BTRFLY" stream check both
  [[ ${lines[0]} == "2 streams (version 1), 2 subvolumes, "* ]]
  [[ $output != *needs* ]]
}

@test "--json" {
  require python3
  stream incremental-v2 >s
  "$BTRFLY" stream check --json s | python3 -c '
import json, sys
o = json.load(sys.stdin)
assert o["streams"] == 1 and o["version"] == 2 and o["subvolumes"] == 1
assert sum(c["count"] for c in o["by_command"]) == o["commands"]
assert sum(c["bytes"] for c in o["by_command"]) + 17 == o["bytes"]
assert len(o["needs"]) == 1'
}

@test "each changed byte is found" {
  stream incremental-v2 >s
  local at
  for at in 0 13 17 21 23 30 200 2000; do
    cp s bad
    printf '\x7e' | dd of=bad bs=1 seek=$at conv=notrunc status=none
    fails 1 "btrfly stream check: stream offset *" "$BTRFLY" stream check bad
  done
}

@test "a stream that is cut short, empty, or something else" {
  stream incremental-v2 | head -c 3000 >s
  fails 1 "btrfly stream check: stream offset 3000: the stream ends early, within command *" "$BTRFLY" stream check s
  fails 1 "btrfly stream check: empty stream is not considered valid" "$BTRFLY" stream check /dev/null
  fails 1 "btrfly stream check: stream offset 0: no send stream starts here" "$BTRFLY" stream check "$BTRFLY"
  fails 1 "btrfly stream check: cannot open nowhere: No such file or directory" "$BTRFLY" stream check nowhere
}

@test "wrong usage: exit status 2" {
  run "$BTRFLY" stream check a b
  [ "$status" = 2 ]
  run "$BTRFLY" stream check --no-such-option
  [ "$status" = 2 ]
}

@test "a name that is longer than a filesystem's names is refused with its length" {
  require python3
  "$REPO/tests/support/named_stream" 4000 1 >s
  fails 1 'btrfly stream check: stream offset 17: command 1 (subvol): attribute path of 4000 bytes is longer than 255 bytes' \
    "$BTRFLY" stream check s
  "$REPO/tests/support/named_stream" 1 300 >s
  fails 1 'btrfly stream check: * (mkdir): attribute path has a component of 300 bytes, longer than 255 bytes' \
    "$BTRFLY" stream check s
  "$REPO/tests/support/named_stream" 255 255 | "$BTRFLY" stream check -
}
