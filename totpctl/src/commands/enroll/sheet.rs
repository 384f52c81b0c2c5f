//! Sheets: a page to print for each user.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

pub(super) use self::drawing::Page;
use self::drawing::{Drawing, draw};
use crate::error::Error;
use crate::terminal::recovery_codes::NewFile;

mod drawing;
mod pdf;
mod svg;

/// A sheet. Its file is created at once, and removed if the sheet is not finished.
pub(super) struct Sheet {
    file: Option<NewFile>,
    /// The path of the file that has the draft.
    draft: Option<PathBuf>,
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
        let file = Some(NewFile::create("--sheet", path)?);
        Ok(Self { file, draft: None, form, pages: Vec::new() })
    }

    /// Adds a page.
    pub(super) fn add(&mut self, page: &Page<'_>) -> Result<(), Error> {
        self.pages.push(draw(page)?);
        Ok(())
    }

    /// Writes the pages so far, syncs them to the disk, and begins again without them. The draft
    /// stays until the sheet is finished.
    pub(super) fn draft(&mut self) -> Result<(), Error> {
        let Some(file) = self.file.take() else { return Ok(()) };
        let path = file.path().to_path_buf();
        file.fill(&self.content())?;
        self.pages.clear();
        self.draft = Some(path);
        Ok(())
    }

    /// Writes all pages and syncs them to the disk, in the place of the draft if there is one.
    pub(super) fn finish(self) -> Result<(), Error> {
        let content = self.content();
        match (self.file, self.draft) {
            (Some(file), _) => file.fill(&content),
            (None, Some(draft)) => NewFile::replace("--sheet", &draft, &content),
            (None, None) => Ok(()),
        }
    }

    fn content(&self) -> Zeroizing<Vec<u8>> {
        match self.form {
            Form::Html => svg::html(&self.pages),
            Form::Pdf => pdf::document(&self.pages),
            Form::Svg => svg::stack(&self.pages),
        }
    }
}
