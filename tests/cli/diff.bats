# SPDX-License-Identifier: LGPL-2.1-or-later
# btrfly diff, against what tests/support/changes finds by walking both subvolumes on a mount, and by hand.
# shellcheck disable=SC2154 # stderr comes from bats' run
load support

CHANGES=$REPO/tests/support/changes

# begin [MKFS-OPTION…]: a mounted filesystem with a subvolume w.
begin() {
  require_root_btrfs
  make_image a.img "$@"
  mount_image a.img m "$MOUNT"
  btrfs -q subvolume create m/w
}

snapshot() { btrfs -q subvolume snapshot -r "m/$1" "m/$2"; }

# What the user sees; the image is mounted, and the warning of that is not what is tested here.
ours() { "$BTRFLY" diff "$@" 2>/dev/null; }

# judged OLD NEW: in both directions, on what is on disk.
judged() {
  sync -f m
  local old new
  for old in "$1" "$2"; do
    new=$([ "$old" = "$1" ] && echo "$2" || echo "$1")
    ours --json --ranges a.img "$old" "$new" >"$old-$new.json"
    "$CHANGES" --json "$old-$new.json" >ours
    "$CHANGES" "m/$old" "m/$new" >judge
    diff judge ours || { echo "diff $old $new"; return 1; }
  done
}

# printed OLD NEW [OPTION…], and the wanted lines on stdin.
printed() {
  sync -f m
  ours "${@:3}" a.img "$1" "$2" >printed
  diff - printed
}

# noise BYTES SEED
noise() {
  head -c "$1" /dev/zero | openssl enc -aes-128-ctr -K "$(printf '%032x' "$2")" -iv 0 2>/dev/null
}

@test "diff of the fixtures is what the kernel shows, without root" {
  require python3 zstd
  local file name rows=0
  for file in "$REPO"/tests/images/diff/*.changes.zst; do
    name=${file##*/}
    name=${name%.changes.zst}
    zstd -dqf "$REPO/tests/images/send/${name%%.*}.img.zst" -o image
    local old=${name#*.} new=${name##*-}
    old=${old%%-*}
    "$BTRFLY" diff --json --ranges image "${old//_//}" "${new//_//}" >ours.json
    "$CHANGES" --json ours.json >ours
    zstd -dqf "$file" -o judge
    diff judge ours || { echo "$name"; return 1; }
    rows=$((rows + 1))
  done
  [ "$rows" = 10 ]
}

@test "diff of a subvolume with itself is empty" {
  mkdir root
  echo hello >root/file
  make_image a.img --rootdir root
  [ -z "$("$BTRFLY" diff a.img / 5)" ]
}

@test "diff of content: what was touched, and what was written again" {
  local MOUNT=
  begin
  cd m/w
  for f in same touched rewritten one-byte appended shorter punched filled cloned replaced moved sparse; do
    noise 50000 1 >$f
  done
  truncate -s 200000 sparse
  echo small >inline
  echo small >inline-same
  cd ../..
  sync -f m
  snapshot w old
  cd m/w
  touch touched
  noise 50000 1 | dd of=rewritten conv=notrunc status=none
  cp -p rewritten ../keep
  printf x | dd of=one-byte bs=1 seek=20000 conv=notrunc status=none
  echo more >>appended
  truncate -s 20000 shorter
  fallocate -p -o 8192 -l 8192 punched
  fallocate -p -o 60000 -l 30000 sparse
  cat sparse >sparse.new
  cat sparse.new >sparse
  rm sparse.new
  cp --reflink=always same filled
  noise 50000 2 >replaced.new
  mv replaced.new replaced
  noise 50000 3 >cloned
  mv moved moved-away
  echo Small >inline
  echo small >inline-same
  rm ../keep
  cd ../..
  snapshot w new
  judged old new
  printed old new --ranges <<'WANT'
M	appended
	[50000, 50005)
M	cloned
	[0, 50000)
P	filled
M	inline
	[0, 6)
P	inline-same
R	moved	moved-away
M	one-byte
	[16384, 20480)
M	punched
	[8192, 16384)
D	replaced
A	replaced
P	rewritten
M	shorter
	[20000, 50000)
P	sparse
P	touched
WANT
}

