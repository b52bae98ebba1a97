# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Owner, mode, flags, times and extended attributes over time.

# a         mode 644 → 6755, owner the same
# .  d      mode 755 → 1777 and 700: the top directory too
case_modes_change() {
  touch a
  mkdir d
  snapshot
  chmod 6755 a
  chmod 1777 d
  chmod 700 .
  expect 'chmod  mode=700' 'chmod a mode=6755' 'chmod d mode=1777'
  expect_not 'chown .*'
}

# a d s .   owner 0:0 → 1234:0, 0:4321, 65534:65534, 1:2
case_owners_change() {
  touch a
  mkdir d
  ln -s a s
  snapshot
  chown 1234 a
  chown :4321 d
  chown -h 65534:65534 s
  chown 1:2 .
  expect 'chown a gid=0 uid=1234' 'chown d gid=4321 uid=0' 'chown s gid=65534 uid=65534'
  expect_not 'chmod .*'
}

# a         a new owner, and a set-uid bit that goes out behind it
case_owner_and_mode_change() {
  touch a
  snapshot
  chown 1234:4321 a
  chmod 4711 a
  expect 'chown a gid=4321 uid=1234' 'chmod a mode=4711'
}

# a         the mode is changed and changed back: nothing but times
case_a_mode_changes_and_changes_back() {
  touch a
  snapshot
  chmod 600 a
  chmod 644 a
  expect 'utimes a .*'
  expect_not 'chmod .*'
}

# a         times only
case_times_change() {
  touch a
  mkdir d
  snapshot
  touch -m -d '2001-02-03 04:05:06.789 UTC' a
  touch -a -d '2002-02-03 04:05:06.789 UTC' d
  touch -d '2003-02-03 UTC' .
  expect 'utimes a atime=.* mtime=2001-02-03.*'
}

# a         capabilities: new, changed with the owner (they go out behind it), the same with a new owner, gone
case_capabilities() {
  needs setcap
  touch a b c d
  setcap cap_net_raw+ep b
  setcap cap_net_raw+ep c
  setcap cap_net_raw+ep d
  snapshot
  setcap cap_net_bind_service+ep a
  chown 1234 b
  setcap cap_sys_admin+i b
  chown 1234 c
  setcap cap_net_raw+ep c
  setcap -r d
  expect 'set_xattr a name=security.capability .*' 'chown b .*' 'set_xattr b name=security.capability .*' \
    'chown c .*' 'set_xattr c name=security.capability .*' 'remove_xattr d name=security.capability'
}

# a         attributes whose names are where "security.capability" and "system.posix_acl_access" begin: Linux
#           compares only so far
case_attributes_named_as_capabilities_begin() {
  needs setfattr
  touch a
  setfattr -n security.c -v 1 a
  snapshot
  setfattr -n security.cap -v x a
  setfattr -n security.capabilities -v y a
  setfattr -n security.c -v 2 a
  expect 'set_xattr a name=security.capabilities .*'
  expect_not 'set_xattr a name=security.c .*'
}

# a d s f   user., trusted. and security. attributes of a file, a directory, a symlink and a fifo: new, changed,
#           changed in length, gone, empty
case_attributes_of_every_kind_of_inode() {
  needs setfattr
  touch a
  mkdir d
  ln -s a s
  mkfifo f
  local name
  for name in a d s f .; do
    setfattr -h -n trusted.gone -v gone $name
    setfattr -h -n trusted.changed -v old $name
    setfattr -h -n trusted.same -v same $name
    setfattr -h -n security.longer -v short $name
    setfattr -h -n trusted.emptied -v full $name
  done
  setfattr -n user.gone -v gone a
  snapshot
  for name in a d s f .; do
    setfattr -h -x trusted.gone $name
    setfattr -h -n trusted.changed -v new $name
    setfattr -h -n security.longer -v "$(printf '%0500d' 0)" $name
    setfattr -h -n trusted.emptied $name
    setfattr -h -n trusted.new -v new $name
  done
  setfattr -x user.gone a
  setfattr -n user.new -v 0x00ff0a a
  expect 'set_xattr a name=security.longer .*' 'set_xattr a name=trusted.new .*' 'set_xattr a name=trusted.emptied .* len=0' \
    'remove_xattr a name=trusted.gone' 'set_xattr a name=trusted.changed .*' 'set_xattr s name=trusted.new .*'
  expect_not '.* name=trusted.same .*'
}

# a         as long a value as a leaf holds
case_the_longest_attributes() {
  needs setfattr
  touch a b
  setfattr -n user.x -v "$(printf '%016000d' 0)" a
  snapshot
  setfattr -n user.x -v "$(printf '%015999d' 0)" a
  setfattr -n user.x -v "$(printf '%016000d' 1)" b
  setfattr -n "user.$(printf 'n%.0s' {1..250})" -v y b
}

