# SPDX-License-Identifier: LGPL-2.1-or-later
# btrfly ls, against what ls prints of the same directories.
# shellcheck disable=SC2012,SC2154 # ls is what we compare with; stderr comes from bats' run
load support

# as_ls IMAGE PATH DIR [FILTER…]
as_ls() {
  local filter=("${@:4}")
  [ "${#filter[@]}" != 0 ] || filter=(cat)
  diff <("$BTRFLY" ls "$1" "$2" 2>/dev/null) <(LC_ALL=C ls -1A --show-control-chars "$3") &&
    diff <("$BTRFLY" ls -l "$1" "$2" 2>/dev/null | "${filter[@]}") \
      <(LC_ALL=C ls -lnA --show-control-chars --time-style=long-iso "$3" | tail -n +2 | "${filter[@]}")
}

# The links and the size of a directory are the filesystem's own business, and the columns' width with them.
without_directory_sizes() {
  sed -E '/^d/s/^([^ ]+) +[0-9]+ ([0-9 ]+) [0-9]+ /\1 \2 /; s/ +/ /g'
}

@test "ls prints what ls prints, without root" {
  mkdir -p root/dir/empty root/many
  echo hello >root/dir/file
  chmod 4755 root/dir/file
  echo 12345678901234567890 >root/.hidden
  ln root/.hidden root/dir/linked
  ln -s ../dir/file root/dir/link
  ln -s "$(printf 'x%.0s' {1..3000})" root/dir/long
  touch -d '1960-01-02 03:04:05' root/dir/early
  touch -d '2040-01-02 03:04:05' root/dir/late
  touch "root/$(printf 'n%.0s' {1..255})" $'root/a\nb' 'root/a b' $'root/\377\376' $'root/\303\244'
  chmod 000 root/dir/early
  touch root/many/{1..3000}
  make_image a.img --rootdir root
  local dir
  for dir in '' dir dir/empty many; do
    as_ls a.img "/$dir" "root/$dir" without_directory_sizes
  done
  diff <("$BTRFLY" ls a.img) <("$BTRFLY" ls a.img /)
  diff <("$BTRFLY" ls a.img //./dir///) <("$BTRFLY" ls a.img dir)
}

@test "ls prints what ls prints: every kind of file, every mode" {
  require_root_btrfs
  make_image a.img
  mount_image a.img m
  mkdir m/kinds m/modes
  mkfifo m/kinds/fifo
  mknod m/kinds/null c 1 3
  mknod m/kinds/big b 4095 1048575
  mknod m/kinds/loop b 7 13
  python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("m/kinds/socket")'
  echo 1 >m/kinds/file
  chown 4294967294:100000 m/kinds/file
  truncate -s 5T m/kinds/sparse
  local mode
  for mode in 0000 0777 1777 1666 2755 2644 4755 4644 7777 7000 0123 0456; do
    touch m/modes/f$mode
    mkdir m/modes/d$mode
    chmod $mode m/modes/[fd]$mode
  done
  setfattr -n user.a -v b m/kinds/file 2>/dev/null || true
  unmount m
  mount_image a.img m ro
  as_ls a.img kinds m/kinds
  as_ls a.img modes m/modes
  as_ls a.img / m
}

@test "ls enters subvolumes, and shows those that a snapshot does not hold as empty" {
  require_root_btrfs
  make_image a.img
  mount_image a.img m
  btrfs -q subvolume create m/sub
  btrfs -q subvolume create m/sub/nested
  mkdir m/sub/dir
  btrfs -q subvolume create m/sub/dir/inner
  touch m/sub/file m/sub/nested/one m/sub/dir/inner/two
  btrfs -q subvolume snapshot m/sub m/snap
  mv m/sub/nested m/sub/moved
  unmount m
  mount_image a.img m ro
  local dir
  for dir in / sub sub/moved sub/dir sub/dir/inner snap/dir/inner snap/nested; do
    as_ls a.img "$dir" "m/$dir"
  done
  # The kernel gives the empty directory the time of now.
  [ "$("$BTRFLY" ls a.img snap 2>/dev/null)" = $'dir\nfile\nnested' ]
  [ -z "$("$BTRFLY" ls a.img snap/nested 2>/dev/null)" ]
  unmount m
  fails 1 "btrfly ls: snap/nested/one: no such file or directory" "$BTRFLY" ls a.img snap/nested/one
}

@test "ls of a file shows the file" {
  mkdir -p root/dir
  echo hello >root/dir/file
  make_image a.img --rootdir root
  [ "$("$BTRFLY" ls a.img dir/file)" = dir/file ]
  (cd root && ls -ln --time-style=long-iso dir/file) >want
  diff <("$BTRFLY" ls -l a.img dir/file) want
}

@test "ls --json" {
  require python3
  mkdir -p root/dir
  echo hello >root/dir/file
  ln -s to/where root/dir/link
  touch $'root/dir/\377"'
  chmod 640 root/dir/file
  make_image a.img --rootdir root
  "$BTRFLY" ls --json a.img dir >got.json
  python3 - <<'PYTHON'
import json, os
got = {g['name']: g for g in map(json.loads, open('got.json'))}
assert sorted(got) == ['file', 'link', '\ufffd"'], got
assert got['\ufffd"']['name_hex'] == 'ff22'
st = os.stat('root/dir/file')
f = got['file']
assert f['type'] == 'file' and f['mode'] == '0640' and f['size'] == 6 and f['nlink'] == 1, f
assert f['uid'] == st.st_uid and f['gid'] == st.st_gid, f
assert f['mtime'].endswith('Z')
assert got['link']['type'] == 'symlink' and got['link']['target'] == 'to/where', got
assert 'subvolume' not in f
PYTHON
  [ "$("$BTRFLY" ls --json a.img / | python3 -c 'import json, sys; print(json.loads(sys.stdin.read())["type"])')" = directory ]
}

@test "ls on a terminal lets no name do anything" {
  require python3
  mkdir root
  touch $'root/\e[31mred' $'root/new\nline' $'root/\303\244 \\ \233\302\233'
  ln -s $'\e]0;title\a' root/link
  make_image a.img --rootdir root
  python3 - "$BTRFLY" ls -l a.img >shown <<'PYTHON'
import pty, sys
pty.spawn(sys.argv[1:])
PYTHON
  tr -d '\r' <shown | cut -d: -f2 | cut -c4- | LC_ALL=C sort >names
  diff names - <<'WANT'
\e[31mred
link -> \e]0;title\a
new\nline
ä \\ \233\302\233
WANT
  python3 - "$BTRFLY" ls a.img $'no\e[31mpe' <<'PYTHON' | tr -d '\r' >said
import pty, sys
pty.spawn(sys.argv[1:])
PYTHON
  [ "$(<said)" = 'btrfly ls: no?[31mpe: no such file or directory' ]
}

@test "ls of what is not there" {
  mkdir root root/dir
  echo hello >root/file
  ln -s dir root/link
  make_image a.img --rootdir root
  fails 1 "btrfly ls: nope: no such file or directory" "$BTRFLY" ls a.img nope
  fails 1 "btrfly ls: dir/nope: no such file or directory" "$BTRFLY" ls a.img dir/nope
  fails 1 "btrfly ls: dir/nope/x/y: there is no dir/nope" "$BTRFLY" ls a.img dir/nope/x/y
  fails 1 "btrfly ls: file/x: not a directory on the way to x" "$BTRFLY" ls a.img file/x
  fails 1 "btrfly ls: link/x: a symbolic link, which is not followed, on the way to x" "$BTRFLY" ls a.img link/x
  fails 1 "btrfly ls: dir/../file: '..' is not followed in a path within an image" "$BTRFLY" ls a.img dir/../file
  fails 1 "btrfly ls: $(printf 'n%.0s' {1..256}): no such file or directory" \
    "$BTRFLY" ls a.img "$(printf 'n%.0s' {1..256})"
  [ "$("$BTRFLY" ls -l a.img link | sed 's/.* link/link/')" = "link -> dir" ]
}

@test "ls says when standard output is full" {
  mkdir root
  touch root/a
  make_image a.img --rootdir root
  [ -e /dev/full ] || skip "needs /dev/full"
  # shellcheck disable=SC2016 # for the inner shell
  fails 1 "btrfly ls: standard output: No space left on device" sh -c '"$0" ls a.img >/dev/full' "$BTRFLY"
}

@test "ls: wrong usage has exit status 2" {
  local args
  for args in '' 'a b c' '-x a' '--device' '--jsn a'; do
    # shellcheck disable=SC2086 # words
    run --separate-stderr "$BTRFLY" ls $args
    [ "$status" = 2 ] || { echo "ls $args: status $status"; return 1; }
    [[ $stderr == *"usage: btrfly ls"* ]]
  done
}
