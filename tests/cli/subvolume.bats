# SPDX-License-Identifier: LGPL-2.1-or-later
# btrfly subvolume list and show, against what btrfs-progs prints of the same filesystem, mounted.
# shellcheck disable=SC2154 # stderr and stderr_lines come from bats' run
load support

# Subvolumes in directories and in each other, snapshots of both kinds, one received; mounted read-only on m.
build() {
  require_root_btrfs
  make_image a.img
  mount_image a.img m
  mkdir m/dir m/dir/deeper
  btrfs -q subvolume create m/plain
  btrfs -q subvolume create m/plain/nested
  mkdir m/plain/sub
  btrfs -q subvolume create m/plain/sub/below
  btrfs -q subvolume create m/dir/deeper/inner
  echo 1 >m/plain/file
  btrfs -q subvolume snapshot -r m/plain m/dir/frozen
  echo 2 >m/plain/file
  sync -f m
  btrfs -q subvolume snapshot m/plain m/dir/living
  btrfs -q subvolume snapshot m/dir/living 'm/a name with  spaces'
  btrfs -q subvolume create $'m/\303\244\377'
  mkdir m/in
  btrfs -q send m/dir/frozen 2>/dev/null | btrfs -q receive m/in 2>/dev/null
  btrfs -q subvolume create m/gone
  btrfs -q subvolume delete -c m/gone >/dev/null
  unmount m
  mount_image a.img m ro
}

same_list() {
  local where=m${SUBVOL:+/$SUBVOL}
  diff <("$BTRFLY" subvolume list "$@" a.img ${SUBVOL:+"$SUBVOL"} 2>/dev/null) <(btrfs subvolume list "$@" "$where") ||
    { echo "subvolume list $* $where"; return 1; }
}

@test "subvolume list prints what btrfs prints" {
  build
  [ "$(btrfs subvolume list m | wc -l)" = 9 ]
  local option
  for option in -a -o -p -c -g -u -q -R -s -r -t -pcguqR -pcguqRt -st -ar; do
    same_list $option
  done
  same_list
}

@test "subvolume list sorts and filters as btrfs does" {
  build
  local sort
  for sort in gen ogen rootid path -gen -ogen -rootid -path +path gen,-path -ogen,-rootid; do
    same_list --sort=$sort
  done
  local gen
  gen=$(btrfs subvolume show m/plain | sed -n 's/.*Generation:[^0-9]*//p')
  for sort in "$gen" "+$gen" "-$gen" "+$((gen + 1))" "-$((gen - 1))" 0; do
    same_list -G "$sort"
    same_list -C "$sort"
  done
  same_list -G "+$((gen - 1))" -G "-$gen"
}

@test "subvolume list as seen from a subvolume" {
  build
  local SUBVOL option
  for SUBVOL in plain dir/living plain/sub/below; do
    for option in '' -a -o; do
      same_list $option
    done
  done
}

# btrfs-progs prints the time of creation as the time of sending.
same_show() {
  diff <("$BTRFLY" subvolume show "${@:2}" 2>/dev/null | sed '/Send time:/d') \
    <(btrfs subvolume show "$1" 2>/dev/null | sed '/Send time:/d; /Quota group:/d; /Limit /d; /Usage /d')
}

@test "subvolume show prints what btrfs prints" {
  build
  local path
  for path in plain plain/nested plain/sub/below dir/frozen dir/living 'a name with  spaces' in/frozen \
    $'\303\244\377'; do
    same_show "m/$path" a.img "$path"
  done
  same_show m a.img /
}

@test "subvolume show by number and by uuid" {
  build
  local id uuid
  id=$(btrfs inspect-internal rootid m/dir/frozen)
  uuid=$(btrfs subvolume show m/dir/frozen | sed -n 's/^\tUUID:[ \t]*//p')
  same_show m/dir/frozen a.img "$id"
  same_show m/dir/frozen -r "$id" a.img
  same_show m/dir/frozen -u "$uuid" a.img
  unmount m
  fails 1 "btrfly subvolume show: no subvolume has the id 4242" "$BTRFLY" subvolume show -r 4242 a.img
  fails 1 "btrfly subvolume show: no subvolume has the uuid 00000000-0000-0000-0000-000000000001" \
    "$BTRFLY" subvolume show -u 00000000-0000-0000-0000-000000000001 a.img
}

@test "subvolume show tells when a received subvolume was sent" {
  build
  local when
  when=$("$BTRFLY" subvolume show a.img in/frozen 2>/dev/null | sed -n 's/.*Receive time:[ \t]*//p')
  [ "$when" != - ]
  [[ $("$BTRFLY" subvolume show a.img dir/frozen 2>/dev/null) == *$'\tSend time: \t\t-\n'* ]]
}

