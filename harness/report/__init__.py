"""The content of a report: what a page says, as plain data. Plugins write pages and figures of it."""
