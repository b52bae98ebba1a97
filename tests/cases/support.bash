# SPDX-License-Identifier: LGPL-2.1-or-later
# What the groups of cases say, and what tests/cases/run does with it.
# shellcheck shell=bash disable=SC2154 # dir and btrfly are run's
#
# A group is made of functions case_…, each named after its situation.  It is called in a fresh subvolume, and
# what it leaves there is the last snapshot.  In it:
#
#   snapshot            what is there now is a snapshot: "before" and "after" are on its two sides
#   numbered NAME=N…    the inodes have these numbers: the drawing is true
#   expect PATTERN…     lines of the stream from the last snapshot but one to the last, in this order: the
#                       case is what its name says.  Lines are those of btrfs receive --dump, with single
#                       spaces, and paths from the top of the subvolume
#   expect_not PATTERN  there is no such line
#   also ARGS…          one more stream of the last snapshot, with these options of send
#   reuse_numbers       numbers of deleted inodes that were the highest are given out again
#   while_unmounted COMMAND…
#                       in which the filesystem is in the file "$dir/image"
#   hold FILE…          keep it open, so that it lives on without a name
#   freeze              make the subvolume itself read-only; it is a snapshot then, deleted files and all
#   branch              go on in a writable snapshot of it
#   kernel_fails ERROR  the kernel's send ends with this error: our stream is judged by what btrfs receive makes
#                       of it
#   text FILE BYTES     a new file
#   needs TOOL…         the case is skipped without them
#
# the names $twin_a, $twin_b and $twin_c, which have one hash,
# and of tests/support: exchange A B (two names), clonerange SOURCE OFFSET LENGTH DEST OFFSET…

# A checksum is linear: two words of one crc32c stay so behind any beginning, and so do words made of them.
# shellcheck disable=SC2034 # for the groups
twin_a=xyphecky-xyphecky twin_b=xyphecky-yokzxonb twin_c=yokzxonb-xyphecky

group_begin() {
  filesystems=('||') # label|options of mkfs|options of mount
  variants=('--proto 1' '--proto 2')
  group_made() { :; } # called when all cases have been made
}

group_mount() {
  mount_options=loop,noatime${2:+,$2}
  truncate -s "${group_size:-512M}" "$dir/image"
  # shellcheck disable=SC2086 # several words
  mkfs.btrfs -q $1 "$dir/image" >"$dir/mkfs" 2>&1 || { cat "$dir/mkfs" && return 1; }
  mount -o "$mount_options" "$dir/image" "$dir/mnt"
}

# held_end DIR: let go of what is held open.  (The kill of the shell: not every system has one in a file.)
held_end() {
  local held
  mapfile -t held <"$1/held"
  kill "${held[@]}"
  rm "$1/held"
}

# Files held open must still be there in what we read, so that is a copy of the living filesystem.
group_unmount() {
  if [ -e "$dir/held" ]; then
    cp --sparse=always "$dir/image" "$dir/living"
    held_end "$dir"
    # They take a moment to end, and are no children to be waited for.
    local try
    for ((try = 0; try < 500; try++)); do ! umount "$dir/mnt" 2>/dev/null || break; sleep 0.01; done
    if mountpoint -q "$dir/mnt"; then umount "$dir/mnt" || return 1; fi
  else
    umount "$dir/mnt"
  fi
  [ ! -e "$dir/living" ] || mv "$dir/living" "$dir/image"
}

# After an interruption.
group_abandon() {
  if [ -e "$1/held" ]; then held_end "$1"; fi
  if mountpoint -q "$1/mnt"; then umount -l "$1/mnt"; fi
}