@test "diff of content: compressed, rewritten, defragmented and uncompressed" {
  local MOUNT=compress-force=zstd
  begin
  cd m/w
  for f in same other plain part defragmented; do
    seq 1 60000 >$f
  done
  cd ../..
  sync -f m
  snapshot w old
  cd m/w
  seq 1 60000 | dd of=same conv=notrunc status=none
  seq 1 60000 | sed 's/^30000$/3OOOO/' | dd of=other conv=notrunc status=none
  sync -f .
  cd ../..
  mount -o remount,compress=no m
  seq 1 60000 | dd of=m/w/plain conv=notrunc status=none
  printf x | dd of=m/w/part bs=1 seek=200000 conv=notrunc status=none
  btrfs -q filesystem defragment -clzo m/w/defragmented
  sync -f m
  snapshot w new
  judged old new
  printed old new <<'WANT'
M	other
M	part
P	plain
P	same
WANT
}

@test "diff of content: without checksums, preallocated, and on a filesystem that writes its holes down" {
  local MOUNT=
  begin -O ^no-holes --csum xxhash
  cd m/w
  mkdir nocow
  chattr +C nocow
  for f in nocow/same nocow/other; do noise 100000 4 >$f; done
  fallocate -l 100000 reserved
  fallocate -l 100000 written
  truncate -s 1M hole
  truncate -s 1M shrunk
  cd ../..
  sync -f m
  snapshot w old
  cd m/w
  noise 100000 4 | dd of=nocow/same conv=notrunc status=none
  noise 100000 5 | dd of=nocow/other conv=notrunc bs=4096 count=3 seek=5 status=none
  head -c 100000 /dev/zero | dd of=reserved conv=notrunc status=none
  printf x | dd of=written bs=1 seek=70000 conv=notrunc status=none
  head -c 5000 /dev/zero | dd of=hole bs=1 seek=5000 conv=notrunc status=none
  truncate -s 1000000 shrunk
  cd ../..
  snapshot w new
  judged old new
  printed old new --ranges <<'WANT'
P	hole
M	nocow/other
	[20480, 32768)
P	nocow/same
P	reserved
M	shrunk
	[1000000, 1048576)
M	written
	[69632, 73728)
WANT
}

