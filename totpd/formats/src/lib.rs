//! The formats in which other programs keep and hand over seeds. Each format has its own file: in
//! `import` if it is read, in `export` if it is written.

pub mod export;
pub mod import;
