# SPDX-License-Identifier: LGPL-2.1-or-later
# btrfly receive into a plain directory: what the kernel sent is what lies there.
load support

STREAMS=$REPO/tests/images/streams
TREEDIFF=$BUILD/tests/support/treediff

setup() {
  support_setup
  mkdir dir
}

# stream NAME: the fixture of that name on stdout.
stream() { zcat "$STREAMS/$1.stream.gz"; }

# tree_is NAME MANIFEST [COLUMNS]: dir/NAME is the tree of the fixture MANIFEST, but for attributes that
# btrfs alone has, and for the columns that are left out.
tree_is() {
  "$TREEDIFF" ${3:+--without="$3"} "dir/$1" >have
  sed 's/ xattr:btrfs\.compression=[a-z]*//' "$STREAMS/$2.tree" >want
  case ${3:-} in *owner*) sed -Ei 's/^([^ ]+ .( [0-7]{4})?) [0-9]+:[0-9]+/\1/' want ;; esac
  case ${3:-} in *special*) sed -Ei '/^[^ ]+ [bc] /d' want ;; esac
  case ${3:-} in *xattr*) sed -Ei 's/ xattr:.*//' want ;; esac
  diff have want
}

@test "root: a full stream of version 1" {
  require_root
  stream full-v1 | "$BTRFLY" receive dir
  tree_is first first
}

@test "root: a full stream of version 2" {
  require_root
  stream full-v2 | "$BTRFLY" receive dir
  tree_is first first
}

@test "root: encoded writes of zlib, lzo and zstd" {
  require_root
  stream full-compressed | "$BTRFLY" receive dir
  tree_is first first
}

@test "root: an incremental stream of version 1 on its parent" {
  require_root
  stream full-v1 | "$BTRFLY" receive dir
  stream incremental-v1 | "$BTRFLY" receive dir
  tree_is first first
  tree_is second second
}

@test "root: an incremental stream of version 2 on its parent" {
  require_root
  stream full-compressed | "$BTRFLY" receive dir
  stream incremental-v2 | "$BTRFLY" receive dir
  tree_is first first
  tree_is second second
}

@test "root: both streams in one input" {
  require_root
  { stream full-v1 && stream incremental-v1; } >s
  "$BTRFLY" receive dir <s
  tree_is first first
  tree_is second second
}

# The only setuid bit of the fixture, and its capability, are the ones that a user cannot give.
as_user_may() { sed -i 's/^\(\.\/dir\/inline f\) 4755/\1 0755/; s/ xattr:trusted\.[^ ]*//; s/ xattr:security\.[^ ]*//' want; }

@test "an ordinary user: all but what the closing line counts" {
  mkdir mine
  [ "$(id -u)" != 0 ] || chown 65534 mine
  mv mine dir/mine
  stream full-v1 >s1
  stream incremental-v1 >s2
  run --separate-stderr as_user "$BTRFLY" receive dir/mine -f s1
  [ "$status" = 0 ]
  [ "${stderr_lines[0]}" = "At subvol first" ]
  [ "${stderr_lines[1]}" = "btrfly receive: skipped: 35 owners, 1 setuid or setgid bit, 2 device nodes, 1 trusted attribute, 1 security attribute, 4 other extended attributes" ]
  run --separate-stderr as_user "$BTRFLY" receive dir/mine -f s2
  [ "$status" = 0 ]
  [ "${stderr_lines[0]}" = "At snapshot second" ]
  [ "${stderr_lines[1]}" = "btrfly receive: skipped: 5 owners, 1 device node" ]
  local tree
  for tree in first second; do
    tree_is mine/$tree $tree owner,special || true
    as_user_may
    # A char device 0:0 is nobody's privilege.
    diff have want
  done
}

@test "an ordinary user with --strict: the root's owner is an error at the end" {
  local make=$BATS_TEST_DIRNAME/../support/make_stream.py
  mkdir dir/mine
  [ "$(id -u)" != 0 ] || chown 65534 dir/mine
  python3 "$make" subvol:path=first chown:path=:uid=1:gid=1 mkfile:path=file end >s
  fails 1 "btrfly receive: stream offset *: the root: cannot keep the owner: Operation not permitted; what came so far is in dir/mine/.first.btrfly-partial: --resume goes on with it, 'rm -r' removes it" \
    as_user "$BTRFLY" receive -q --strict dir/mine -f s
}

