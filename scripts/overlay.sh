# shellcheck shell=bash
# overlay.sh: to be sourced. copy_machine BASE [LAYER...]: mounts a copy of this machine at BASE/root.
# Changes go to memory, to BASE/NAME.upper. LAYER: a folder of changes that lie below, the topmost first
# (keep_changes made it, of a copy with "new" in the place of a folder).

copy_machine() {
  local base=$1 folder name below layer number
  shift
  mount -t tmpfs -o mode=755 tmpfs "$base"
  mkdir "$base/root"
  for folder in / /etc /home /opt /root /usr /var; do
    name=whole${folder//\//.}
    below=$folder
    for ((number = $#; number > 0; number--)); do
      layer=${!number}
      [ "$folder" = / ] || [ ! -d "$layer/$name.upper" ] || below=$layer/$name.upper:$below
    done
    # What this machine keeps on file systems of its own is a copy of its own.
    [ "$folder" = / ] || [ $# -gt 0 ] || mountpoint -q "$folder" || continue
    mkdir "$base/$name.upper" "$base/$name.work"
    mount -t overlay overlay \
      -o "lowerdir=$below,upperdir=$base/$name.upper,workdir=$base/$name.work" "$base/root$folder"
  done
}

# keep_changes BASE FOLDER NAME...: copies what was changed below /NAME to FOLDER, as a layer.
keep_changes() {
  local base=$1 folder=$2 changes
  shift 2
  for changes in "${@/#/whole.}"; do
    mkdir "$folder/$changes.upper"
    tar -C "$base/$changes.upper" --xattrs --xattrs-include='security.*' -cf - . |
      tar -C "$folder/$changes.upper" --xattrs --xattrs-include='security.*' -xf -
  done
}
