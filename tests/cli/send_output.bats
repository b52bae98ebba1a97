# SPDX-License-Identifier: LGPL-2.1-or-later
# btrfly send -f: what may be an output, what a failed send leaves, and --resume.
# shellcheck disable=SC2154 # status and stderr come from bats' run
load support

# image: ./image and its stream ./whole: a file of 1 MiB, and 40 small ones.
image() {
  local made=$BATS_FILE_TMPDIR/made
  if [ ! -e "$made.img" ]; then
    mkdir root
    head -c 1M /dev/urandom >root/large
    local i
    for i in {1..40}; do
      echo "$i" >"root/file-$i"
    done
    make_image made.img --rootdir root --shrink
    mv made.img "$made.img"
    "$BTRFLY" send -q "$made.img" / >"$made.stream"
  fi
  cp "$made.img" image
  cp "$made.stream" whole
}

# history: ./image, that the kernel made: snap0 to snap3, snapshots of one subvolume.
history() {
  require zstd
  zstd -dqf "$REPO/tests/images/send/generations.img.zst" -o image
}

# loop FILE [OPTION…]: a loop device of it, in $loop, that goes away with the test.
loop() {
  local file=$1
  shift
  loop=$(losetup -f --show "$@" "$file")
  loops+=("$loop")
}

setup() {
  support_setup
  loops=()
}

teardown() {
  local device
  for device in "${loops[@]}"; do
    losetup -d "$device"
  done
  support_teardown
}

# refused INPUT OUTPUT: nobody writes to an image that is sent.
refused() {
  local before
  before=$(sha256sum <image)
  fails 1 "btrfly send: *$2 is refused as output: it would overwrite $1, which is read" "$BTRFLY" send -q -f "$2" "$1" /
  fails 1 "btrfly send: *$2 is refused as output: *" "$BTRFLY" send -q --resume -f "$2" "$1" /
  sync
  [ "$(sha256sum <image)" = "$before" ]
}

# no_partial: nothing is left but what was there.
no_partial() {
  [ -z "$(find . -name '*partial*')" ]
}

# full_at BYTES COMMAND…: no file may grow beyond that.
full_at() {
  local bytes=$1
  shift
  # shellcheck disable=SC2016 # for the inner shell
  bash -c 'ulimit -f "$0"; exec "$@"' "$((bytes / 1024))" "$@"
}

@test "the image is refused as output under each of its names" {
  image
  ln -s image link
  ln -s "$PWD/link" far
  ln image hard
  mkdir dir
  local name
  for name in image ./image "$PWD/image" link far hard dir/../image; do
    refused image "$name"
  done
  refused link image
  no_partial
}

@test "the image is refused where its name is that of what came so far" {
  image
  ln image .out.btrfly-partial
  fails 1 "btrfly send: .out.btrfly-partial is refused as output: it would overwrite image, which is read" \
    "$BTRFLY" send -q -f out image /
  mv image image2
  fails 1 "btrfly send: .out.btrfly-partial is refused *" "$BTRFLY" send -q -f out .out.btrfly-partial /
  cmp image2 .out.btrfly-partial
  [ "$(stat -c %h image2)" = 2 ]
}

@test "the image is refused as an open descriptor" {
  image
  cp image before
  local name
  for name in /dev/stdout /dev/fd/1 /proc/self/fd/1; do
    # shellcheck disable=SC2016 # for the inner shell
    fails 1 'btrfly send: standard output is refused as output: *' \
      sh -c 'exec "$0" send -q -f "$1" image / >>image' "$BTRFLY" "$name"
    cmp image before
  done
  # shellcheck disable=SC2016
  fails 1 'btrfly send: /dev/fd/7 is refused *' sh -c 'exec "$0" send -q -f /dev/fd/7 image / 7>>image' "$BTRFLY"
  cmp image before
}

