"""What every command of this repository shares: how it ends, and how it reports an error."""
