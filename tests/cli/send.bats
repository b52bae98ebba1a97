# SPDX-License-Identifier: LGPL-2.1-or-later
# btrfly send: its options and what it says, on images that need no root to be made.  Streams that are compared
# with the kernel's are in send_fixtures.bats and send_kernel.bats, damage is in send_damage.bats.
# shellcheck disable=SC2154 # status, output and stderr come from bats' run
load support

# image: ./image, whose content is in ./root.
image() {
  local made=$BATS_FILE_TMPDIR/made
  if [ ! -e "$made.img" ]; then
    mkdir -p root/a/b/c
    seq 400000 >root/a/large
    head -c 1000 root/a/large >root/a/b/inline
    head -c 123456 /dev/urandom >root/a/b/noise
    : >root/empty
    ln root/a/b/noise root/linked
    ln -s a/b/noise root/symlink
    mkfifo root/fifo
    touch "root/$(printf 'new\nline \\ \001')"
    make_image made.img --rootdir root --shrink
    mv made.img "$made.img"
    mv root "$made.root"
  fi
  ln -s "$made.root" root
  cp "$made.img" image
}

# history: ./image, that the kernel made: snap0 to snap3, snapshots of one subvolume.
history() {
  require zstd
  zstd -dq "$REPO/tests/images/send/generations.img.zst" -o image
}

# terminal stdout|stderr FILE COMMAND…: that descriptor is a terminal; what it showed is in FILE.
terminal() {
  require python3
  python3 - "$@" <<'PYTHON'
import os, pty, subprocess, sys
which, shown, *command = sys.argv[1:]
ours, theirs = pty.openpty()
child = subprocess.Popen(command, **{which: theirs})
os.close(theirs)
with open(shown, "wb") as f:
    while True:
        try:
            f.write(os.read(ours, 4096))
        except OSError:
            break
sys.exit(child.wait())
PYTHON
}

# What comes, half a second after its first byte: so long the sender stands still, time for progress.
slow_reader() {
  dd bs=1 count=1 status=none && sleep 0.5 && cat
}

# misused ARGUMENTS PATTERN: wrong usage, said in a line that matches, and then the usage.
misused() {
  # shellcheck disable=SC2086 # words
  run --separate-stderr "$BTRFLY" send $1
  [ "$status" = 2 ] || { echo "send $1: status $status"; return 1; }
  # shellcheck disable=SC2053,SC2154 # the right side is a pattern
  [[ ${stderr_lines[0]} == "btrfly send: "$2 ]] || { echo "send $1: $stderr"; return 1; }
  [[ ${stderr_lines[1]} == "usage: btrfly send "* ]]
  [ -z "$output" ]
}

@test "the top level is sent as toplevel, and what is received is what was put in" {
  image
  "$BTRFLY" send -q image / >stream
  [[ $("$BTRFLY" receive --dump -f stream | head -n 1) == "subvol "*"./toplevel "*"uuid="* ]]
  mkdir dir
  "$BTRFLY" receive -q dir -f stream 2>said
  diff -r --no-dereference -x fifo root/ dir/toplevel
  [ "$(stat -c %h dir/toplevel/linked)" = 2 ]
  [ "$(readlink dir/toplevel/symlink)" = a/b/noise ]
  [ -p dir/toplevel/fifo ]
}

@test "the same stream twice, with any number of threads, and with little memory" {
  image
  "$BTRFLY" send -q image / >stream
  local options
  for options in '' '--threads 1' '--threads 2' '--threads 8' '--memory 16M' '--threads 1 --memory 16M'; do
    # shellcheck disable=SC2086 # words
    cmp <("$BTRFLY" send -q $options image /) stream
  done
}