@test "each device of a filesystem is refused, not the image alone" {
  truncate -s 256M image b.img
  require mkfs.btrfs
  mkfs.btrfs -q -d raid1 -m raid1 image b.img >mkfs.log 2>&1
  sha256sum b.img >before
  fails 1 "btrfly send: b.img is refused as output: it would overwrite b.img, which is read" \
    "$BTRFLY" send -q --device b.img -f b.img image /
  sha256sum -c before
}

@test "a device of the filesystem is refused where it was not given" {
  truncate -s 256M image b.img
  require mkfs.btrfs
  mkfs.btrfs -q -d raid1 -m raid1 image b.img >mkfs.log 2>&1
  sha256sum b.img >before
  "$BTRFLY" send -q image / >whole
  fails 1 "btrfly send: b.img is refused as output: it holds the filesystem that is read, too" \
    "$BTRFLY" send -q -f b.img image /
  # shellcheck disable=SC2016 # for the inner shell
  fails 1 "btrfly ls: standard output is refused as output: it holds the filesystem that is read, too" \
    sh -c 'exec "$0" ls image >>b.img' "$BTRFLY"
  sha256sum -c before
  # Another filesystem is only a file.
  mkfs.btrfs -q -f b.img >mkfs.log 2>&1
  "$BTRFLY" send -q -f b.img image /
  cmp b.img whole
}

@test "an image and its loop device are refused as each other's output" {
  require_root_btrfs
  image
  loop image
  refused "$loop" "$loop"
  refused "$loop" image
  refused image "$loop"
  ln -s "$loop" device
  refused image device
  local first=$loop
  loop image
  refused "$first" "$loop"
  loop "$first"
  refused image "$loop"
  refused "$loop" image
}

@test "a partition and its disk are refused as each other's output, another partition is not" {
  require_root_btrfs
  require addpart
  image
  local size start=2048
  size=$(($(stat -c %s image) / 512))
  truncate -s 400M disk
  dd if=image of=disk bs=512 seek=$start conv=notrunc status=none
  mv disk image
  loop image -P
  addpart "$loop" 1 $start "$size" || skip "no partitions on loop devices"
  addpart "$loop" 2 $((start + size)) 8192
  [ -b "${loop}p1" ] || skip "partitions have no names in /dev"
  refused "${loop}p1" "${loop}p1"
  refused "${loop}p1" "$loop"
  refused "${loop}p1" image
  "$BTRFLY" send -q -f "${loop}p2" "${loop}p1" /
  cmp -n "$(stat -c %s whole)" "${loop}p2" whole
}

@test "the device of the filesystem that the image is a file on is refused" {
  require_root_btrfs
  require mkfs.ext4
  image
  mkdir files mnt
  mv image files/inner
  truncate -s 400M image
  mkfs.ext4 -q -d files image
  loop image
  # Read-only: where the test fails the kernel does not write behind it.
  mount -o ro "$loop" mnt || skip "no ext4"
  realpath mnt >>.mounts
  refused mnt/inner "$loop"
  refused mnt/inner image
  local under=$loop
  loop mnt/inner -r
  refused "$loop" "$under"
  # Another file on the same filesystem is only a file.
  "$BTRFLY" send -q -f out files/inner /
  cmp out whole
}

@test "two loop devices of other parts of one file have nothing to do with each other" {
  require_root_btrfs
  image
  truncate -s 64M both
  cat image >>both
  loop both -o 64M
  local upper=$loop
  loop both --sizelimit 64M
  "$BTRFLY" send -q -f "$loop" "$upper" /
  cmp -n "$(stat -c %s whole)" "$loop" whole
  losetup -d "$loop"
  unset 'loops[-1]'
  loop both --sizelimit 65M
  fails 1 "btrfly send: $loop is refused as output: it would overwrite $upper, which is read" \
    "$BTRFLY" send -q -f "$loop" "$upper" /
}

