"""Where results are from: what each table was made of, and all of it described for programs."""
