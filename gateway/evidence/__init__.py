"""What speaks for and against a message beside its pictures: its words, where pictures come from, what went before."""