@test "what comes of a mapped device: its disk is refused, its neighbour is not" {
  require_root_btrfs
  require dmsetup
  image
  local size name
  size=$(($(stat -c %s image) / 512))
  truncate -s 400M disk
  dd if=image of=disk conv=notrunc status=none
  mv disk image
  loop image
  name=btrfly-test-$$
  dmsetup create "$name-a" --table "0 $size linear $loop 0" 2>dm.log || skip "device mapper: $(cat dm.log)"
  dmsetup create "$name-b" --table "0 8192 linear $loop $size"
  local bad=0
  dmsetup mknodes
  refused "/dev/mapper/$name-a" "$loop" || bad=1
  refused "/dev/mapper/$name-a" image || bad=1
  refused image "/dev/mapper/$name-a" || bad=1
  "$BTRFLY" send -q -f "/dev/mapper/$name-b" "/dev/mapper/$name-a" / || bad=1
  cmp -n "$(stat -c %s whole)" "/dev/mapper/$name-b" whole || bad=1
  dmsetup remove "$name-a"
  dmsetup remove "$name-b"
  [ $bad = 0 ]
}

@test "what fails before the first byte changes no file, and makes none" {
  image
  echo precious >old
  cp image before
  local words
  for words in 'image typo' '-p typo image /' '-c typo image /' '-c / -c typo image /' 'nowhere /' 'old /' \
    '--device nowhere image /' 'image / typo' '-e image / typo'; do
    # shellcheck disable=SC2086 # words
    fails 1 'btrfly send: *' "$BTRFLY" send -q -f old $words
    # shellcheck disable=SC2086
    fails 1 'btrfly send: *' "$BTRFLY" send -q -f new $words
    [ "$(cat old)" = precious ]
    [ ! -e new ]
    no_partial
  done
  # The other way round.
  fails 1 'btrfly send: old.stream: No such file or directory' "$BTRFLY" send -q -f image old.stream /
  cmp image before
  history
  fails 1 'btrfly send: send snap3: parent determination failed *' "$BTRFLY" send -q -f old -c / image snap3
  [ "$(cat old)" = precious ]
}

@test "a send that fails leaves the file as it was, and says where what came so far is" {
  image
  echo precious >old
  fails 1 "btrfly send: send /: write to old: File too large; what came so far is in .old.btrfly-partial, the same command with --resume goes on behind it" \
    full_at 102400 "$BTRFLY" send -q -f old image /
  [ "$(cat old)" = precious ]
  [ "$(stat -c '%s %a' .old.btrfly-partial)" = '102400 600' ]
  cmp -n 102400 .old.btrfly-partial whole
  "$BTRFLY" send -q --resume -f old image /
  cmp old whole
  no_partial
  mkdir dir
  fails 1 "btrfly send: *; what came so far is in dir/.new.btrfly-partial, *" \
    full_at 102400 "$BTRFLY" send -q -f dir/new image /
  [ ! -e dir/new ]
  # Without --resume it is made anew.
  "$BTRFLY" send -q -f dir/new image /
  cmp dir/new whole
  no_partial
}

@test "the tail of a stream that did not fit cannot be gone on with, and that is not said" {
  image
  fails 1 "btrfly send: send /: write to out: File too large; what came so far is in .out.btrfly-partial" \
    full_at 102400 "$BTRFLY" send -q --from-offset 5000 -f out image /
  fails 1 "btrfly send: --resume: send /: .out.btrfly-partial is not the beginning of this stream: at offset 0, command 1, *" \
    "$BTRFLY" send -q --resume -f out image /
}

