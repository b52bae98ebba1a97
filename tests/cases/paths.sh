# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Paths near the limit of 4095 bytes.

# deep DIR LENGTH: go down from DIR, and make what is not there, until the path has LENGTH bytes.
deep() {
  local path=$1 rest part
  cd "$1"
  while [ ${#path} -lt "$2" ]; do
    rest=$(($2 - ${#path} - 1))
    # The last part must not be empty.
    part=$(printf "%0$((rest > 255 ? 200 : rest))d" 0)
    mkdir -p "$part"
    cd "$part"
    path=$path/$part
  done
}

# before                 after
#   d(257)/…/              d(257)/…/
#     old                    new  ln1     paths of 4095 bytes
#     odd                    hex
case_the_longest_paths() {
  mkdir d
  (deep d 4091 && echo old >old && echo odd >odd)
  snapshot
  (deep d 4091 && mv old new && rm odd && echo x >hex && ln new ln1)
}

# before                 after
#   d(257)/…/              d(257)/…/
#     old                    new  ln1     paths of 4060 bytes, which btrfs-progs can print
#     odd                    hex
case_very_long_paths() {
  mkdir d
  (deep d 4056 && echo old >old && echo odd >odd)
  snapshot
  (deep d 4056 && mv old new && rm odd && echo x >hex && ln new ln1)
  expect 'link d/.{4054}/new dest=d/.*/old' 'link d/.{4054}/ln1 dest=.*' 'unlink d/.*/old' 'unlink d/.*/odd' \
    'rename .* dest=d/.{4054}/hex'
}

# before                 after
#   d(257)/…/x             e(257)/…/x
case_the_top_of_the_longest_path_is_renamed() {
  mkdir d
  (deep d 4093 && echo x >x && chmod 600 x)
  snapshot
  mv d e
  (deep e 4093 && chmod 644 x && echo more >>x)
}

# before                 after
#   a(257)/…/b/            b/a/…
case_the_longest_path_is_turned_around() {
  mkdir a
  (deep a 4040 && mkdir b)
  snapshot
  local top=$PWD
  (deep a 4040 && mv b "$top")
  mv a b/a
  (cd b && deep a 3000 && touch c)
  expect 'rename a/.*/b dest=b' 'rename a dest=b/a' 'rename .* dest=b/a/.*/c'
}

# before                 after
#   d(257)/…/f l           x(257)/…/l2    its name is taken: all below hangs under the orphan name
#   n                      d
case_a_taken_name_above_a_long_path() {
  touch n
  mkdir d
  (deep d 4000 && echo f >f && ln f l)
  snapshot
  mv d x
  mv n d
  (deep x 4000 && mv l l2 && rm f && touch new)
  expect 'rename d dest=o258-.*' 'link d dest=n' 'rename o258-.* dest=x' 'link x/.*/l2 dest=x/.*/f'
}

# before              after
#   link -> 3000 ×      link -> 4080 ×     as long as a symlink can be with these nodes
case_a_long_symlink() {
  ln -s "$(printf '%03000d' 0)" link
  snapshot
  ln -sfn "$(printf '%04080d' 0)" link
}
