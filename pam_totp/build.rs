//! Links the unwinder into the module. The shared one would be loaded at every login of a host that
//! does not have it, and looks at the processor when it is: a tenth of what a login costs here.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // With fat LTO all of std is in the first object, so this comes before the shared library,
    // which is then not needed.
    println!("cargo:rustc-link-lib=static:-bundle=gcc_eh");
}
