"""What the fuzz tests share: valid files, ways to spoil them, and a process to read them in."""
