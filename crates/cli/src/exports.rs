//! What a program exports, for those who asked for something else.

/// Says which functions there are, each given with its signature.
pub(crate) fn listed(functions: impl IntoIterator<Item = String>) -> String {
    const MOST: usize = 20;
    let functions: Vec<String> = functions.into_iter().map(|signature| format!("`{signature}`")).collect();
    match functions.len() {
        0 => "it exports no function at all".into(),
        n if n <= MOST => format!("it exports {}", functions.join(", ")),
        n => format!("it exports {} and {} more", functions[..MOST].join(", "), n - MOST),
    }
}
