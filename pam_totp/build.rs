//! How the module is linked. Each login loads it, so the loader gets no more to do than needed.

/// The arguments of the linker.
const ARGUMENTS: [&str; 6] = [
    // lld asks the loader twice for each function that std and the unwinder both call.
    "-fuse-ld=bfd",
    // The files that C programs start with ask for four functions that a module does not need.
    "-nostartfiles",
    // The one thing of them that std uses: an address in this library.
    "-Wl,--defsym=__dso_handle=pam_sm_authenticate",
    // Two pieces to map, in place of four.
    "-Wl,-z,noseparate-code",
    // A process that lets in many users loads it once. It keeps the old version over an upgrade.
    "-Wl,-z,nodelete",
    // The unwinder has one of the functions that the module has itself (src/stand_ins.rs).
    "-Wl,-z,muldefs",
];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // The shared unwinder would be loaded at every login of a host that does not have it, and looks
    // at the processor when it is. With fat LTO all of std is in the first object, so this comes
    // before the shared library, which is then not needed.
    println!("cargo:rustc-link-lib=static:-bundle=gcc_eh");
    for argument in ARGUMENTS {
        println!("cargo:rustc-cdylib-link-arg={argument}");
    }
}
