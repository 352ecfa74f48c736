//! Bytes as they come, put together to lines.

/// Calls a function with each line, the last one when this is dropped.
pub(super) struct Lines<F: FnMut(&[u8])> {
    line: Vec<u8>,
    longest: usize,
    each: F,
}

impl<F: FnMut(&[u8])> Lines<F> {
    /// Lines of up to `longest` bytes: a guest decides how long they are.
    pub(super) fn new(longest: usize, each: F) -> Self {
        Self { line: Vec::new(), longest: longest.max(1), each }
    }

    pub(super) fn write(&mut self, src: &[u8]) {
        for part in src.split_inclusive(|byte| *byte == b'\n') {
            match part.strip_suffix(b"\n") {
                Some(text) => {
                    self.extend(text);
                    self.end_line();
                }
                None => self.extend(part),
            }
        }
    }

    fn extend(&mut self, mut text: &[u8]) {
        while !text.is_empty() {
            if self.line.len() == self.longest {
                self.end_line();
            }
            let (now, later) = text.split_at(text.len().min(self.longest - self.line.len()));
            self.line.extend_from_slice(now);
            text = later;
        }
    }

    fn end_line(&mut self) {
        (self.each)(&self.line);
        self.line.clear();
    }
}

impl<F: FnMut(&[u8])> Drop for Lines<F> {
    fn drop(&mut self) {
        if !self.line.is_empty() {
            self.end_line();
        }
    }
}
