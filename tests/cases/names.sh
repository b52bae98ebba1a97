# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Names over time: new, gone, changed, swapped and taken over; hard links; equal hashes.

every_kind() {
  echo data >file
  mkdir dir
  ln -s target symlink
  mkfifo fifo
  python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
  mknod char c 5 1
  mknod block b 259 300000
}

# before      after
#   keep        keep  file  dir  symlink  fifo  socket  char  block
case_every_kind_of_inode_is_new() {
  needs python3
  touch keep
  snapshot
  every_kind
  expect 'mkfile o258-.*' 'mkdir o259-.*' 'symlink o260-.*' 'mkfifo .*' 'mksock .*' 'mknod .*' 'mknod .*' \
    'rename o264-.* dest=block'
}

# before                                                    after
#   keep  file  dir  symlink  fifo  socket  char  block       keep
case_every_kind_of_inode_is_deleted() {
  needs python3
  touch keep
  every_kind
  snapshot
  rm -r file dir symlink fifo socket char block
  expect 'unlink file' 'rmdir dir' 'unlink symlink' 'unlink block'
}

# before                                              after
#   file  dir  symlink  fifo  socket  char  block       file2  dir2  symlink2  …
case_every_kind_of_inode_is_renamed() {
  needs python3
  every_kind
  snapshot
  local name
  for name in file dir symlink fifo socket char block; do mv $name ${name}2; done
  expect 'link file2 dest=file' 'unlink file' 'rename dir dest=dir2' 'link symlink2 .*'
}

# before      after
#   a           a
case_nothing_has_changed() {
  echo a >a
  snapshot
  expect_not '(utimes|write|rename|link|unlink|chmod|chown|truncate) .*'
}

# before      after
#   a(257)      a(257)     renamed to b and back: another index in the directory
case_a_file_is_renamed_and_back() {
  echo a >a
  snapshot
  mv a b
  mv b a
  expect_not '(rename|link|unlink) .*'
}

# before          after
#   old(257)        old(257)
#   a(258)            a(258)
case_a_file_moves_into_an_older_directory() {
  mkdir old
  touch a
  numbered old=257 a=258
  snapshot
  mv a old
  expect 'link old/a dest=a' 'unlink a'
}

# before          after
#   a(257)          newer(258)
#   newer(258)        a(257)
case_a_file_moves_into_a_newer_directory() {
  touch a
  mkdir newer
  snapshot
  mv a newer
  expect 'link newer/a dest=a' 'unlink a'
}

# before          after
#   a(257)          made(258)
#                     a(257)
case_a_file_moves_into_a_directory_made_since() {
  touch a
  snapshot
  mkdir made
  mv a made
  expect 'mkdir o258-.*' 'link o258-.*/a dest=a' 'unlink a' 'rename o258-.* dest=made'
}

# before          after
#   a(257)          made(260)
#   b(258)            within(261)
#     c(259)            a(257)
#                       c(259)
#                   b(258)
case_files_move_into_nested_directories_made_since() {
  touch a
  mkdir b
  touch b/c
  numbered a=257 b=258 b/c=259
  snapshot
  mkdir -p made/within
  mv a b/c made/within
  expect 'mkdir o261-.*' 'link .*/a .*' 'link .*/c .*' 'mkdir o260-.*' 'rename o260-.* dest=made' 'rename o261-.* dest=made/within'
}

# before          after
#   a(257)          made(259)
#     b(258)          a(257)
#                       b(258)
case_a_directory_moves_into_a_directory_made_since() {
  mkdir -p a/b
  snapshot
  mkdir made
  mv a made
  expect 'mkdir o259-.*' 'rename a dest=o259-.*/a' 'rename o259-.* dest=made'
}

# before      after
#             outer(258)
#               a(257)
#                 b(259)
case_new_directories_of_which_the_older_is_inside() {
  touch keep
  snapshot
  mkdir a outer
  mkdir a/b
  mv a outer
  numbered outer/a=258 outer=259
  expect 'mkdir o258-.*' 'mkdir o259-.*' 'rename o258-.* dest=o259-.*/a' 'rename o259-.* dest=outer' \
    'rename o260-.* dest=outer/a/b'
}