@test "an ordinary user with --strict: the first thing that cannot be kept is an error" {
  mkdir dir/mine
  [ "$(id -u)" != 0 ] || chown 65534 dir/mine
  stream full-v1 >s
  fails 1 "btrfly receive: stream offset *: command 8: chown 'dir' (inode 257): cannot keep the owner: Operation not permitted; what came so far is in dir/mine/.first.btrfly-partial: --resume goes on with it, 'rm -r' removes it" \
    as_user "$BTRFLY" receive -q --strict dir/mine -f s
}

@test "a stream without data is received: sizes, and no content" {
  stream full-no-data | "$BTRFLY" receive -q dir || [ "$(id -u)" != 0 ]
  [ "$(stat -c %s dir/first/sparse)" = 1048576 ]
  [ "$(stat -c %b dir/first/sparse)" = 0 ]
}

@test "At subvol and At snapshot are said, and not with -q" {
  require_root
  stream full-v1 >s1
  stream incremental-v2 >s2
  run --separate-stderr "$BTRFLY" receive dir -f s1
  [ "${stderr_lines[0]}" = "At subvol first" ]
  [ -z "$output" ]
  run --separate-stderr "$BTRFLY" receive -v dir -f s2
  [ "${stderr_lines[0]}" = "At snapshot second" ]
  [[ ${stderr_lines[1]} == "receiving snapshot second uuid="*", ctransid="*" parent_uuid="*", parent_ctransid="* ]]
  rm -r dir/second
  run --separate-stderr "$BTRFLY" receive -q dir -f s2
  [ -z "$output$stderr" ]
}

@test "a name that is taken: an error, and nothing is written" {
  mkdir dir/first
  stream full-v1 >s
  fails 1 "btrfly receive: stream offset 17: command 1: subvol 'first': 'first' is there already" "$BTRFLY" receive -q dir -f s
  [ "$(ls -A dir)" = first ]
  cat s | fails 1 "btrfly receive: *'first' is there already" "$BTRFLY" receive -q dir
  [ "$(ls -A dir)" = first ]
}

@test "a parent that is not there: an error, and nothing is written" {
  stream incremental-v1 >s
  fails 1 "btrfly receive: stream offset 17: command 1: snapshot 'second': cannot find parent subvolume: no subvolume * was received here" \
    "$BTRFLY" receive -q dir -f s
  cat s | fails 1 "btrfly receive: *: cannot find parent subvolume: *" "$BTRFLY" receive -q dir
  [ -z "$(ls -A dir)" ]
}

@test "a parent whose tree is gone is named" {
  require_root
  stream full-v1 | "$BTRFLY" receive -q dir
  stream incremental-v1 >s
  rm -r dir/first
  fails 1 "btrfly receive: *: cannot find parent subvolume: subvolume * was received as 'first': No such file or directory" \
    "$BTRFLY" receive -q dir -f s
}

@test "damage in a file is found before anything is written" {
  stream full-v1 >s
  printf x | dd of=s bs=1 seek=100000 conv=notrunc status=none
  fails 1 'btrfly receive: stream offset *: command *: checksum mismatch' "$BTRFLY" receive -q dir -f s
  [ -z "$(ls -A dir)" ]
}

@test "a pipe that ends early: the tree keeps its temporary name, which is said" {
  require_root
  stream full-v1 >s
  head -c 100000 s | fails 1 "btrfly receive: stream offset 100000: the stream ends early, within command *; what came so far is in dir/.first.btrfly-partial: --resume goes on with it, 'rm -r' removes it" \
    "$BTRFLY" receive -q dir
  [ -d dir/.first.btrfly-partial ]
  [ ! -e dir/first ]
  cat s | fails 1 "btrfly receive: *: '.first.btrfly-partial' is there, from a receive that did not come to its end: go on with --resume, or remove it with 'rm -r'" "$BTRFLY" receive -q dir
}

