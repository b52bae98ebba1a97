# SPDX-License-Identifier: LGPL-2.1-or-later
# btrfly receive --dump: the lines of btrfs-progs, for streams that the kernel made.
load support

STREAMS=$REPO/tests/images/streams

# stream NAME: the fixture of that name on stdout.
stream() { zcat "$STREAMS/$1.stream.gz"; }

dump_equals() {
  stream "$1" | TZ=UTC "$BTRFLY" receive --dump >dump
  cmp dump "$STREAMS/$1.dump"
}

@test "a full stream of version 1 is dumped as btrfs-progs does" { dump_equals full-v1; }
@test "a full stream of version 2 is dumped as btrfs-progs does" { dump_equals full-v2; }
@test "encoded writes are dumped as btrfs-progs does" { dump_equals full-compressed; }
@test "a stream without data is dumped as btrfs-progs does" { dump_equals full-no-data; }
@test "an incremental stream of version 1 is dumped as btrfs-progs does" { dump_equals incremental-v1; }
@test "an incremental stream of version 2 is dumped as btrfs-progs does" { dump_equals incremental-v2; }

@test "the installed btrfs-progs print the same, in another time zone" {
  require btrfs
  stream full-v1 >s
  TZ=Europe/Berlin btrfs receive --dump -f s >theirs
  TZ=Europe/Berlin "$BTRFLY" receive --dump -f s >ours
  cmp ours theirs
}

@test "of two streams in a row the first one is dumped, as btrfs-progs does" {
  stream full-no-data >s
  cat s s | TZ=UTC "$BTRFLY" receive --dump >dump
  cmp dump "$STREAMS/full-no-data.dump"
}

@test "behind the END of what is dumped not a byte is read" {
  stream incremental-v1 >s
  echo rest >>s
  { "$BTRFLY" receive --dump >/dev/null && cat; } <s >rest
  [ "$(cat rest)" = rest ]
}

@test "--json: one object a command, with the names of the dump" {
  require python3
  stream incremental-v2 | "$BTRFLY" receive --dump --json >dump
  [ "$(wc -l <dump)" = $(($(wc -l <"$STREAMS/incremental-v2.dump") + 2)) ]
  python3 - dump <<'PYTHON'
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
assert lines[0] == {"command": "header", "version": 2}
assert lines[1]["command"] == "snapshot" and lines[1]["path"] == "second"
assert lines[-1]["command"] == "end" and lines[-1]["number"] == len(lines) - 1
odd = {bytes.fromhex(l["path_hex"]) for l in lines if "path_hex" in l}
assert b"odd\n\t\\\x1b\xc3\xa4\xff" in odd, odd
PYTHON
}

@test "a stream that ends early: what came is dumped, then one line says where it ended" {
  stream incremental-v1 >s
  truncate -s 1000 s
  fails 1 'btrfly receive: stream offset 1000: the stream ends early, within command *' "$BTRFLY" receive --dump -f s
  [[ ${lines[0]} == snapshot*./second* ]]
}

@test "a wrong checksum is named, and with --max-errors 0 the dump goes on behind it" {
  stream incremental-v1 >s
  printf x | dd of=s bs=1 seek=40 conv=notrunc status=none
  fails 1 'btrfly receive: stream offset 17: command 1 (snapshot): checksum mismatch' "$BTRFLY" receive --dump -f s
  run "$BTRFLY" receive --dump -E 0 -f s
  [ "$status" = 1 ]
  [ "${#lines[@]}" -gt 20 ]
}

@test "an empty input is no stream" {
  fails 1 'btrfly receive: empty stream is not considered valid' "$BTRFLY" receive --dump -f /dev/null
}

@test "a file that is no stream" {
  fails 1 'btrfly receive: stream offset 0: no send stream starts here' "$BTRFLY" receive --dump -f "$BTRFLY"
}

@test "an input that is not there, and one that cannot be read" {
  fails 1 'btrfly receive: cannot open nowhere: No such file or directory' "$BTRFLY" receive --dump -f nowhere
  fails 1 'btrfly receive: stream offset 0: read: Is a directory' "$BTRFLY" receive --dump -f .
}

@test "a full disk and a closed pipe on the output are errors, not crashes" {
  stream full-v1 >s
  run --separate-stderr bash -c '"$1" receive --dump -f s >/dev/full' - "$BTRFLY"
  [ "$status" = 1 ]
  [ "$stderr" = 'btrfly receive: cannot write the dump: No space left on device' ]
  fails 1 'btrfly receive: cannot write the dump: Broken pipe' \
    into_closed_pipe "$BTRFLY" receive --dump -f s
}

@test "wrong usage: exit status 2" {
  run --separate-stderr "$BTRFLY" receive --dump a-directory
  [ "$status" = 2 ]
  run --separate-stderr "$BTRFLY" receive --dump -E many
  [ "$status" = 2 ]
  [ "${stderr_lines[0]}" = "btrfly receive: 'many' is no number of errors" ]
  run --separate-stderr "$BTRFLY" receive --no-such-option
  [ "$status" = 2 ]
}

@test "a subvolume's name and a component of a path that no filesystem can have are named with their lengths" {
  require python3
  "$REPO/tests/support/named_stream" 256 1 >s
  fails 1 'btrfly receive: stream offset 17: command 1 (subvol): attribute path of 256 bytes is longer than 255 bytes' \
    "$BTRFLY" receive --dump -f s
  "$REPO/tests/support/named_stream" 255 256 >s
  run --separate-stderr "$BTRFLY" receive --dump -f s
  [ "$status" = 1 ]
  [[ $stderr == *" (mkdir): attribute path has a component of 256 bytes, longer than 255 bytes" ]]
  "$REPO/tests/support/named_stream" 255 255 >s
  "$BTRFLY" receive --dump -f s
}