@test "a symbolic link stays one, and what it leads to is replaced" {
  image
  mkdir there
  echo precious >there/file
  ln -s there/file link
  ln -s ../link there/link
  "$BTRFLY" send -q -f there/link image /
  [ -L link ] && [ -L there/link ]
  cmp there/file whole
  rm there/file
  "$BTRFLY" send -q -f link image /
  [ -L link ]
  cmp there/file whole
  fails 1 "btrfly send: *; what came so far is in there/.file.btrfly-partial, *" \
    full_at 102400 "$BTRFLY" send -q -f link image /
  cmp there/file whole
  ln -s loop loop
  fails 1 "btrfly send: cannot create 'loop': Too many levels of symbolic links" "$BTRFLY" send -q -f loop image /
}

@test "what cannot be a file" {
  image
  mkdir dir
  ln -s dir link
  fails 1 "btrfly send: cannot create 'dir': Is a directory" "$BTRFLY" send -q -f dir image /
  fails 1 "btrfly send: cannot create 'link': Is a directory" "$BTRFLY" send -q -f link image /
  fails 1 "btrfly send: cannot create 'new/': No such file or directory" "$BTRFLY" send -q -f new/ image /
  fails 1 "btrfly send: cannot create 'image/x': Not a directory" "$BTRFLY" send -q -f image/x image /
  local long
  long=$(printf 'x%.0s' {1..256})
  fails 1 "btrfly send: cannot create '$long': File name too long" "$BTRFLY" send -q -f "$long" image /
  fails 1 "btrfly send: cannot create '/dev/fd/99': No such file or directory" "$BTRFLY" send -q -f /dev/fd/99 image /
  mkdir .out.btrfly-partial
  fails 1 "btrfly send: '.out.btrfly-partial' is in the way: not a regular file" "$BTRFLY" send -q -f out image /
  rmdir .out.btrfly-partial
  ln -s image .out.btrfly-partial
  fails 1 "btrfly send: '.out.btrfly-partial' is in the way: not a regular file" "$BTRFLY" send -q -f out image /
}

@test "names as long as can be have names for what came so far, each its own" {
  image
  local long
  long=$(printf 'x%.0s' {1..254})
  "$BTRFLY" send -q -f "${long}a" image /
  cmp "${long}a" whole
  for end in a b; do
    fails 1 "btrfly send: *; what came so far is in .????????????????.btrfly-partial, *" \
      full_at 102400 "$BTRFLY" send -q -f "$long$end" image /
  done
  [ "$(find . -name '.*.btrfly-partial' | wc -l)" = 2 ]
  "$BTRFLY" send -q --resume -f "${long}b" image /
  cmp "${long}b" whole
}

@test "owner and mode of the file that is replaced are kept" {
  require_root
  image
  echo precious >old
  chmod 2750 old
  chown 1234:2345 old
  chmod 2750 old
  "$BTRFLY" send -q -f old image /
  cmp old whole
  [ "$(stat -c '%u %g %a' old)" = '1234 2345 2750' ]
}

@test "a user who may not give a file away replaces it as his own, for no group to read that could not" {
  require_root
  image
  chmod 644 image
  mkdir dir
  chmod 777 dir
  echo precious >dir/old
  chown 1234:2345 dir/old
  chmod 666 dir/old
  as_user "$BTRFLY" send -q -f dir/old image /
  cmp dir/old whole
  [ "$(stat -c '%u %a' dir/old)" = '65534 606' ]
  chown 0 dir/old
  chmod 644 dir/old
  fails 1 "btrfly send: cannot create 'dir/old': Permission denied" as_user "$BTRFLY" send -q -f dir/old image /
}