@test "the same incremental stream with any number of threads, and with little memory" {
  history
  local row options sum
  for row in 'snap0' '-p snap0 snap3' '-p snap3 -c snap1 snap0' '--proto 2 --compressed-data -p snap1 snap2'; do
    # shellcheck disable=SC2086 # words
    sum=$("$BTRFLY" send -q ${row% *} --threads 1 image "${row##* }" | sha256sum)
    for options in '--threads 2' '--threads 8' '--memory 16M'; do
      # shellcheck disable=SC2086 # words
      [ "$("$BTRFLY" send -q ${row% *} $options image "${row##* }" | sha256sum)" = "$sum" ]
    done
  done
}

@test "a subvolume is found by path and by number" {
  history
  local id
  id=$("$BTRFLY" subvolume list image | awk '$NF == "snap2" { print $2 }')
  "$BTRFLY" send -q image snap2 >stream
  cmp <("$BTRFLY" send -q image /snap2/) stream
  cmp <("$BTRFLY" send -q image "$id") stream
}

@test "-n and -n --json tell what the stream is" {
  history
  local row size commands said
  for row in '--proto 1 snap0' '-p snap0 snap3' '--no-data snap1' '--proto 2 snap2' \
    '--compressed-data -p snap3 snap1' '-c snap0 snap2'; do
    # shellcheck disable=SC2086 # words
    set -- ${row% *} image "${row##* }"
    "$BTRFLY" send -q "$@" >stream
    size=$(stat -c %s stream)
    # END has no line; where a name has a line's end, what is behind it is no line of its own.
    commands=$(($(dump stream | grep -acE '^[a-z_]+ +\./') + 1))
    said=$("$BTRFLY" send -q -n "$@")
    [[ $said == "stream size: $size bytes ("*"B)"$'\n'"commands: $commands"$'\n'"file data: "*" bytes"$'\n'"inodes: "* ]]
    [[ $("$BTRFLY" send -q -n --json "$@") == "{\"subvolume\":\"${row##* }\",\"bytes\":$size,\"commands\":$commands,\"data_bytes\":"*"}" ]]
    [ "$("$BTRFLY" send -q --dry-run "$@")" = "$said" ]
  done
}

# By btrfs-progs where they are.
dump() {
  if command -v btrfs >/dev/null; then
    btrfs receive --dump -f "$1"
  else
    "$BTRFLY" receive --dump -f "$1"
  fi
}

@test "-n counts the file data in the stream, and the files that were looked at" {
  image
  local data
  data=$("$BTRFLY" send -q image / | "$BTRFLY" receive --dump |
    sed -n 's/^write .* len=\([0-9]*\)$/\1/p' | awk '{ n += $1 } END { print n }')
  [ "$data" -ge "$(stat -c %s root/a/large)" ]
  # Directories: the top level, a, b, c; files: large, inline, noise, empty, symlink, fifo, and the odd name.
  [[ $("$BTRFLY" send -q -n --json image /) == *"\"data_bytes\":$data,\"inodes\":11}" ]]
}

@test "-n of several subvolumes: one object each, and with -e their sizes add up to the stream" {
  history
  "$BTRFLY" send -q -n -e --json image snap0 snap1 snap2 >said
  [ "$(wc -l <said)" = 3 ]
  local sum
  sum=$(sed 's/.*"bytes":\([0-9]*\),.*/\1/' said | awk '{ n += $1 } END { print n }')
  [ "$("$BTRFLY" send -q -e image snap0 snap1 snap2 | wc -c)" = "$sum" ]
}

@test "-n writes no file, and may print to a terminal" {
  image
  "$BTRFLY" send -q -n -f none image / >said
  [ ! -e none ]
  terminal stdout shown "$BTRFLY" send -q -n image /
  [ "$(tr -d '\r' <shown)" = "$(cat said)" ]
}

@test "--from-offset: the tail of the stream, from its first byte to its last" {
  image
  "$BTRFLY" send -q image / >stream
  local size offset threads
  size=$(stat -c %s stream)
  for offset in 0 1 10 17 18 30 1000 $((size / 2)) 1048575 1048576 1048577 $((size - 11)) $((size - 1)) "$size"; do
    for threads in 1 8; do
      "$BTRFLY" send -q --threads $threads --from-offset "$offset" image / >rest
      cmp rest <(tail -c +$((offset + 1)) stream) || { echo "offset $offset"; return 1; }
    done
  done
  cmp <("$BTRFLY" send -q --from-offset 1K image /) <(tail -c +1025 stream)
}

@test "--from-offset beyond the end" {
  image
  local size
  size=$("$BTRFLY" send -q image / | wc -c)
  fails 1 "btrfly send: --from-offset $((size + 5)): the stream ends 5 bytes before" \
    "$BTRFLY" send -q --from-offset $((size + 5)) image /
  fails 1 "btrfly send: --from-offset 18446744073709551615: the stream ends * bytes before" \
    "$BTRFLY" send -q --from-offset 18446744073709551615 image /
}

@test "--from-offset counts through several subvolumes" {
  history
  local options offset
  for options in '-q' '-q -e'; do
    # shellcheck disable=SC2086 # words
    "$BTRFLY" send $options image snap0 snap1 snap2 >stream
    for offset in $(($(stat -c %s stream) / 2)) $(($(stat -c %s stream) - 100)); do
      # shellcheck disable=SC2086 # words
      cmp <("$BTRFLY" send $options --from-offset "$offset" image snap0 snap1 snap2) <(tail -c +$((offset + 1)) stream)
    done
  done
}

@test "-f: a new file is the owner's alone, one that is there is replaced, its mode is kept" {
  image
  "$BTRFLY" send -q image / >stream
  (umask 0 && "$BTRFLY" send -q -f new image /)
  cmp new stream
  [ "$(stat -c %a new)" = 600 ]
  cat stream stream >old
  chmod 640 old
  ln old other-name
  "$BTRFLY" send -q -f old image /
  cmp old stream
  cmp other-name <(cat stream stream)
  [ "$(stat -c %a old)" = 640 ]
  [ -z "$(find . -name '*partial*')" ]
}

@test "At subvol and the bytes sent are said on stderr, and not with -q" {
  image
  run --separate-stderr "$BTRFLY" send -f stream image /
  [ "$status$output$stderr" = "0At subvol /" ]
  run --separate-stderr "$BTRFLY" send -v -f stream image /
  [ "$stderr" = "At subvol /"$'\n'"$(stat -c %s stream) bytes sent" ]
  run --separate-stderr "$BTRFLY" send -q -f stream image /
  [ "$status$output$stderr" = 0 ]
}

@test "a terminal gets no stream" {
  image
  local status=0
  terminal stdout shown "$BTRFLY" send -q image / 2>said || status=$?
  [ "$status" = 1 ]
  [ ! -s shown ]
  [ "$(cat said)" = "btrfly send: not dumping send stream into a terminal, redirect it into a file" ]
}

@test "progress is shown on a terminal, and is gone at the end" {
  image
  "$BTRFLY" send -q image / >stream
  terminal stderr shown "$BTRFLY" send image / | slow_reader >got
  cmp got stream
  grep -aq $'^At subvol /\r' shown
  grep -aqE $'\r[0-9.]+ [KMG]iB, [0-9.]+ [KM]?i?B/s, [0-9]+ files, [0-9]+ %, [0-9]+:[0-9]{2} left\033\\[K' shown
  [ "$(tail -c 4 shown)" = $'\r\033[K' ]
}

@test "no progress with -q, nor into a pipe" {
  image
  terminal stderr shown "$BTRFLY" send -q image / | slow_reader >/dev/null
  [ ! -s shown ]
  "$BTRFLY" send image / 2>said | slow_reader >/dev/null
  [ "$(cat said)" = "At subvol /" ]
}

@test "--proto 3 is --proto 2 where nothing has fs-verity" {
  history
  cmp <("$BTRFLY" send -q --proto 2 -p snap0 image snap3 | tail -c +18) \
    <("$BTRFLY" send -q --proto 3 -p snap0 image snap3 | tail -c +18)
  [ "$("$BTRFLY" send -q --proto 3 image snap3 | head -c 17 | od -An -tx1 | tr -d ' \n')" = 62747266732d73747265616d0003000000 ]
}

@test "--explain: a full stream" {
  image
  run --separate-stderr "$BTRFLY" send -q --explain -f stream image /
  [ "$stderr" = "/ (id 5): a full stream, nothing to build on was given" ]
}

@test "--explain: each candidate, and why not" {
  history
  run --separate-stderr "$BTRFLY" send -q --explain -n -c snap0 -c snap2 -c snap1 image snap3
  [ "$status" = 0 ]
  [ "${stderr_lines[0]}" = "snap3 (id 260): an incremental stream" ]
  [[ ${stderr_lines[1]} == "  snap0 (id 257): clone source: a snapshot of the same subvolume, but farther away ("*" generations)" ]]
  [[ ${stderr_lines[2]} == "  snap2 (id 259): chosen as parent: a snapshot of the same subvolume, the nearest ("*" generations)" ]]
  [[ ${stderr_lines[3]} == "  snap1 (id 258): clone source: a snapshot of the same subvolume, but farther away ("*" generations)" ]]
  [ "${#stderr_lines[@]}" = 4 ]
  run --separate-stderr "$BTRFLY" send -q --explain -n -c snap0 -c work image snap3
  [[ ${stderr_lines[1]} == "  snap0 (id 257): clone source: a snapshot of the same subvolume, but farther away ("* ]]
  [ "${stderr_lines[2]}" = "  work (id 256): chosen as parent: the subvolume is a snapshot of it" ]
  run --separate-stderr "$BTRFLY" send -q --explain -n -c snap0 -c / image snap3
  [ "${stderr_lines[2]}" = "  / (id 5): clone source: not a snapshot of the same subvolume" ]
  run --separate-stderr "$BTRFLY" send -q --explain -n -p snap1 -c snap0 image snap3
  [ "${stderr_lines[1]}" = "  snap0 (id 257): clone source" ]
  [ "${stderr_lines[2]}" = "  snap1 (id 258): parent, as -p says, and clone source" ]
}

@test "wrong usage has exit status 2" {
  misused '' 'an image and a subvolume are needed'
  misused 'a' 'an image and a subvolume are needed'
  misused '-p a -p b c d' 'you cannot have more than one parent (-p)'
  misused '--proto 4 a b' '--proto 4: 0 to 3 are known'
  misused '--proto one a b' '--proto one: 0 to 3 are known'
  misused '--proto -1 a b' '--proto -1: 0 to 3 are known'
  misused '--proto 1 --compressed-data a b' '--compressed-data requires protocol version >= 2 (requested 1)'
  misused '--threads 0 a b' '--threads 0: 1 to * are possible'
  misused '--threads 100000 a b' '--threads 100000: 1 to * are possible'
  misused '--threads many a b' '--threads many: 1 to * are possible'
  misused '--memory 15M a b' '--memory 15M: a size of 16 MiB or more is needed'
  misused '--memory 16X a b' '--memory 16X: a size of 16 MiB or more is needed'
  misused '--memory 99999999999T a b' '--memory 99999999999T: a size of 16 MiB or more is needed'
  misused '--from-offset -1 a b' '--from-offset -1 is not a number of bytes'
  misused '--from-offset 99999999999999999999 a b' '--from-offset 99999999999999999999 is not a number of bytes'
  misused '--json a b' '--json is for -n'
  misused '--resume a b' '--resume goes on with a file and needs -f FILE'
  misused '--resume -f x -n a b' '--resume excludes -n and --from-offset'
  misused '--resume -f x --from-offset 7 a b' '--resume excludes -n and --from-offset'
  misused '--nope a b' "wrong option '--nope'"
  misused '-x a b' "wrong option '-x'"
  misused '-qx a b' "wrong option '-x'"
  misused '--quiet=1 a b' "wrong option '--quiet=1'"
  local option
  for option in -p -c -f --proto --from-offset --threads --memory --device; do
    misused "$option" "option '$option' needs a value"
  done
}

@test "--progress shows the progress where there is no terminal" {
  image
  "$BTRFLY" send --progress -q image / 2>shown | slow_reader >/dev/null
  grep -q 'files, .* %, .* left' shown
}