# before      after
#   a(257)      b(257)
#   b(258)      a(258)
case_two_files_swap_names() {
  echo a >a
  echo b >b
  snapshot
  exchange a b
  numbered a=258 b=257
  expect 'rename b dest=o258-.*' 'link b dest=a' 'unlink a' 'rename o258-.* dest=a'
}

# before      after
#   a(257)      b(257)
#     x           x
#   b(258)      a(258)
#     y           y
case_two_directories_swap_names() {
  mkdir a b
  touch a/x b/y
  snapshot
  exchange a b
  touch a/new b/new
  expect 'rename b dest=o258-.*' 'rename a dest=b' 'rename o258-.* dest=a'
}

# before      after
#   a(257)      b(257)
#   b(258)/     a(258)/
#     x           x
case_a_file_and_a_directory_swap_names() {
  touch a
  mkdir b
  touch b/x
  snapshot
  exchange a b
  echo changed >>a/x
  expect 'rename b dest=o258-.*' 'link b dest=a' 'rename o258-.* dest=a'
}

# before      after
#   a(257)      b(257)
#   b(258)      c(258)
#   c(259)      a(259)
case_three_files_rotate() {
  touch a b c
  snapshot
  exchange a b
  exchange a c
  numbered b=257 c=258 a=259
  expect 'rename b dest=o258-.*' 'rename c dest=o259-.*' 'rename o258-.* dest=c' 'rename o259-.* dest=a'
}

# before        after
#   d/a(258)      d/a(260)
#   e/b(260)      e/b(258)
case_files_swap_across_directories() {
  mkdir d
  touch d/a
  mkdir e
  touch e/b
  snapshot
  exchange d/a e/b
  numbered d/a=260 e/b=258
  expect 'rename e/b dest=o260-.*' 'link e/b dest=d/a' 'rename o260-.* dest=d/a'
}

# before      after
#   a(257)      a(258)
case_a_new_file_takes_the_name_of_a_deleted_one() {
  echo old >a
  snapshot
  rm a
  echo new >a
  numbered a=258
  expect 'unlink a' 'mkfile o258-.*' 'rename o258-.* dest=a'
}

# before      after
#   a(257)      a(258)
#   b(258)
case_a_file_is_renamed_over_an_older_one() {
  echo old >a
  echo new >b
  snapshot
  mv b a
  numbered a=258
}

# before      after
#   a(257)      b(257)
#   b(258)
case_a_file_is_renamed_over_a_newer_one() {
  echo a >a
  echo b >b
  snapshot
  mv a b
  numbered b=257
  expect 'rename b dest=o258-.*' 'link b dest=a' 'unlink o258-.*'
}

# before      after
#   a(257)/     a(259)
#     x
case_a_new_file_takes_the_name_of_a_deleted_directory() {
  mkdir a
  touch a/x
  snapshot
  rm -r a
  touch a
  expect 'rename a dest=o257-.*' 'unlink o257-.*/x' 'rmdir o257-.*' 'rename o259-.* dest=a'
}

# before      after
#   a(257)      a(258)/
#                 x
case_a_new_directory_takes_the_name_of_a_deleted_file() {
  touch a
  snapshot
  rm a
  mkdir a
  touch a/x
}

# before      after
#   a(257)/     a(260)/
#     x(258)      x(261)
#     y(259)      y(262)
case_a_directory_is_deleted_and_made_anew() {
  mkdir a
  echo x >a/x
  echo y >a/y
  snapshot
  rm -r a
  mkdir a
  echo x >a/x
  echo y >a/y
  numbered a=260
}

# before      after
#   a(257)      b(257)
#               a(258)
case_a_renamed_files_old_name_is_given_to_a_new_one() {
  echo old >a
  snapshot
  mv a b
  echo new >a
  numbered a=258
}

# before      after
#   a(257)      d(258)/
#                 a(257)
#               a(259)
case_a_moved_directorys_old_name_is_given_to_a_new_one() {
  mkdir a
  touch a/x
  snapshot
  mkdir d
  mv a d
  mkdir a
  touch a/y
  numbered d/a=257 a=260
}

