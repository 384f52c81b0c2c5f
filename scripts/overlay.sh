# shellcheck shell=bash
# overlay.sh: to be sourced. copy_machine BASE [LAYER]: mounts a copy of this machine at BASE/root.
# Changes go to memory, to BASE/NAME.upper. LAYER: changes of /etc, /usr and /var that lie below
# (made by programs.sh, with "new" in the place of a folder).

copy_machine() {
  local base=$1 layer=${2:-} folder name below
  mount -t tmpfs -o mode=755 tmpfs "$base"
  mkdir "$base/root"
  for folder in / /etc /home /opt /root /usr /var; do
    below=$folder
    name=whole${folder//\//.}
    case $layer:$folder in
    :*) ;;
    new:/etc | new:/usr | new:/var) ;;
    *:/etc | *:/usr | *:/var) below=$layer/$name.upper:$folder ;;
    esac
    # What this machine keeps on file systems of its own is a copy of its own.
    [ "$folder" = / ] || [ -n "$layer" ] || mountpoint -q "$folder" || continue
    mkdir "$base/$name.upper" "$base/$name.work"
    mount -t overlay overlay \
      -o "lowerdir=$below,upperdir=$base/$name.upper,workdir=$base/$name.work" "$base/root$folder"
  done
}