@test "subvolume list and show --json" {
  build
  require python3
  btrfs subvolume list -puqR m >text
  "$BTRFLY" subvolume list --json a.img 2>/dev/null >list.json
  "$BTRFLY" subvolume show --json a.img plain 2>/dev/null >show.json
  unmount m
  python3 - <<'PYTHON'
import json, re
want = []
for line in open('text', 'rb').read().split(b'\n')[:-1]:
    m = re.match(rb'ID (\d+) gen (\d+) parent (\d+) top level (\d+) parent_uuid (\S+) +received_uuid (\S+) +'
                 rb'uuid (\S+) +path (.*)$', line)
    want.append([g.decode() if i < 7 else g for i, g in enumerate(m.groups())])
got = [json.loads(line) for line in open('list.json')]
assert len(got) == len(want)
for g, w in zip(got, want):
    path = bytes.fromhex(g['path_hex']) if 'path_hex' in g else g['path'].encode()
    assert [str(g['id']), str(g['generation']), str(g['parent']), str(g['top_level']), g.get('parent_uuid', '-'),
            g.get('received_uuid', '-'), g['uuid'], path] == w, (g, w)
frozen, = [g for g in got if g['path'] == 'dir/frozen']
assert frozen['flags'] == 'readonly'
show = json.loads(open('show.json').read())
assert sorted(s['path'] for s in show['snapshots']) == ['dir/frozen', 'dir/living'], show
plain, = [g for g in got if g['path'] == 'plain']
assert plain.items() <= show.items()
PYTHON
}

@test "a writable subvolume that was received is warned of" {
  build
  unmount m
  mount_image a.img m
  btrfs property set -f m/in/frozen ro false
  unmount m
  run --separate-stderr "$BTRFLY" subvolume show a.img in/frozen
  [ "$status" = 0 ]
  # Newer kernels take the received uuid away instead.
  [[ $output == *"Received UUID: "*"-"$'\n'* ]] || [[ $stderr == *"warning: the subvolume was received"* ]]
}

@test "a mounted image and a mounted device are warned of, once" {
  build
  local loop
  loop=$(losetup -n -O NAME -j a.img)
  run --separate-stderr "$BTRFLY" subvolume list a.img
  [ "$status" = 0 ]
  [ "${#lines[@]}" = 9 ]
  [ "${#stderr_lines[@]}" = 1 ]
  [[ $stderr == "btrfly subvolume list: warning: a.img is mounted: "* ]]
  run --separate-stderr "$BTRFLY" subvolume list "$loop"
  [ "$status" = 0 ]
  [[ $stderr == "btrfly subvolume list: warning: $loop is mounted: "* ]]
  cp --sparse=always a.img copy.img
  run --separate-stderr "$BTRFLY" subvolume list copy.img
  [ "$status" = 0 ]
  [ -z "$stderr" ]
}

@test "subvolume list of an empty filesystem prints nothing" {
  make_image a.img
  run "$BTRFLY" subvolume list a.img
  [ "$status" = 0 ]
  [ -z "$output" ]
}

@test "subvolume show of the top level, without root" {
  make_image a.img
  run "$BTRFLY" subvolume show a.img /
  [ "$status" = 0 ]
  [ "${lines[0]}" = / ]
  [ "${lines[1]}" = $'\tName: \t\t\t<FS_TREE>' ]
  [ "${lines[6]}" = $'\tSubvolume ID: \t\t5' ]
  diff <("$BTRFLY" subvolume show a.img 5) <(printf '%s\n' "${lines[@]}")
}

@test "subvolume: what is not there" {
  mkdir root root/dir
  echo hello >root/file
  make_image a.img --rootdir root
  fails 1 "btrfly subvolume show: nope: no such file or directory" "$BTRFLY" subvolume show a.img nope
  fails 1 "btrfly subvolume show: dir is not a subvolume" "$BTRFLY" subvolume show a.img dir
  fails 1 "btrfly subvolume show: file is not a subvolume" "$BTRFLY" subvolume show a.img file
  fails 1 "btrfly subvolume show: file/x: not a directory on the way to x" "$BTRFLY" subvolume show a.img file/x
  fails 1 "btrfly subvolume show: no subvolume has the id 256" "$BTRFLY" subvolume show a.img 256
  fails 1 "btrfly subvolume show: 7 is not the id of a subvolume" "$BTRFLY" subvolume show a.img 7
  fails 1 "btrfly subvolume list: nope: no such file or directory" "$BTRFLY" subvolume list a.img nope
  fails 1 "btrfly subvolume list: nope.img: No such file or directory" "$BTRFLY" subvolume list nope.img
  fails 1 "btrfly subvolume list: *nope.img: No such file or directory" \
    "$BTRFLY" subvolume list --device nope.img a.img
}

@test "subvolume: wrong usage has exit status 2" {
  local args
  while read -r args; do
    # shellcheck disable=SC2086 # words
    run --separate-stderr "$BTRFLY" subvolume $args
    [ "$status" = 2 ] || { echo "subvolume $args: status $status"; return 1; }
    [[ $stderr == *"usage: btrfly subvolume"* ]]
  done <<'ARGS'

lst
list
list a b c
list -x a
list -G x a
list -C + a
list -G 1x a
list --sort=size a
list --sort= a
list --device
show
show a
show a b c
show -r
show -r x a
show -r 0 a
show -r 5 a b
show -u x a
show -r 5 -u 00000000-0000-0000-0000-000000000001 a
ARGS
}