# a         one item for all attributes of one hash: one of them is new, changed, or gone
# b
# c
case_attributes_of_one_hash() {
  needs setfattr
  touch a b c d
  local file
  for file in a b c; do
    setfattr -n "user.$twin_a" -v "a of $file" $file
    setfattr -n "user.$twin_b" -v "b of $file" $file
  done
  setfattr -n "user.$twin_a" -v "a of d" d
  snapshot
  setfattr -n "user.$twin_c" -v "c of a" a
  setfattr -n "user.$twin_b" -v "another" b
  setfattr -x "user.$twin_a" c
  setfattr -x "user.$twin_a" d
  setfattr -n "user.$twin_b" -v "b of d" d
  expect "set_xattr a name=user.$twin_c .*" "set_xattr b name=user.$twin_b data=another.*" \
    "remove_xattr c name=user.$twin_a" "set_xattr d name=user.$twin_b .*" "remove_xattr d name=user.$twin_a"
  expect_not "set_xattr a name=user.$twin_a .*" "set_xattr b name=user.$twin_a .*" "set_xattr c .*"
}

# a d       access and default ACLs: new, changed, gone
case_acls() {
  needs setfacl
  touch a b c
  mkdir d e
  setfacl -m u:1234:rw,g:99:r b c
  setfacl -d -m u:1234:rwx e
  snapshot
  setfacl -m u:1234:rw a
  setfacl -m u:4321:rwx b
  setfacl -b c
  setfacl -d -m u:1234:rwx,g:55:r d
  setfacl -k e
  touch d/inherits
  expect 'set_xattr a name=system.posix_acl_access .*' 'set_xattr b name=system.posix_acl_access .*' \
    'remove_xattr c name=system.posix_acl_access' 'set_xattr d name=system.posix_acl_default .*' \
    'remove_xattr e name=system.posix_acl_default' 'set_xattr d/inherits name=system.posix_acl_access .*'
}

# rename_attribute IMAGE OLD NEW: give an attribute another name of the same length, in all copies of its leaf.
rename_attribute() {
  python3 - "$@" <<'PYTHON'
import mmap, struct, sys

def crc32c(data, crc=0xffffffff):
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc

NODE, HEADER, ITEM, XATTR_ITEM = 16384, 101, 25, 24
image, old, new = sys.argv[1], sys.argv[2].encode(), sys.argv[3].encode()
assert len(old) == len(new)
file = open(image, "r+b")
data = mmap.mmap(file.fileno(), 0)
at = data.find(old)
while at >= 0:
    start = at // NODE * NODE
    leaf = bytearray(data[start:start + NODE])
    for item in range(struct.unpack_from("<I", leaf, 96)[0]):
        head = HEADER + item * ITEM
        kind, _, offset, size = struct.unpack_from("<BQII", leaf, head + 8)
        body = HEADER + offset
        if kind == XATTR_ITEM and old in leaf[body:body + size]:
            leaf[body:body + size] = leaf[body:body + size].replace(old, new)
            struct.pack_into("<Q", leaf, head + 9, crc32c(new, 0xfffffffe))
    struct.pack_into("<I", leaf, 0, crc32c(leaf[32:]) ^ 0xffffffff)
    data[start:start + NODE] = bytes(leaf)
    at = data.find(old, at + len(old))
PYTHON
}

# a d       ACLs without a value: Linux does not store them so any more, but sends them as a header without entries
case_empty_acls() {
  needs setfattr python3
  touch a
  mkdir d
  snapshot
  setfattr -n trusted.access_acl_gone a
  setfattr -n trusted.default_acl_gone d
  while_unmounted rename_attribute "$dir/image" trusted.access_acl_gone system.posix_acl_access
  while_unmounted rename_attribute "$dir/image" trusted.default_acl_gone system.posix_acl_default
  expect 'set_xattr a name=system.posix_acl_access .* len=4' 'set_xattr d name=system.posix_acl_default .* len=4'
}

# a … g     attributes of chattr; protocol 2 sends them
case_flags_change() {
  needs chattr
  touch a b c e f g
  mkdir d
  chattr +A e
  echo data >f
  snapshot
  chattr +i a
  chattr +a b
  chattr +C c
  chattr +d d
  chattr -A e
  chattr +c f
  chattr +S g
  echo more >>f
}

# a         an immutable file with a new mode, owner, name and attribute
case_an_immutable_file_changes() {
  needs chattr setfattr
  echo a >a
  chattr +i a
  snapshot
  chattr -i a
  chmod 600 a
  chown 1234 a
  setfattr -n user.x -v x a
  mv a b
  echo more >>b
  chattr +ai b
  expect 'link b dest=a' 'chown b .*' 'chmod b mode=600'
}

# before      after
#   a(257)      b(258)     the same name, owner, mode and attributes by another inode
case_an_inode_is_replaced_by_one_with_the_same_attributes() {
  needs setfattr
  echo a >a
  chown 12:34 a
  chmod 640 a
  setfattr -n user.x -v x a
  snapshot
  cp -a a b
  setfattr -n user.x -v x b
  mv b a
  expect 'chown a .*' 'chmod a mode=640'
}