@test "a directory where no file can be made: what is empty is written as it is, anything else refused" {
  require_root
  image
  chmod 644 image
  mkdir dir
  : >dir/empty
  echo precious >dir/old
  chmod 666 dir/*
  chmod 755 dir
  as_user "$BTRFLY" send -q -f dir/empty image /
  cmp dir/empty whole
  fails 1 "btrfly send: cannot replace 'dir/old', which is not empty: its directory lets no file be made" \
    as_user "$BTRFLY" send -q -f dir/old image /
  [ "$(cat dir/old)" = precious ]
  fails 1 "btrfly send: cannot create 'dir/new': Permission denied" as_user "$BTRFLY" send -q -f dir/new image /
  # One that did not fit is empty again.
  : >dir/empty
  # shellcheck disable=SC2016 # for the inner shell
  fails 1 "btrfly send: send /: write to dir/empty: File too large" \
    as_user bash -c 'ulimit -f 100; exec "$@"' - "$BTRFLY" send -q -f dir/empty image /
  [ -e dir/empty ] && [ ! -s dir/empty ]
  # As in /tmp: files can be made, but those of others not replaced.
  chmod 1777 dir
  fails 1 "btrfly send: cannot replace 'dir/old', which is not empty: *" as_user "$BTRFLY" send -q -f dir/old image /
  [ "$(cat dir/old)" = precious ]
  : >dir/empty
  as_user "$BTRFLY" send -q -f dir/empty image /
  cmp dir/empty whole
  as_user "$BTRFLY" send -q -f dir/new image /
  cmp dir/new whole
}

@test "a file that is a mount point cannot be replaced" {
  require_root
  image
  : >empty
  : >out
  mount --bind empty out || skip "no bind mounts"
  realpath out >>.mounts
  "$BTRFLY" send -q -f out image /
  cmp empty whole
  fails 1 "btrfly send: cannot replace 'out', which is not empty: *" "$BTRFLY" send -q -f out image /
}

# paused COMMAND…: begin a send that stands still before its first byte, its draft made and locked: what it says has no
# room in the pipe that is its standard error.  $sender is its process.  resumed (not in a subshell): let it go on, and
# have its status.
paused() {
  mkfifo full
  exec 9<>full
  while dd if=/dev/zero of=full oflag=nonblock bs=4096 count=1 status=none 2>dd.log; do :; done
  "$@" 2>&9 3>&- &
  sender=$!
  until grep -q " FLOCK .* $sender " /proc/locks; do
    kill -0 "$sender" || return 1
    sleep 0.05
  done
}
resumed() {
  cat <full >said 3>&- 9>&- &
  local reader=$!
  exec 9>&-
  local status=0
  wait "$sender" || status=$?
  wait $reader
  rm full
  return $status
}

@test "what is put into the place of a new file meanwhile says nothing of its owner and mode" {
  require_root
  image
  mkdir dir
  chmod 1777 dir
  paused "$BTRFLY" send -f dir/out image /
  as_user sh -c ': >dir/out; chmod 666 dir/out'
  resumed
  cmp dir/out whole
  [ "$(stat -c '%u %a' dir/out)" = '0 600' ]
  # Nor does a link.
  rm dir/out
  echo precious >old
  paused "$BTRFLY" send -f dir/out image /
  as_user ln -s ../old dir/out
  resumed
  cmp dir/out whole
  [ "$(stat -c '%u %a' dir/out)" = '0 600' ]
  [ "$(cat old)" = precious ]
}

@test "what another user has made in a directory for all is not written, replaced or followed" {
  require_root
  image
  chmod 644 image
  mkdir dir
  chmod 1777 dir
  : >old
  as_user sh -c ': >dir/file; mkfifo dir/pipe; chmod 666 dir/*; ln -s ../old dir/link; ln -s ../new dir/dangling'
  local name
  for name in file pipe; do
    fails 1 "btrfly send: cannot create 'dir/$name': it belongs to user 65534, in a directory for all" \
      timeout 10 "$BTRFLY" send -q -f "dir/$name" image /
  done
  for name in link dangling; do
    fails 1 "btrfly send: cannot create 'dir/$name': Permission denied" "$BTRFLY" send -q -f "dir/$name" image /
  done
  [ ! -s old ] && [ ! -e new ] && [ ! -s dir/file ]
  # He himself may.
  as_user "$BTRFLY" send -q -f dir/file image /
  cmp dir/file whole
}

@test "what came so far from another user in a directory for all is not gone on with" {
  require_root
  image
  mkdir dir
  chmod 1777 dir
  head -c 5000 whole >dir/.out.btrfly-partial
  chown 65534 dir/.out.btrfly-partial
  fails 1 "btrfly send: *'dir/.out.btrfly-partial' belongs to user 65534: it is not gone on with" \
    "$BTRFLY" send -q --resume -f dir/out image /
  "$BTRFLY" send -q -f dir/out image /
  cmp dir/out whole
  [ "$(stat -c %u dir/out)" = 0 ]
}

@test "pipes, descriptors and devices are written as they are" {
  image
  mkfifo pipe
  cat pipe >got &
  "$BTRFLY" send -q -f pipe image /
  wait $!
  cmp got whole
  [ -p pipe ]
  echo before >got
  "$BTRFLY" send -q -f /dev/stdout image / >>got
  cmp got <(echo before; cat whole)
  "$BTRFLY" send -q -f /dev/fd/5 image / 5>got
  cmp got whole
  ln -s /dev/fd/5 link
  "$BTRFLY" send -q --resume -f link image / 5>got
  cmp got whole
  [ -L link ]
  "$BTRFLY" send -q -f /dev/null image /
  [ -c /dev/null ]
  no_partial
}

@test "a descriptor that is a socket is written as it is" {
  require python3
  image
  python3 - "$BTRFLY" <<'PYTHON' >got
import socket, subprocess, sys
ours, theirs = socket.socketpair()
child = subprocess.Popen([sys.argv[1], "send", "-q", "-f", "/dev/fd/%d" % theirs.fileno(), "image", "/"],
                         pass_fds=[theirs.fileno()])
theirs.close()
while data := ours.recv(65536):
    sys.stdout.buffer.write(data)
sys.exit(child.wait())
PYTHON
  cmp got whole
}

@test "standard descriptors that are closed get nothing into the file, and take nothing from it" {
  image
  local closed
  for closed in '<&-' '>&-' '2>&-' '<&- >&-' '<&- 2>&-' '>&- 2>&-' '<&- >&- 2>&-'; do
    rm -f out
    sh -c "exec \"\$0\" send -v -f out image / $closed" "$BTRFLY" || { echo "$closed"; return 1; }
    cmp out whole || { echo "$closed"; return 1; }
  done
  # shellcheck disable=SC2016 # for the inner shell
  fails 1 'btrfly send: send /: write to standard output: Bad file descriptor' \
    sh -c 'exec "$0" send -q image / >&-' "$BTRFLY"
  # shellcheck disable=SC2016
  fails 1 'btrfly ls: standard output: Bad file descriptor' sh -c 'exec "$0" ls image / >&-' "$BTRFLY"
}

@test "--resume goes on behind each place where a stream may have been cut" {
  image
  local size cut
  size=$(stat -c %s whole)
  for cut in 0 1 16 17 18 26 27 28 70 1000 5000 49200 60000 $((size / 2)) $((size - 11)) $((size - 10)) $((size - 1)) "$size"; do
    head -c "$cut" whole >.out.btrfly-partial
    rm -f out
    "$BTRFLY" send -q --resume -f out image /
    cmp out whole || { echo "cut at $cut"; return 1; }
    no_partial
  done
}

@test "--resume of several subvolumes, of one stream and of several, incremental and compressed" {
  history
  local options size cut
  for options in '' '-e' '-p snap0' '-e -c snap0' '-c snap0' '--compressed-data -e' '--no-data'; do
    # shellcheck disable=SC2086 # words
    "$BTRFLY" send -q $options image snap1 snap2 snap3 >whole
    size=$(stat -c %s whole)
    for cut in 100 $((size / 4)) $((size / 2)) $((size * 3 / 4)) $((size - 5)) "$size"; do
      head -c "$cut" whole >.out.btrfly-partial
      # shellcheck disable=SC2086
      "$BTRFLY" send -q $options --resume -f out image snap1 snap2 snap3
      cmp out whole || { echo "$options: cut at $cut"; return 1; }
    done
  done
}

@test "--resume says where it goes on, and sends only what is missing" {
  image
  head -c 100000 whole >.out.btrfly-partial
  run --separate-stderr "$BTRFLY" send -v --resume -f out image /
  [ "$status" = 0 ]
  [[ ${stderr_lines[0]} =~ ^"Going on behind byte "([0-9]+)" of .out.btrfly-partial"$ ]]
  local at=${BASH_REMATCH[1]}
  # A command of version 1 has at most 64 KiB.
  [ "$at" -le 100000 ] && [ "$at" -gt $((100000 - 65536)) ]
  [ "${stderr_lines[2]}" = "$(($(stat -c %s whole) - at)) bytes sent" ]
  cmp out whole
}

@test "--resume reads no file data that has come already" {
  image
  local at
  # A byte within the first half of the large file, whose data is in the order of the file in the stream.
  at=$(LC_ALL=C grep -aboP "$(head -c 600016 whole | tail -c 16 | od -An -tx1 | sed 's/ /\\x/g')" image | cut -d: -f1)
  [ -n "$at" ]
  cp whole .out.btrfly-partial
  truncate -s 900000 .out.btrfly-partial
  printf '\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377' | dd of=image bs=1 seek="$at" conv=notrunc status=none
  fails 1 'btrfly send: *checksum mismatch*' "$BTRFLY" send -q -f other image /
  "$BTRFLY" send -q --resume -f out image /
  cmp out whole
}

# not_resumed PATTERN WORD…: what came so far is not of that stream; that is said, and nothing is touched.
not_resumed() {
  local pattern=$1 before
  shift
  before=$(sha256sum .out.btrfly-partial)
  fails 1 "btrfly send: --resume: $pattern" "$BTRFLY" send -q --resume -f out "$@"
  [ "$(sha256sum .out.btrfly-partial)" = "$before" ]
  [ "$(cat out)" = precious ]
}

@test "--resume refuses what is not the beginning of the stream: what differs is said, and nothing touched" {
  history
  local is="send snap1: .out.btrfly-partial is not the beginning of this stream"
  echo precious >out
  "$BTRFLY" send -q image snap1 >whole
  "$BTRFLY" send -q image snap0 | head -c 5000 >.out.btrfly-partial
  not_resumed "$is: at offset 17, command 1, it has subvol of * bytes where the stream has *" image snap1
  head -c 5000 whole >.out.btrfly-partial
  not_resumed "$is: at offset 17, command 1, it has subvol of * bytes where the stream has snapshot of * bytes" \
    -p snap0 image snap1
  not_resumed "$is: at offset 0, command 1, it has something else where the stream has a header of its version" \
    --proto 2 image snap1
  "$BTRFLY" send -q image snap1 snap2 | head -c $(($(stat -c %s whole) + 200)) >.out.btrfly-partial
  not_resumed ".out.btrfly-partial is not the beginning of this stream: at offset $(stat -c %s whole), command *, it has more where the stream has its end" image snap1
  not_resumed "${is/snap1/snap2}: at offset $(($(stat -c %s whole) - 10)), command *, it has end of 10 bytes where the stream has subvol of * bytes" -e image snap1 snap2
  head -c 100 /dev/urandom >.out.btrfly-partial
  not_resumed "$is: at offset 0, command 1, *" image snap1
}

@test "--resume refuses a damaged byte in what came so far" {
  image
  echo precious >out
  head -c 900000 whole >.out.btrfly-partial
  printf X | dd of=.out.btrfly-partial bs=1 seek=600000 conv=notrunc status=none
  not_resumed "send /: .out.btrfly-partial: stream offset *: command * (write): checksum mismatch" image /
}

@test "--resume without anything to go on with makes the file anew" {
  image
  "$BTRFLY" send -q --resume -f out image /
  cmp out whole
  echo precious >out
  "$BTRFLY" send -q --resume -f out image /
  cmp out whole
  no_partial
}

@test "--resume writes to nothing that has another name" {
  image
  head -c 5000 whole >backup
  ln backup .out.btrfly-partial
  fails 1 "btrfly send: '.out.btrfly-partial' has other names (hard links): it is not gone on with" \
    "$BTRFLY" send -q --resume -f out image /
  cmp backup <(head -c 5000 whole)
  "$BTRFLY" send -q -f out image /
  cmp out whole
  cmp backup <(head -c 5000 whole)
}

@test "what has taken the place of what a sender writes does not become the file" {
  image
  echo precious >out
  paused "$BTRFLY" send -f out image /
  rm .out.btrfly-partial
  echo another >.out.btrfly-partial
  status=0
  resumed || status=$?
  [ "$status" = 1 ]
  [ "$(tail -n 1 said)" = "btrfly send: '.out.btrfly-partial' has been removed or replaced meanwhile" ]
  [ "$(cat out)" = precious ]
  [ "$(cat .out.btrfly-partial)" = another ]
}

# flush_fails ERROR COMMAND…: fsync fails so.  The leak detector cannot be traced.
flush_fails() {
  ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 \
    strace -o trace -e trace=fsync -e inject="fsync:error=$1" "${@:2}"
}

require_flush_fails() {
  require strace
  flush_fails EIO true 2>strace.log || skip "strace: $(cat strace.log)"
}

@test "a filesystem that knows no flushing gets the file all the same, one that fails at it does not" {
  image
  require_flush_fails
  local error
  for error in EINVAL EOPNOTSUPP; do
    flush_fails $error "$BTRFLY" send -q -f out image /
    cmp out whole
    no_partial
    rm out
  done
  fails 1 "btrfly send: flush '.out.btrfly-partial': Input/output error; what came so far is in .out.btrfly-partial, *" \
    flush_fails EIO "$BTRFLY" send -q -f out image /
  [ ! -e out ]
}

@test "a directory that cannot be flushed is an error, and the file is not said to be unfinished" {
  image
  require_flush_fails
  run flush_fails EIO:when=2 "$BTRFLY" send -q -f out image /
  [ "$status" = 1 ]
  [ "$output" = "btrfly send: flush the directory of 'out': Input/output error" ]
  cmp out whole
  no_partial
}

@test "a second sender of the same file is refused, and told of the first" {
  require flock
  image
  head -c 5000 whole >.out.btrfly-partial
  flock -F .out.btrfly-partial sleep 60 3>&- &
  local holder=$! option
  until grep -q " FLOCK .* $holder " /proc/locks; do sleep 0.05; done
  for option in --resume -q; do
    fails 1 "btrfly send: '.out.btrfly-partial' is being written by process $holder" \
      "$BTRFLY" send -q $option -f out image /
  done
  kill $holder
  wait $holder || true
  [ ! -e out ]
  cmp -n 5000 .out.btrfly-partial whole
  "$BTRFLY" send -q --resume -f out image /
  cmp out whole
}

@test "what a killed sender wrote is gone on with" {
  mkdir root
  head -c 100M /dev/urandom >root/large
  make_image image --rootdir root
  rm -r root
  "$BTRFLY" send -q image / | sha256sum >sum
  local signal pid
  for signal in INT TERM KILL; do
    env --default-signal=INT "$BTRFLY" send -q -f out image / &
    pid=$!
    until [ -s .out.btrfly-partial ] || [ -e out ]; do :; done
    kill -s "$signal" $pid || true
    wait $pid || true
    [ ! -e out ] || skip "the machine is too fast"
    [ -s .out.btrfly-partial ]
    "$BTRFLY" send -q --resume -f out image /
    sha256sum <out | cmp - sum
    rm out
  done
}
