//! Sheets: a page to print for each user.

use std::path::Path;

pub(super) use self::drawing::Page;
use self::drawing::{Drawing, draw};
use crate::error::Error;
use crate::terminal::recovery_codes::NewFile;

mod drawing;
mod pdf;
mod svg;

/// A sheet. Its file is created at once, and removed if the sheet is not finished.
pub(super) struct Sheet {
    file: NewFile,
    form: Form,
    pages: Vec<Drawing>,
}

#[derive(Clone, Copy)]
enum Form {
    Html,
    Pdf,
    Svg,
}

impl Sheet {
    /// Creates the file. The ending of its name decides the format.
    pub(super) fn create(path: &Path) -> Result<Self, Error> {
        let form = match path.extension().and_then(|extension| extension.to_str()) {
            Some("html") => Form::Html,
            Some("pdf") => Form::Pdf,
            Some("svg") => Form::Svg,
            _ => {
                return Err(Error::Usage(format!(
                    "--sheet {}: the name must end in .pdf, .svg or .html",
                    path.display()
                )));
            }
        };
        Ok(Self { file: NewFile::create("--sheet", path)?, form, pages: Vec::new() })
    }

    /// Adds a page.
    pub(super) fn add(&mut self, page: &Page<'_>) -> Result<(), Error> {
        self.pages.push(draw(page)?);
        Ok(())
    }

    /// Writes all pages and syncs them to the disk.
    pub(super) fn finish(self) -> Result<(), Error> {
        let content = match self.form {
            Form::Html => svg::html(&self.pages),
            Form::Pdf => pdf::document(&self.pages),
            Form::Svg => svg::stack(&self.pages),
        };
        self.file.fill(&content)
    }
}
