# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Times of directories go out late, from a cache of 64; the order in which they leave it is the kernel's.

# In and out of one directory after the other, over and over, so that uses and evictions mix.
touch_in_turn() {
  local i
  for i; do echo x >>"d$i/x"; done
}

# before        after
#   d1 … d64      d1 … d64 with a new file each
case_times_of_64_directories() {
  mkdir d{1..64}
  snapshot
  touch_in_turn {1..63}
}

# before        after
#   d1 … d65      d1 … d65 with a new file each
case_times_of_65_directories() {
  mkdir d{1..65}
  snapshot
  touch_in_turn {1..65}
}

# before         after
#   d1 … d200      d1 … d200 with a new file each, made in another order
case_times_of_200_directories() {
  mkdir d{1..200}
  snapshot
  local i
  # 7 and 200 have no common factor: each is met once.
  for ((i = 0; i < 200; i++)); do echo x >"d$((i * 7 % 200 + 1))/x"; done
}

# before              after
#   d1 … d150/x         d1 … d150/x and y, x moved one further
case_files_move_among_150_directories() {
  mkdir d{1..150}
  touch_in_turn {1..150}
  snapshot
  local i
  for ((i = 150; i >= 1; i--)); do mv "d$i/x" "d$((i % 150 + 1))/moved$i"; done
  for ((i = 2; i <= 150; i += 5)); do touch "d$i/y"; done
}

# before                after
#   d1/d2/…/d80/          each directory has a new file; the last was made first
case_times_of_80_nested_directories() {
  local path=.
  for i in {1..80}; do path=$path/d$i; done
  mkdir -p "$path"
  snapshot
  while [ "$path" != . ]; do
    touch "$path/file"
    path=${path%/*}
  done
}

# before              after
#   d1 … d100           n1 … n100 with a file each; d1 … d100 are gone
case_100_directories_are_replaced() {
  mkdir d{1..100}
  snapshot
  rmdir d{1..100}
  mkdir n{1..100}
  touch n{1..100}/x
}

# before                after
#                         f1 … f90        each in a directory that is newer than it: all are made ahead of their
#                         d1 … d90/f      turn, more than the kernel remembers
case_90_directories_are_made_ahead_of_their_turn() {
  touch keep
  snapshot
  touch f{1..90}
  mkdir d{1..90}
  local i
  for i in {1..90}; do mv "f$i" "d$i/f"; done
}

# before                after
#   a                     a        times before 1970, far from now, with nanoseconds, set to the same
case_times_of_files() {
  touch -d '1970-01-01 UTC' a
  mkdir d
  touch -d @0 d
  snapshot
  touch -d '1901-12-13 20:45:52.123456789 UTC' a
  touch -d '2400-01-01 00:00:00.999999999 UTC' d
  ln -s a s
  touch -h -d '1969-12-31 23:59:59.000000001 UTC' s
  expect 'utimes a .*' 'utimes s .*'
}
