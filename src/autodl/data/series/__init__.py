"""Tables whose cells are series: files of series, long and wide tables, and how their cells are stored."""