# before      after
#   a(257)      a(257)
#               b(257)
#               d/c(257)
case_hard_links_are_added() {
  echo a >a
  snapshot
  ln a b
  mkdir d
  ln a d/c
  expect 'link b dest=a' 'mkdir o258-.*' 'link o258-.*/c dest=a'
}

# before                 after
#   a  b  d/c (all 257)    b(257)
case_hard_links_are_removed_the_first_name_among_them() {
  echo a >a
  ln a b
  mkdir d
  ln a d/c
  snapshot
  rm a d/c
  echo more >>b
  expect 'unlink a' 'unlink d/c'
  expect_not 'mkfile .*'
}

# before            after
#   a  b (257)        c  d (257)
case_all_names_of_a_file_change() {
  touch a
  ln a b
  snapshot
  mv a c
  mv b d
}

# before            after
#   a  a2 (257)       b  b2 (257)
#   b  b2 (258)       a  a2 (258)
case_hard_links_of_two_files_swap_names() {
  echo a >a
  ln a a2
  echo b >b
  ln b b2
  snapshot
  exchange a b
  exchange a2 b2
  numbered a=258 a2=258 b=257 b2=257
  expect 'rename b dest=o258-.*' 'unlink b2' 'link b dest=a' 'link b2 dest=a'
}

# before            after
#   a(257)            b(257)
#   b  c (258)        c(258)
case_a_file_takes_one_of_the_names_of_a_newer_one() {
  echo a >a
  echo b >b
  ln b c
  snapshot
  mv a b
  numbered b=257 c=258
  expect 'rename b dest=o258-.*' 'link b dest=a' 'unlink o258-.*'
}

# before            after
#   a(257)            c(257)
#   b  c (258)        b(258)
case_a_file_takes_a_later_name_of_a_newer_one() {
  echo a >a
  echo b >b
  ln b c
  snapshot
  mv -f a c
  numbered b=258 c=257
  expect 'unlink c' 'link c dest=a'
  expect_not 'rename .*'
}

# before              after
#   d(257)/             e(257)/
#     a  b (258)          b  c (258)
#   a2 (258)            a3 (258)
case_hard_links_change_in_a_renamed_directory() {
  mkdir d
  touch d/a
  ln d/a d/b
  ln d/a a2
  snapshot
  mv d e
  mv e/a e/c
  mv a2 a3
  numbered e/b=258 e/c=258 a3=258
  expect 'rename d dest=e' 'link e/c .*' 'unlink e/a'
}

# before            after
#   d(257)/           a(258)
#     a(258)
case_a_file_moves_out_of_a_deleted_directory() {
  mkdir d
  touch d/a
  snapshot
  mv d/a a
  rmdir d
  expect 'rename d dest=o257-.*' 'link a dest=o257-.*/a' 'unlink o257-.*/a' 'rmdir o257-.*'
}

# before            after
#   d(257)/           d(258)
#     a(258)
case_a_file_takes_the_name_of_the_directory_it_was_in() {
  mkdir d
  touch d/a
  snapshot
  mv d/a a
  rmdir d
  mv a d
  numbered d=258
}

# before            after
#   d(257)/           e(257)/
#     a(258)            b(258)
#     f(259)/           g(259)/
#       c(260)            d(260)
#                         new(261)
case_directories_and_what_is_in_them_are_renamed() {
  mkdir d
  touch d/a
  mkdir d/f
  touch d/f/c
  snapshot
  mv d e
  mv e/a e/b
  mv e/f e/g
  mv e/g/c e/g/d
  touch e/g/new
  expect 'rename d dest=e' 'link e/b dest=e/a' 'rename e/f dest=e/g' 'link e/g/d dest=e/g/c' 'rename .* dest=e/g/new'
}

# before            after
#   d(257)/           e(257)/
#     gone(258)         kept(259)
#     kept(259)
case_a_file_is_deleted_in_a_renamed_directory() {
  mkdir d
  touch d/gone d/kept
  snapshot
  mv d e
  rm e/gone
  expect 'rename d dest=e' 'unlink e/gone'
}