@test "-E: bad commands are passed over, and the tree does not get its name" {
  require_root
  stream full-v1 >s
  printf x | dd of=s bs=1 seek=100000 conv=notrunc status=none
  run --separate-stderr "$BTRFLY" receive -q -E 0 dir -f s
  [ "$status" = 1 ]
  [[ ${stderr_lines[0]} == "btrfly receive: stream offset "*": checksum mismatch" ]]
  [[ $stderr == *"the subvolume is not whole"*"; what came so far is in dir/.first.btrfly-partial: --resume leaves it and begins anew, 'rm -r' removes it" ]]
  [ ! -e dir/first ]
  [ -e dir/.first.btrfly-partial/swap ] || [ -e dir/.first.btrfly-partial/reflinked ]
}

@test "a subvolume's name of more than 255 bytes from a pipe is refused in words, and nothing is written" {
  require python3
  local length options
  for length in 256 4000; do
    for options in "" --plain --resume; do
      "$REPO/tests/support/named_stream" $length 1 >s
      fails 1 "btrfly receive: * (subvol): attribute path of $length bytes is longer than 255 bytes" \
        bash -c "cat s | '$BTRFLY' receive -q $options dir"
      run "$BTRFLY" receive -q -E 0 $options -f s dir
      [ "$status" = 1 ]
      [[ ${lines[0]} == *"attribute path of $length bytes is longer than 255 bytes" ]]
      [ -z "$(ls -A dir)" ]
    done
  done
}

@test "-e: no byte behind the END is read" {
  require_root
  { stream full-v1 && echo rest; } >s
  { "$BTRFLY" receive -q -e dir && cat; } <s >rest
  [ "$(cat rest)" = rest ]
  tree_is first first
  rm -r dir/first
  cat s | { "$BTRFLY" receive -q -e dir && cat; } >rest
  [ "$(cat rest)" = rest ]
}

@test "without -e what follows must be a stream" {
  { stream full-no-data && echo rest of something; } >s
  fails 1 "btrfly receive: stream offset *: no send stream starts here" "$BTRFLY" receive -q dir -f s
  [ -z "$(ls -A dir)" ]
}

@test "--sparse: the zeros of a stream of version 1 become holes again" {
  require_root
  stream full-v1 | "$BTRFLY" receive -q dir
  stream incremental-v1 | "$BTRFLY" receive -q --sparse dir
  tree_is second second
  "$TREEDIFF" --holes dir/second | grep '^\./moved-text f ' | grep -q 'data=0-32,34-'
}

@test "a default ACL of DIR, or of a directory, is not handed down to what is received" {
  require setfacl getfacl
  require_root
  setfacl -d -m u:1234:rwx dir
  stream full-v1 | "$BTRFLY" receive -q dir
  stream incremental-v1 | "$BTRFLY" receive -q dir
  tree_is first first
  tree_is second second
}

@test "a default ACL of the parent's root is not handed down to what its copy gets" {
  require setfacl getfacl
  require_root
  stream full-v1 | "$BTRFLY" receive -q dir
  setfacl -d -m u:1234:rwx dir/first
  stream incremental-v1 | "$BTRFLY" receive -q dir
  getfacl -d dir/second | grep -q 1234
  [ "$(getfacl -R dir/second | grep -c 1234)" = 1 ]
}

# cut_and_resume BYTES OPTION…: the stream ends early, and is gone on with.
cut_and_resume() {
  local at=$1
  shift
  head -c "$at" s | "$BTRFLY" receive -q "$@" dir 2>/dev/null && return 1
  "$BTRFLY" receive -q --resume "$@" -f s dir
}

@test "--resume goes on where a stream ended early, full and incremental" {
  require_root
  stream full-v1 >s
  cut_and_resume 100000
  tree_is first first
  stream incremental-v1 >s
  cut_and_resume 3000
  tree_is second second
  [ "$(ls -A dir | tr '\n' ' ')" = ".btrfly first second " ]
  [ "$(ls dir/.btrfly | wc -l)" = 2 ]
}

@test "--resume after several ends" {
  require_root
  stream full-compressed >s
  local at
  for at in 500 2000 2001 20000 40000; do
    head -c $at s | "$BTRFLY" receive -q --resume dir 2>/dev/null && return 1
  done
  "$BTRFLY" receive -q --resume dir <s
  tree_is first first
}