# Two blocks of one crc32c: 33 bits of the one are those of the other xored with the polynomial.
@test "diff --data compares data where checksums agree" {
  require python3
  local MOUNT=
  begin
  head -c 8192 /dev/zero | tr '\0' a >m/w/file
  sync -f m
  snapshot w old
  python3 - <<'PYTHON'
with open('m/w/file', 'r+b') as f:
    data = bytearray(f.read())
    for i in range(33):
        if 0x11EDC6F41 >> (32 - i) & 1:
            data[5000 + i // 8] ^= 1 << i % 8
    f.seek(0)
    f.write(data)
PYTHON
  sync -f m
  touch -r m/old/file m/w/file
  snapshot w new
  run ! cmp -s m/old/file m/new/file
  printed old new </dev/null
  printed old new --data --ranges <<'WANT'
M	file
	[4096, 8192)
WANT
}

@test "diff of metadata" {
  local MOUNT=
  begin
  cd m/w
  touch mode owner group xattr acl flags time many nothing accessed
  setfattr -n user.a -v 1 xattr
  setfattr -n user.a -v 1 nothing
  mkdir dir sub
  mkfifo fifo
  ln -s target link
  cd ../..
  snapshot w old
  cd m/w
  chmod 4711 mode
  chown 1000 owner
  chown :1000 group
  setfattr -n user.a -v 2 xattr
  setfattr -x user.a nothing
  setfattr -n user.a -v 1 nothing
  setfacl -m u:1000:r acl
  chattr +A flags
  touch -d '2001-02-03 04:05:06.7' time
  chown 1:2 many
  chmod 777 many
  touch -ad '2001-01-01' accessed
  touch -hd '2001-01-01' link
  chmod 1777 dir
  chown 5 fifo
  cd ../..
  snapshot w new
  judged old new
  printed old new --json <<'WANT'
{"path":"acl","change":"modified","type":"file","inode":261,"metadata":["xattrs"]}
{"path":"dir","change":"modified","type":"directory","inode":267,"metadata":["mode"]}
{"path":"fifo","change":"modified","type":"fifo","inode":269,"metadata":["owner"]}
{"path":"flags","change":"modified","type":"file","inode":262,"metadata":["flags"]}
{"path":"group","change":"modified","type":"file","inode":259,"metadata":["group"]}
{"path":"link","change":"modified","type":"symlink","inode":270,"metadata":["mtime"]}
{"path":"many","change":"modified","type":"file","inode":264,"metadata":["mode","owner","group"]}
{"path":"mode","change":"modified","type":"file","inode":257,"metadata":["mode"]}
{"path":"owner","change":"modified","type":"file","inode":258,"metadata":["owner"]}
{"path":"time","change":"modified","type":"file","inode":263,"metadata":["mtime"]}
{"path":"xattr","change":"modified","type":"file","inode":260,"metadata":["xattrs"]}
WANT
}

# old                new
# a/                 b/            renamed; its children are listed only if they changed themselves
#   file             b/file
#   gone
#   renamed          b/other
#   deep/written     b/deep/written
#   out              out
# c/                 c/            its entries changed: no P for its time
#                    c/new
# linked             linked, c/link
# two, two2          one
# x, y               y, x          exchanged
@test "diff of names" {
  local MOUNT=
  begin
  cd m/w
  mkdir -p a/deep c
  touch a/file a/gone a/renamed a/out linked
  echo 1 >a/deep/written
  echo x >x
  echo y >y
  echo two >two
  ln two two2
  cd ../..
  snapshot w old
  cd m/w
  mv a b
  rm b/gone
  mv b/renamed b/other
  mv b/out out
  echo 2 >b/deep/written
  touch c/new
  ln linked c/link
  mv two one
  rm two2
  mv x t
  mv y x
  mv t y
  cd ../..
  snapshot w new
  judged old new
  printed old new <<'WANT'
D	a/gone
R	a	b
M	b/deep/written
R	a/renamed	b/other
A	c/link
A	c/new
R	two	one
R	a/out	out
D	two2
R	y	x
R	x	y
WANT
}

@test "diff of an inode number that was given out again" {
  local MOUNT=
  begin
  mkdir m/w/d
  touch m/w/d/f m/w/g
  local ino
  ino=$(stat -c %i m/w/g)
  snapshot w old
  rm m/w/g
  unmount m
  mount_image a.img m
  mkdir m/w/g
  [ "$(stat -c %i m/w/g)" = "$ino" ] || skip "this kernel does not give out inode numbers again"
  snapshot w new
  judged old new
  printed old new --json <<WANT
{"path":"g","change":"removed","type":"file","inode":$ino}
{"path":"g","change":"added","type":"directory","inode":$ino}
WANT
}

@test "diff of subvolumes in subvolumes" {
  local MOUNT=
  begin
  btrfs -q subvolume create m/w/stays
  btrfs -q subvolume create m/w/gone
  btrfs -q subvolume create m/w/moved
  mkdir m/w/dir
  snapshot w old
  btrfs -q subvolume delete m/w/gone
  btrfs -q subvolume create m/w/gone
  mv m/w/moved m/w/dir/here
  touch m/w/stays/file
  snapshot w new
  judged old new
  judged old w
  local moved gone
  moved=$(btrfs inspect-internal rootid m/w/dir/here)
  gone=$((moved - 1))
  printed old new --json <<WANT
{"path":"dir/here","change":"renamed","from":"moved","type":"subvolume","subvolume":$moved}
{"path":"gone","change":"removed","type":"subvolume","subvolume":$gone}
{"path":"gone","change":"added","type":"subvolume","subvolume":$((moved + 2))}
WANT
}

@test "diff of subvolumes that have nothing to do with each other, and of the top level" {
  local MOUNT=
  begin
  touch m/w/a
  sync -f m
  sleep 0.1
  btrfs -q subvolume create m/v
  touch m/v/a m/v/b
  judged w v
  printed w v <<'WANT'
D	a
A	a
A	b
WANT
  # By number, and with the top level, which holds the other two.
  [ "$(ours a.img 256 257)" = "$(ours a.img w v)" ]
  ours a.img / w >printed
  diff - printed <<'WANT'
A	a
D	v
D	w
WANT
}

@test "diff of random workloads is what the kernel shows" {
  local workload=$BUILD/tests/parity/workload/workload seed MOUNT=compress=lzo
  [ -x "$workload" ] || skip "$workload is not built"
  begin
  for seed in 1 2 3; do
    "$workload" --seed $seed --ops 200 --max-bytes 4000000 m/w
    snapshot w "s$seed"
  done
  judged s1 s2
  judged s2 s3
  judged s1 s3
}

@test "diff -0 ends every field with a NUL" {
  local MOUNT=
  begin
  touch m/w/a m/w/b
  head -c 9000 /dev/zero >m/w/$'new\nline'
  snapshot w old
  echo x >>m/w/$'new\nline'
  mv m/w/a m/w/$'\377\t'
  chmod 777 m/w/b
  snapshot w new
  sync -f m
  ours -0 --ranges a.img old new >got
  printf 'P\0b\0M\0new\nline\0[9000, 9002)\0R\0a\0\377\t\0' | cmp - got
  ours --json --ranges a.img old new >got
  diff - got <<'WANT'
{"path":"b","change":"modified","type":"file","inode":258,"metadata":["mode"]}
{"path":"new\u000aline","change":"modified","type":"file","inode":259,"content":true,"ranges":[{"start":9000,"end":9002}]}
{"path":"\ufffd\u0009","path_hex":"ff09","change":"renamed","from":"a","type":"file","inode":257}
WANT
}

@test "diff on a terminal lets no name do anything" {
  require python3
  local MOUNT=
  begin
  touch m/w/$'\e[31mred'
  snapshot w old
  mv m/w/$'\e[31mred' m/w/$'new\nline'
  snapshot w new
  unmount m
  python3 - "$BTRFLY" diff a.img old new >shown <<'PYTHON'
import pty, sys
pty.spawn(sys.argv[1:])
PYTHON
  [ "$(tr -d '\r' <shown)" = $'R\t\\e[31mred\tnew\\nline' ]
}

@test "diff of damaged data fails and names the file, but only if it must be read" {
  require python3
  local MOUNT=
  begin -d single
  mkdir m/w/dir
  noise 5000 1 >m/w/dir/file
  sync -f m
  snapshot w old
  noise 5000 1 | dd of=m/w/dir/file conv=notrunc status=none
  snapshot w same
  printf x | dd of=m/w/dir/file bs=1 seek=4500 conv=notrunc status=none
  snapshot w new
  unmount m
  python3 - <<'PYTHON'
import subprocess
want = subprocess.run("head -c 5000 /dev/zero | openssl enc -aes-128-ctr -K %032x -iv 0" % 1, shell=True,
                      capture_output=True).stdout[4096:4500]
image = bytearray(open('a.img', 'rb').read())
at = image.find(want)
assert at > 0
image[at] ^= 1
open('a.img', 'wb').write(image)
PYTHON
  # By checksums it is equal; of the last sector the data is wanted.
  [ "$("$BTRFLY" diff a.img old same)" = $'P\tdir/file' ]
  fails 1 "btrfly diff: dir/file (inode 258): old at 4096: data at *: checksum mismatch (found *, wanted *), no other copy" \
    "$BTRFLY" diff a.img old new
  [ -z "$output" ]
}

@test "diff of what is not there" {
  mkdir -p root/dir
  make_image a.img --rootdir root
  fails 1 "btrfly diff: nope: no such file or directory" "$BTRFLY" diff a.img nope /
  fails 1 "btrfly diff: dir is not a subvolume" "$BTRFLY" diff a.img / dir
  fails 1 "btrfly diff: no subvolume has the id 300" "$BTRFLY" diff a.img / 300
  fails 1 "btrfly diff: none.img: No such file or directory" "$BTRFLY" diff none.img / /
}

@test "diff says when standard output is full" {
  require zstd
  [ -e /dev/full ] || skip "needs /dev/full"
  zstd -dq "$REPO/tests/images/send/generations.img.zst" -o image
  # shellcheck disable=SC2016 # for the inner shell
  fails 1 "btrfly diff: standard output: No space left on device" \
    sh -c '"$0" diff image snap0 snap1 >/dev/full' "$BTRFLY"
}

@test "diff: wrong usage has exit status 2" {
  local args
  for args in '' 'a' 'a b' 'a b c d' '--json -0 a b c' '-x a b c' '--device' '--rages a b c'; do
    # shellcheck disable=SC2086 # words
    run --separate-stderr "$BTRFLY" diff $args
    [ "$status" = 2 ] || { echo "diff $args: status $status"; return 1; }
    [[ $stderr == *"usage: btrfly diff"* ]]
  done
}