# before                        after
#   twin_a(257) twin_b(258)       twin_b(257)   one DIR_ITEM for both names
case_names_of_one_hash_one_is_deleted_and_the_other_taken() {
  echo a >"$twin_a"
  echo b >"$twin_b"
  snapshot
  mv "$twin_a" "$twin_b"
  numbered "$twin_b"=257
  expect "rename $twin_b dest=o258-.*" "link $twin_b dest=$twin_a"
}

# before                        after
#   twin_a(257) twin_b(258)       twin_a(258) twin_b(257) twin_c(259)
case_names_of_one_hash_are_swapped() {
  echo a >"$twin_a"
  echo b >"$twin_b"
  snapshot
  exchange "$twin_a" "$twin_b"
  echo c >"$twin_c"
  numbered "$twin_a"=258 "$twin_b"=257
}

# before          after
#   d(257)/         e(257)/
#     twin_a          twin_b   the same file
#     twin_b          twin_c
case_hard_links_of_one_hash() {
  mkdir d
  echo a >"d/$twin_a"
  ln "d/$twin_a" "d/$twin_b"
  snapshot
  mv d e
  rm "e/$twin_a"
  ln "e/$twin_b" "e/$twin_c"
}

# before                after
#   255 × a (257)         255 × b (257)
#   255 × b (258)         255 × a (258)
case_the_longest_names_are_swapped() {
  local a b
  a=$(printf 'a%.0s' {1..255})
  b=${a//a/b}
  echo a >"$a"
  mkdir "$b"
  touch "$b/$a"
  snapshot
  exchange "$a" "$b"
}

# before              after
#   a b(257)            "a\nb"(257)    names of a space, a line end, bytes that are no UTF-8, a backslash
#   \377\376(258)       a b(258)
#   back\slash(259)     \377\376(259)
case_names_of_odd_bytes() {
  touch 'a b' $'\377\376' 'back\slash'
  snapshot
  mv 'a b' $'a\nb'
  mv $'\377\376' 'a b'
  mv 'back\slash' $'\377\376'
  touch ' ' $'\001'
}

# before             after
#   link -> old        link -> new (another inode)
case_a_symlink_gets_another_target() {
  ln -s old link
  snapshot
  ln -sfn "$(printf 'n%.0s' {1..1000})" link
}

# before          after
#   a(257)          o258-GENERATION-0(257)    the name that an orphan of 258 would have
#   b(258)          b(259)
case_an_orphan_name_is_taken_already() {
  needs lsattr
  touch a b
  sync -f .
  local generation
  generation=$(lsattr -v b | awk '{ print $1 }')
  mv a "o258-$generation-0"
  snapshot
  rm b
  mkdir new
  mv "o258-$generation-0" b
  touch "o258-$generation-0"
  numbered b=257
  expect "rename b dest=o258-$generation-1" 'link b .*' "unlink o258-$generation-1"
}

# before             after
#   dir(258)/          renamed(258)/
#     sub -> 257         sub2 -> 257     a subvolume in the subvolume: of it a snapshot has an empty directory
case_a_subvolume_inside_is_renamed_and_another_is_new() {
  mkdir dir
  btrfs -q subvolume create dir/sub
  touch dir/sub/not-sent dir/file
  snapshot
  mv dir/sub dir/sub2
  mv dir renamed
  btrfs -q subvolume create another
  mv renamed/file renamed/file2
  expect 'rename dir dest=renamed' 'link renamed/file2 dest=renamed/file'
  expect_not '[a-r][a-z]+ .*(sub|another).*'
}

# before             after
#   sub -> …           sub(257)/       a directory takes the name of a subvolume, and the other way about
#   dir(258)/          dir -> …
case_a_subvolume_inside_and_a_directory_swap_names() {
  btrfs -q subvolume create sub
  mkdir dir
  touch dir/x
  snapshot
  mv dir x
  mv sub dir
  mv x sub
  expect 'rename dir dest=sub'
}

# before             after
#   d(257)/            (nothing)       the directory is deleted, and a subvolume in it
#     sub -> …
#     x
case_a_directory_with_a_subvolume_inside_is_deleted() {
  mkdir d
  btrfs -q subvolume create d/sub
  touch d/x
  snapshot
  btrfs -q subvolume delete d/sub
  rm -r d
}