@test "--resume as an ordinary user: what could not be made stays so" {
  mkdir dir/mine
  [ "$(id -u)" != 0 ] || chown 65534 dir/mine
  stream full-v1 >s
  # In the midst of the device nodes.
  head -c "$(grep -abo 'zero-major' s | head -n1 | cut -d: -f1)" s | as_user "$BTRFLY" receive -q dir/mine 2>/dev/null && return 1
  as_user "$BTRFLY" receive -q --resume -f s dir/mine
  tree_is mine/first first owner,special || true
  as_user_may
  diff have want
}

@test "--resume of what is whole already does nothing" {
  require_root
  stream full-v1 >s
  "$BTRFLY" receive -q -f s dir
  "$BTRFLY" receive -q --resume -f s dir
  cat s | "$BTRFLY" receive -q --resume dir
  tree_is first first
}

@test "--resume with another stream is refused" {
  require_root
  stream full-v1 >s
  head -c 100000 s | "$BTRFLY" receive -q dir 2>/dev/null && return 1
  # The same subvolume, sent in another way.
  stream full-v2 >other
  fails 1 "btrfly receive: stream offset *: command *: this is not the stream to resume; what came so far is in dir/.first.btrfly-partial: --resume goes on with it, 'rm -r' removes it" \
    "$BTRFLY" receive -q --resume -f other dir
  "$BTRFLY" receive -q --resume -f s dir
  tree_is first first
}

# begins_anew PATTERN COMMAND…: it succeeds, the tree is whole, and a line on stderr matches the glob PATTERN.
begins_anew() {
  local pattern=$1
  shift
  run --separate-stderr "$@"
  [ "$status" = 0 ] || { echo "exit status $status: $stderr"; return 1; }
  # shellcheck disable=SC2053 # the right side is a pattern
  [[ $stderr == $pattern ]] || { echo "stderr: $stderr"; return 1; }
  tree_is first first
}

@test "--resume begins anew when the machine was started again since" {
  require_root
  stream full-v1 >s
  head -c 100000 s | "$BTRFLY" receive -q dir 2>/dev/null && return 1
  cat /proc/sys/kernel/random/uuid >boot
  begins_anew "btrfly receive: warning: the machine was started again since, and what of '.first.btrfly-partial' reached the disk is not known: begun anew*" \
    unshare -m sh -c 'mount --bind boot /proc/sys/kernel/random/boot_id && exec "$@"' - "$BTRFLY" receive -q --resume -f s dir
  [ "$(ls -A dir | tr '\n' ' ')" = ".btrfly first " ]
  [ -z "$(ls dir/.btrfly | grep journal)" ]
}

@test "--resume behind commands that were passed over begins anew, and leaves the tree that is not whole" {
  require_root
  stream full-v1 >s
  cp s bad
  printf x | dd of=bad bs=1 seek=50000 conv=notrunc status=none
  "$BTRFLY" receive -q -E 0 -f bad dir 2>/dev/null && return 1
  cat s | fails 1 "btrfly receive: *: '.first.btrfly-partial' is there, from a receive that did not come to its end*" \
    "$BTRFLY" receive -q dir
  begins_anew "btrfly receive: warning: '.first.btrfly-partial' is not gone on with, since commands of it failed *" \
    "$BTRFLY" receive -q --resume -f s dir
  [ -d dir/.first.btrfly-partial ]
}

# cut_short [DIR]: a receive that did not come to its end.
cut_short() {
  stream full-v1 >s
  head -c 100000 s | "$BTRFLY" receive -q "${1:-dir}" 2>/dev/null && return 1
  [ -d "${1:-dir}/.first.btrfly-partial" ]
}