# group_fixture GROUP: the filesystem, and the sums of the incremental streams that the kernel has made of it, of one
# variant.
group_fixture() {
  local images=$repo/tests/images/send row stream
  {
    echo "# Linux $(uname -r | cut -d- -f1)"
    for stream in "$dir"/streams/*.kernel; do
      row=$(<"${stream%.kernel}.row")
      [[ $row == *\ -p\ *"${variants[0]}" ]] || continue
      echo "$(sha256sum <"$stream" | cut -d' ' -f1) $row"
    done
  } >"$images/cases-$1.sums"
  fstrim "$dir/mnt"
  sync -f "$dir/mnt"
  zstd -q -19 -f "$dir/image" -o "$images/cases-$1.img.zst"
}

# make_case NAME: its subvolume and snapshots.
make_case() {
  local status
  case=$1
  mkdir "$dir/$case"
  # No condition may stand around it, or -e is off inside.
  (
    set -eu
    exec >"$dir/$case/log" 2>&1 </dev/null
    btrfs -q subvolume create "$dir/mnt/$case"
    cd "$dir/mnt/$case"
    "case_$case"
    [ -e "$dir/$case/frozen" ] || snapshot
  )
  status=$?
  [ $status = 0 ] || echo $status >"$dir/$case/failed"
}

snapshot() {
  local count
  count=$(wc -l 2>/dev/null <"$dir/$case/subvolumes" || echo 0)
  btrfs -q subvolume snapshot -r . "$dir/mnt/$case.$count"
  echo "$case.$count" >>"$dir/$case/subvolumes"
  rm -f "$dir/$case/frozen"
}

freeze() {
  btrfs property set -ts . ro true
  basename "$PWD" >>"$dir/$case/subvolumes"
  : >"$dir/$case/frozen"
}

branch() {
  btrfs -q subvolume snapshot . "$PWD-branch"
  cd "$PWD-branch"
  rm -f "$dir/$case/frozen"
}

text() { seq 1 9 9999999 | head -c "$2" >"$1"; }

numbered() {
  local pair found
  for pair; do
    found=$(stat -c %i "${pair%=*}")
    [ "$found" = "${pair##*=}" ] || {
      echo "${pair%=*} is inode $found, not ${pair##*=}"
      return 1
    }
  done
}

expect() { printf '%s\n' "$@" '' >>"$dir/$case/expected"; }
expect_not() { printf '%s\n' "$@" >>"$dir/$case/unexpected"; }
kernel_fails() { echo "$*" >"$dir/$case/refused"; }
also() { echo "$*" >>"$dir/$case/also"; }

reuse_numbers() { while_unmounted :; }

while_unmounted() {
  local back=$PWD
  cd /
  umount "$dir/mnt"
  "$@"
  mount -o "$mount_options" "$dir/image" "$dir/mnt"
  cd "$back"
}

hold() {
  local file fd
  for file; do
    # Opened here: the process may come to it too late.
    exec {fd}<"$file"
    # shellcheck disable=SC2217 # it reads nothing, but it has it
    sleep 3600 <&"$fd" >/dev/null 2>&1 &
    echo $! >>"$dir/held"
    exec {fd}<&-
  done
}

needs() {
  local tool
  for tool; do
    command -v "$tool" >/dev/null || {
      echo "needs $tool"
      exit 77
    }
  done
}

# rows_of NAME: the streams of a case, the subvolume and then the options, one a line: all of the first and the
# last snapshot, each step, back from the last to the first, and the whole way at once.
rows_of() {
  local i last subvolumes
  mapfile -t subvolumes <"$dir/$1/subvolumes"
  last=$((${#subvolumes[@]} - 1))
  echo "${subvolumes[0]}"
  if [ $last -gt 0 ]; then
    echo "${subvolumes[last]}"
    for ((i = 0; i < last; i++)); do echo "${subvolumes[i + 1]} -p ${subvolumes[i]}"; done
    echo "${subvolumes[0]} -p ${subvolumes[last]}"
  fi
  [ $last -lt 2 ] || echo "${subvolumes[last]} -p ${subvolumes[0]}"
  [ ! -e "$dir/$1/also" ] || sed "s/^/${subvolumes[last]} /" "$dir/$1/also"
}

# send_case NAME: the kernel's streams, NUMBER.kernel with NUMBER.row.
send_case() {
  local row variant word stream subvolume number=0 arguments
  [ ! -e "$dir/$1/failed" ] || return
  while read -r subvolume row; do
    for variant in "${variants[@]}"; do
      arguments=()
      for word in $row; do
        case $word in -*) ;; *) word=$dir/mnt/$word ;; esac
        arguments+=("$word")
      done
      stream=$dir/streams/$1.$((number++))
      echo "$subvolume${row:+ $row} $variant" >"$stream.row"
      # shellcheck disable=SC2086 # several words
      if btrfs -q send $variant "${arguments[@]}" "$dir/mnt/$subvolume" >"$stream.kernel" 2>"$stream.error"; then
        :
      elif [ -e "$dir/$1/refused" ] && grep -q "$(<"$dir/$1/refused")" "$stream.error"; then
        mv "$stream.kernel" "$stream.refused"
      else
        echo "the kernel's send of $(<"$stream.row") fails: $(<"$stream.error")" >>"$dir/$1/failed"
      fi
    done
  done < <(rows_of "$1")
}

# dump STREAM: one line a command, with single spaces, and paths from the top of the subvolume.
dump() {
  btrfs receive --dump -f "$1" | sed "s/ \+/ /g; s, \./[^/ ]*/, ,; s,=\./[^/ ]*/,=,"
}

# What the case was expected to bring about, and did not.
unmet_by() {
  local subvolumes stream pattern line=0 next
  mapfile -t subvolumes <"$dir/$1/subvolumes"
  stream=$(grep -lx "${subvolumes[-1]} -p ${subvolumes[-2]} ${variants[0]}" "$dir/streams/$1".*.row)
  dump "${stream%.row}.kernel" >"$dir/$1/dump"
  if [ -e "$dir/$1/expected" ]; then
    while IFS= read -r pattern; do
      [ -n "$pattern" ] || { line=0 && continue; }
      next=$(tail -n +$((line + 1)) "$dir/$1/dump" | grep -nEm1 "^($pattern)\$" | cut -d: -f1)
      [ -n "$next" ] || { echo "no '$pattern' behind line $line of the kernel's stream:" && break; }
      line=$((line + next))
    done <"$dir/$1/expected"
  fi
  if [ -e "$dir/$1/unexpected" ]; then
    grep -qE -f <(sed 's/.*/^(&)$/' "$dir/$1/unexpected") "$dir/$1/dump" &&
      echo "one of '$(<"$dir/$1/unexpected")' in the kernel's stream:"
  fi
}

# differs STREAM SUBVOLUME: our stream is not the kernel's; the first lines that differ.
differs() {
  ! cmp -s "$1.btrfly" "$1.kernel" || return
  echo "(<: the kernel, >: btrfly)"
  diff <(dump "$1.kernel" 2>&1) <(dump "$1.btrfly" 2>&1) | cut -c-300 | head -n 20
}

# received_differs STREAM SUBVOLUME: our stream cannot be received, or gives another tree; in a copy of the filesystem.
received_differs() {
  cp --sparse=always "$dir/image" "$dir/copy"
  mount -o loop "$dir/copy" "$dir/mnt"
  mkdir "$dir/mnt/received"
  btrfs -q receive -f "$1.btrfly" "$dir/mnt/received" 2>&1 &&
    treediff "$dir/mnt/$2" "$dir/mnt/received/$2" | head -n 20
  umount "$dir/mnt"
  rm "$dir/copy"
}

# judge_case NAME TITLE: send it ourselves, and print the result.
judge_case() {
  local row stream subvolume unmet judge
  if [ -e "$dir/$1/failed" ] && [ "$(<"$dir/$1/failed")" = 77 ]; then
    echo "ok $2 # SKIP $(tail -n 1 "$dir/$1/log")"
    return
  elif [ -e "$dir/$1/failed" ]; then
    echo "not ok $2"
    cat "$dir/$1/failed" "$dir/$1/log"
    return
  fi
  if [ -e "$dir/$1/expected" ] || [ -e "$dir/$1/unexpected" ]; then
    unmet=$(unmet_by "$1")
    if [ -n "$unmet" ]; then
      printf 'not ok %s\n%s\n' "$2" "$unmet"
      cut -c-200 "$dir/$1/dump" | head -n 40
      return
    fi
  fi
  for stream in "$dir/streams/$1".*.row; do
    stream=${stream%.row}
    read -r subvolume row <"$stream.row"
    judge=differs
    [ ! -e "$stream.refused" ] || judge=received_differs
    # shellcheck disable=SC2086 # several words
    if "$btrfly" send -q $row "$dir/image" "$subvolume" >"$stream.btrfly" 2>"$stream.error"; then
      unmet=$($judge "$stream" "$subvolume")
    else
      unmet=$(<"$stream.error")
    fi
    if [ -n "$unmet" ]; then
      printf 'not ok %s\nbtrfly send %s IMAGE %s: %s\n' "$2" "$row" "$subvolume" "$unmet"
      return
    fi
    rm "$stream.btrfly"
  done
  echo "ok $2"
}