@test "--resume when the partial tree was deleted, renamed, or is another one" {
  require_root
  cut_short
  rm -r dir/.first.btrfly-partial
  begins_anew "btrfly receive: warning: what an earlier run left as '.first.btrfly-partial' is not there any more: begun anew*" \
    "$BTRFLY" receive -q --resume -f s dir
  rm -r dir && mkdir dir
  cut_short
  mv dir/.first.btrfly-partial dir/aside
  begins_anew "btrfly receive: warning: what an earlier run left as '.first.btrfly-partial' is not there any more: begun anew*" \
    "$BTRFLY" receive -q --resume -f s dir
  [ -d dir/aside ]
  rm -r dir && mkdir dir
  cut_short
  mv dir/.first.btrfly-partial dir/aside
  mkdir dir/.first.btrfly-partial
  echo mine >dir/.first.btrfly-partial/file
  begins_anew "*begun anew*another receive left a tree under the name that is used until the end: it stays, and '.first.btrfly-partial-1' is used*" \
    "$BTRFLY" receive -q --resume -f s dir
  [ "$(cat dir/.first.btrfly-partial/file)" = mine ]
}

@test "--resume when the journal, the record, or all of .btrfly was deleted" {
  require_root
  cut_short
  rm dir/.btrfly/*.journal
  begins_anew "*another receive left a tree under the name that is used until the end: it stays*" \
    "$BTRFLY" receive -q --resume -f s dir
  rm -r dir && mkdir dir
  cut_short
  rm -r dir/.btrfly
  begins_anew "*it stays, and '.first.btrfly-partial-1' is used*" "$BTRFLY" receive -q --resume -f s dir
  [ "$(ls dir/.btrfly | wc -l)" = 1 ]
}

@test "without --resume what an earlier run left is never taken over" {
  require_root
  cut_short
  fails 1 "btrfly receive: *: '.first.btrfly-partial' is there, from a receive that did not come to its end: go on with --resume, or remove it with 'rm -r'" \
    "$BTRFLY" receive -q -f s dir
  rm -r dir/.first.btrfly-partial
  "$BTRFLY" receive -q -f s dir
  tree_is first first
}

@test "a journal that leads elsewhere, was changed, or is somebody else's is refused" {
  require_root
  mkdir victim
  echo mine >victim/file
  cut_short
  journal=$(echo dir/.btrfly/*.journal)
  cp "$journal" saved
  for to in ../victim "$PWD/victim"; do
    TO=$to perl -0pe 's/first/$ENV{TO}/' saved >"$journal"
    fails 1 "btrfly receive: *: .btrfly/*.journal is damaged: remove it and begin anew" "$BTRFLY" receive -q --resume -f s dir
  done
  cp saved "$journal"
  chown 65534 "$journal"
  fails 1 "btrfly receive: *.journal is owned by user 65534 and not by user 0*" "$BTRFLY" receive -q --resume -f s dir
  rm "$journal"
  ln -s "$PWD/saved" "$journal"
  fails 1 "btrfly receive: *: open .btrfly/*.journal: *" "$BTRFLY" receive -q --resume -f s dir
  rm -r dir/.btrfly
  mkdir elsewhere
  ln -s ../elsewhere dir/.btrfly
  fails 1 "btrfly receive: *: open .btrfly: *" "$BTRFLY" receive -q --resume -f s dir
  [ "$(ls -A elsewhere)" = "" ]
  [ "$(ls -A victim)" = file ] && [ "$(cat victim/file)" = mine ]
}

# somebody_elses: ./dir is another user's, on a filesystem with the attributes of the privileged.
somebody_elses() {
  mount -t tmpfs none dir || skip "no tmpfs can be mounted"
  realpath dir >>"$BATS_TEST_TMPDIR/.mounts"
  chown 65534 dir
}

@test "a directory that was given the name of .btrfly is not believed" {
  require_root
  somebody_elses
  cut_short
  # It may be a received tree: all of them are root's.
  mv dir/.btrfly dir/mine
  mkdir -m 700 dir/.btrfly
  cp dir/mine/*.journal dir/.btrfly/
  fails 1 "btrfly receive: *: .btrfly does not bear the mark of what btrfly makes, and others can rename what lies beside it: what it says is not believed" \
    "$BTRFLY" receive -q --resume -f s dir
  rm -r dir/.btrfly
  ln dir/mine/*.journal dir/link
  mv dir/mine dir/.btrfly
  fails 1 "btrfly receive: *: .btrfly/*.journal has other names, too: what it says is not believed" \
    "$BTRFLY" receive -q --resume -f s dir
  rm dir/link
  "$BTRFLY" receive -q --resume -f s dir
  tree_is first first
}

@test "no stream sets the mark of .btrfly, nor does a copy of the parent take it over" {
  require_root
  somebody_elses
  python3 "$BATS_TEST_DIRNAME/../support/make_stream.py" subvol:path=snap xattr:path=:name=trusted.btrfly.state:data=1 \
    mkfile:path=f end >s
  fails 1 "*cannot keep the other extended attribute*" "$BTRFLY" receive -q --strict -f s dir
  rm -r dir/.snap.btrfly-partial dir/.btrfly
  "$BTRFLY" receive -q -f s dir 2>/dev/null
  [ -z "$(getfattr -dm- dir/snap 2>/dev/null | grep btrfly.state)" ]
  setfattr -n trusted.btrfly.state -v 1 dir/snap
  python3 "$BATS_TEST_DIRNAME/../support/make_stream.py" snapshot:path=next mkfile:path=g end >s2
  "$BTRFLY" receive -q -f s2 dir
  [ -z "$(getfattr -dm- dir/next 2>/dev/null | grep btrfly.state)" ]
}

@test "what was renamed to a parent's name is not the parent" {
  require_root
  somebody_elses
  stream full-v1 | "$BTRFLY" receive -q dir
  mv dir/first dir/aside
  mkdir dir/first
  echo secret >dir/first/victim
  stream incremental-v1 >s
  fails 1 "btrfly receive: *: cannot find parent subvolume: what bears its name now is not the directory that was received (--force-parent builds on it all the same)" \
    "$BTRFLY" receive -q -f s dir
  [ ! -e dir/second ]
}

@test "--strict --resume is an error where an earlier run left something out, and without --strict it is said" {
  require_root
  mkdir -m 755 dir/user && chown 65534 dir/user
  python3 "$BATS_TEST_DIRNAME/../support/make_stream.py" subvol:path=snap mkfile:path=a chown:path=a:uid=1:gid=1 \
    mkfile:path=b end >s
  chmod 644 s
  head -c $(($(stat -c %s s) - 20)) s | as_user "$BTRFLY" receive -q dir/user 2>/dev/null && return 1
  fails 1 "btrfly receive: *: '.snap.btrfly-partial' is there, from a run that left something out: owners*" \
    as_user "$BTRFLY" receive -q --strict --resume -f s dir/user
  run --separate-stderr as_user "$BTRFLY" receive -q --resume -f s dir/user
  [ "$status" = 0 ]
  [ "$stderr" = "btrfly receive: skipped by an earlier run: owners" ]
  # It is whole now, but not what --strict would have made.
  fails 1 "btrfly receive: *: 'snap' is there, from a run that left something out: owners" \
    as_user "$BTRFLY" receive -q --strict --resume -f s dir/user
}

@test "--resume does not pass over what was received without data, or by a run that trusted the stream" {
  require_root
  stream full-no-data | "$BTRFLY" receive -q dir 2>/dev/null
  stream full-v1 >s
  fails 1 "btrfly receive: *: 'first' is there already, and was received without data" "$BTRFLY" receive -q --resume -f s dir
  rm -r dir/first
  "$BTRFLY" receive -q -f s dir
  fails 1 "btrfly receive: *: 'first' is there already, and it is not known that it was received with --untrusted" \
    "$BTRFLY" receive -q --untrusted --resume -f s dir
  "$BTRFLY" receive -q --resume -f s dir
}

@test "two receives of one subvolume at a time: the second names the first" {
  require_root
  stream full-v1 >s
  mkfifo in
  "$BTRFLY" receive -q --resume dir <in 2>/dev/null &
  exec 7>in
  head -c 100000 s >&7
  until [ -d dir/.first.btrfly-partial ]; do sleep 0.05; done
  fails 1 "btrfly receive: *: process $! is receiving this subvolume here" "$BTRFLY" receive -q --resume -f s dir
  cat s | fails 1 "btrfly receive: *: process $! is receiving this subvolume here" "$BTRFLY" receive -q dir
  tail -c +100001 s >&7
  exec 7>&-
  wait $!
  tree_is first first
}

@test "a receive of another subvolume with the same name: the second names the first" {
  require_root
  stream full-v1 >s
  python3 "$BATS_TEST_DIRNAME/../support/set_attribute.py" s 1 uuid >other
  mkfifo in
  "$BTRFLY" receive -q dir <in 2>/dev/null &
  exec 7>in
  head -c 100000 s >&7
  until [ -d dir/.first.btrfly-partial ]; do sleep 0.05; done
  cat other | fails 1 "btrfly receive: *: process $! is receiving '.first.btrfly-partial' here" "$BTRFLY" receive -q dir
  exec 7>&-
  wait $! && return 1
  cat other | fails 1 "btrfly receive: *: '.first.btrfly-partial' is there, from a receive that did not come to its end*" \
    "$BTRFLY" receive -q dir
}

@test "a parent of another transaction: refused, or with --force-parent said" {
  require_root
  stream full-v1 | "$BTRFLY" receive -q dir
  # Under the transaction of another state of the subvolume.
  stream incremental-v1 >s

  python3 "$BATS_TEST_DIRNAME/../support/set_attribute.py" s 21 1000000 >other
  fails 1 "btrfly receive: *: cannot find parent subvolume: it was sent as of transaction *, and the stream was made against transaction 1000000: what it holds may be something else (--force-parent builds on it all the same)" \
    "$BTRFLY" receive -q -f other dir
  [ ! -e dir/second ]
  run --separate-stderr "$BTRFLY" receive -q --force-parent -f other dir
  [ "$status" = 0 ]
  [[ $stderr == "btrfly receive: warning: a parent or clone source may not be the right one: it was sent as of transaction "* ]]
  tree_is second second
}

@test "a stream without data: it is said, an error with --strict, and never a parent" {
  require_root
  stream full-no-data >s
  run --separate-stderr "$BTRFLY" receive -q -f s dir
  [ "$status" = 0 ]
  [[ $stderr == *"btrfly receive: warning: 'first' was sent without data (--no-data): its files do not have their content, and no incremental stream can build on it"* ]]
  [[ $stderr == *"skipped: "*"ranges of data that the stream does not have"* ]]
  stream incremental-v2 >s2
  fails 1 "btrfly receive: *: cannot find parent subvolume: it was received without data (its stream was sent with --no-data) (--force-parent builds on it all the same)" \
    "$BTRFLY" receive -q -f s2 dir
  mkdir strict
  fails 1 "btrfly receive: *: update_extent *: the stream was sent without data (--no-data)*" "$BTRFLY" receive -q --strict -f s strict
}

@test "-C: received in a chroot" {
  require_root
  # In there is no /proc, which a sanitizer's search for leaks needs.
  export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
  stream full-v1 | "$BTRFLY" receive -C dir 2>said
  [ "$(head -n1 said)" = "Chroot to dir" ]
  stream incremental-v2 | "$BTRFLY" receive -q -C dir
  tree_is second second
}

@test "-C is for root" {
  stream full-v1 >s
  fails 1 "btrfly receive: failed to chroot to dir: Operation not permitted" as_user "$BTRFLY" receive -C dir -f s
}

@test "a full filesystem: the error names command and path, and the tree stays where it is" {
  require_root
  mount -t tmpfs -o size=300k none dir || skip "cannot mount a tmpfs"
  realpath dir >>.mounts
  stream full-v1 >s
  fails 1 "btrfly receive: stream offset *: command *: *: No space left on device; what came so far is in dir/.first.btrfly-partial: --resume goes on with it, 'rm -r' removes it" \
    "$BTRFLY" receive -q dir -f s
}

@test "a directory that is not there, or is none" {
  : >file
  fails 1 "btrfly receive: cannot open destination directory nowhere: No such file or directory" "$BTRFLY" receive nowhere
  fails 1 "btrfly receive: cannot open destination directory file: Not a directory" "$BTRFLY" receive file
}

@test "wrong usage: exit status 2" {
  run "$BTRFLY" receive
  [ "$status" = 2 ]
  run "$BTRFLY" receive dir dir
  [ "$status" = 2 ]
  run "$BTRFLY" receive --json dir
  [ "$status" = 2 ]
}
